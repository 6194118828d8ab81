"""A provider that refuses, stands still, breaks off or answers nonsense: each fault is a row."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from bench.faults.case import Case, Checks
from bench.faults.checking import books
from bench.faults.stand import Site, Stand
from bench.faults.traffic import code_of


class Row(msgspec.Struct, frozen=True):
    """One fault. `answer` is what the client sees where nobody else can serve: `200` a whole answer, `200 CODE` a
    stream that ends with that error, else status and code. `moves`: another provider serves instead.
    """

    model: str
    stream: bool
    answer: str
    moves: bool = False


STATUSES: Final = (
    Row("sim-400", False, "400 "),
    Row("sim-401", False, "502 upstream_auth_failed", moves=True),
    Row("sim-402", False, "429 rate_limit_exceeded", moves=True),
    Row("sim-403", False, "502 upstream_auth_failed", moves=True),
    Row("sim-404", False, "404 model_not_found", moves=True),
    Row("sim-408", False, "502 upstream_error", moves=True),
    Row("sim-409", False, "409 "),
    Row("sim-413", False, "413 "),
    Row("sim-422", False, "422 "),
    Row("sim-429", False, "429 rate_limit_exceeded", moves=True),
    Row("sim-429-retry-2s", True, "429 rate_limit_exceeded", moves=True),
    Row("sim-429-retry-1000000000s", False, "429 rate_limit_exceeded", moves=True),
    Row("sim-500", False, "502 upstream_error", moves=True),
    Row("sim-502", True, "502 upstream_error", moves=True),
    Row("sim-503", False, "503 overloaded", moves=True),
    Row("sim-504", False, "502 upstream_error", moves=True),
    Row("sim-529", True, "503 overloaded", moves=True),
    Row("sim-error-200", False, "502 upstream_invalid_response", moves=True),
    Row("sim-error-200", True, "502 upstream_invalid_response", moves=True),
    Row("sim-204", False, "502 upstream_invalid_response", moves=True),
    Row("sim-301", False, "502 upstream_error", moves=True),
    Row("sim-302", True, "502 upstream_error", moves=True),
    Row("sim-307", False, "502 upstream_error", moves=True),
)

SILENCES: Final = (
    Row("sim-silent", False, "504 upstream_timeout", moves=True),
    Row("sim-silent", True, "504 upstream_timeout", moves=True),
    Row("sim-stall-after-0", True, "504 upstream_timeout", moves=True),
    Row("sim-stall-after-1", True, "504 upstream_timeout", moves=True),
    Row("sim-stall-after-3", True, "200 upstream_timeout"),
    Row("sim-stall-at-byte-20", False, "504 upstream_timeout", moves=True),
    Row("sim-words-5+chunk-delay-300ms", True, "200 "),
)
"""With deadlines of a second; the last keeps within them."""

CUTS: Final = (
    Row("sim-reset", False, "502 upstream_truncated", moves=True),
    Row("sim-reset", True, "502 upstream_truncated", moves=True),
    Row("sim-cut-after-0", True, "502 upstream_truncated", moves=True),
    Row("sim-cut-after-3", True, "200 upstream_truncated"),
    Row("sim-reset-after-3", True, "200 upstream_truncated"),
    Row("sim-end-after-3", True, "200 upstream_truncated"),
    Row("sim-error-event-after-3", True, "200 upstream_error"),
    *(Row(f"sim-words-8+cut-at-byte-{at}", False, "502 upstream_truncated", moves=True) for at in (1, 60, 200)),
    *(Row(f"sim-words-8+reset-at-byte-{at}", True, "", moves=False) for at in (1, 150, 700, 1500)),
)

GARBAGE: Final = (
    Row("sim-bad-json", False, "502 upstream_invalid_response", moves=True),
    Row("sim-bad-json", True, "502 upstream_invalid_response", moves=True),
    Row("sim-bad-json-after-3", True, "200 upstream_error"),
    Row("sim-html-200", False, "502 upstream_invalid_response", moves=True),
    Row("sim-html-200", True, "502 upstream_invalid_response", moves=True),
    Row("sim-empty-200", False, "502 upstream_invalid_response", moves=True),
    Row("sim-gzip-bomb", False, "502 upstream_invalid_response", moves=True),
    Row("sim-500-big-64mb", False, "502 upstream_error", moves=True),
    *(Row(f"sim-{odd}", True, "200 ") for odd in ("bom", "crlf", "multi-line", "comment", "split-utf8")),
    *(Row(f"sim-{odd}", True, "200 ") for odd in ("byte-by-byte", "no-usage", "no-done", "event-message")),
)

_DEADLINES: Final[dict[str, Any]] = {
    "timeouts": {"connect": 1.0, "response_headers": 1.0, "first_content": 1.0, "idle": 1.0, "upstream_call": 3.0}
}


def statuses(stand: Stand, checks: Checks) -> None:
    _rows(stand, checks, STATUSES, {})


def silences(stand: Stand, checks: Checks) -> None:
    _rows(stand, checks, SILENCES, _DEADLINES)


def cuts(stand: Stand, checks: Checks) -> None:
    _rows(stand, checks, CUTS, {})


def garbage(stand: Stand, checks: Checks) -> None:
    _rows(stand, checks, GARBAGE, {})


def connections(stand: Stand, checks: Checks) -> None:
    """No connection comes about, in each way that it may not."""
    site = stand.site()
    spare = site.new_provider(stand.simulator)
    with _deaf() as deaf, _closing() as closing:
        for name, url in (
            ("refused", "http://127.0.0.1:9/v1"),
            ("a name that nobody knows", "http://nowhere.invalid/v1"),
            ("never accepted", f"http://127.0.0.1:{deaf}/v1"),
            ("closed at once", f"http://127.0.0.1:{closing}/v1"),
            ("TLS towards a port that speaks none", f"https://127.0.0.1:{stand.simulator.port}/v1"),
        ):
            provider = f"dead{len(checks.passed) + len(checks.failed)}"
            site.add_provider(provider, url, settings=_DEADLINES)
            answer, seconds = _ask(site, [f"{provider}/m"], stream=False)
            checks.holds(f"{name}: 502 or 504", answer.split()[0] in {"502", "504"}, answer)
            checks.within(f"{name}: within its deadlines", seconds, 4.0)
            answer, _ = _ask(site, [f"{provider}/m", f"{spare}/sim-echo"], stream=False)
            checks.holds(f"{name}: another serves", answer == "200 ", answer)
    _afterwards(site, checks)


def one_of_two(stand: Stand, checks: Checks) -> None:
    """One upstream of two dies under load: after 2 s at least 999 of 1,000 are served."""
    site = stand.site()
    dying, healthy = (site.new_provider(stand.simulator, settings={"models": ["both"]}) for _ in range(2))
    seen: list[tuple[float, str]] = []
    over = threading.Event()

    def client() -> None:
        while not over.is_set():
            began = time.monotonic()
            seen.append((began, _ask(site, ["both"], stream=len(seen) % 2 == 0)[0]))
            over.wait(0.02)

    threads = [threading.Thread(target=client, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1.0)
    stand.simulator.script(dying, behaviours={"*": ["sim-reset"]})
    died = time.monotonic()
    time.sleep(8.0)
    over.set()
    for thread in threads:
        thread.join(30)
    answers = [answer for began, answer in seen if began > died + 2]
    good = answers.count("200 ")
    checks.requests += len(seen)
    checks.holds("the other serves 999 of 1,000 after 2 s", good >= 0.999 * len(answers), set(answers))
    checks.holds("it is asked", len(stand.simulator.calls(healthy)) > 0)
    checks.figure(f"{good} of {len(answers)} after 2 s")
    _afterwards(site, checks)


def _rows(stand: Stand, checks: Checks, rows: Sequence[Row], settings: dict[str, Any]) -> None:
    """Each row with a provider of its own: what one refuses must not rest another."""
    site = stand.site()
    spare = site.new_provider(stand.simulator)
    for row in rows:
        name = f"{row.model}{' as a stream' if row.stream else ''}"
        alone = site.new_provider(stand.simulator, settings=settings)
        answer, _ = _ask(site, [f"{alone}/{row.model}"], stream=row.stream)
        if row.answer:
            checks.holds(name, answer.startswith(row.answer), answer)
        else:
            whole = "a whole answer or an error, never something between"
            checks.holds(f"{name}: {whole}", answer.split()[0] in {"200", "502"}, answer)
        if row.moves:
            again = site.new_provider(stand.simulator, row.model, settings=settings)
            answer, _ = _ask(site, [f"{again}/m", f"{spare}/sim-echo"], stream=row.stream)
            checks.holds(f"{name}: another serves", answer == "200 ", answer)
    checks.requests += 2 * len(rows)
    _afterwards(site, checks)


def _afterwards(site: Site, checks: Checks) -> None:
    """It serves as before, and the books are right."""
    checks.holds("it is ready", site.ready() == "200 ready")
    with site.traffic(clients=2) as load:
        time.sleep(1.0)
    books(site, checks, load)


def _ask(site: Site, models: list[str], *, stream: bool) -> tuple[str, float]:
    """What the client sees, as in `Row.answer`, and in how many seconds."""
    body: dict[str, Any] = {
        "model": models[0],
        "messages": [{"role": "user", "content": "one two three four five six"}],
        "stream": stream,
    } | ({"models": models[1:]} if len(models) > 1 else {})
    began = time.monotonic()
    answer = site.first.http.post("/v1/chat/completions", json=body)
    seconds = time.monotonic() - began
    if answer.status_code != 200 or not stream:
        return f"{answer.status_code} {code_of(answer.text)}", seconds
    last = answer.text.rstrip("\n").rpartition("data: ")[2]
    if last == "[DONE]":
        return "200 ", seconds
    return f"200 {code_of(last) or 'cut without a word'}", seconds


@contextlib.contextmanager
def _deaf() -> Iterator[int]:
    """A port whose SYNs are never answered, because its backlog is full."""
    with socket.socket() as listener, contextlib.ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = waiting.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield listener.getsockname()[1]


@contextlib.contextmanager
def _closing() -> Iterator[int]:
    """A port that takes each connection and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def close_each() -> None:
            with contextlib.suppress(OSError):
                while True:
                    listener.accept()[0].close()

        thread = threading.Thread(target=close_each, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


CASES: Final = (
    Case(
        "upstream-statuses",
        f"{len(STATUSES)} refusals of a provider, alone and with another beside it",
        "as the failover table says: passed on, moved, or told in one word",
        statuses,
        short=True,
    ),
    Case(
        "upstream-silent",
        "it reads and answers nothing, or stops in every phase",
        "504 or an error event at its deadline; what keeps within it survives (R-05)",
        silences,
    ),
    Case(
        "upstream-cut",
        "it ends or resets at every phase and at single bytes",
        "an error or an error event, never a cut answer as a whole one (R-07, R-08)",
        cuts,
    ),
    Case(
        "upstream-garbage",
        "broken JSON, pages, empty answers, 200 MiB of compressed spaces, 64 MB of error, odd streams",
        "refused in one word, or read as meant; the process lives (R-34)",
        garbage,
    ),
    Case(
        "upstream-unreachable",
        "refused, unknown, never accepted, closed at once, no TLS",
        "502 or 504 within the connection's deadline; another serves",
        connections,
    ),
    Case(
        "upstream-dies",
        "one provider of two dies under load",
        "999 of 1,000 are served after 2 s (R-39)",
        one_of_two,
    ),
)
