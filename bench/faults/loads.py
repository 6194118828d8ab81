"""Loads that must hold where nothing is broken. Latencies are told beside their goals: the machine decides them."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from threading import Thread
from typing import Any, Final

import httpx
import msgspec
import psutil
from tests.e2e.test_alerts import Receiver

from bench.faults.case import Case, Checks
from bench.faults.checking import books
from bench.faults.stand import Payer, Site, Stand, until
from bench.faults.traffic import Entry, Traffic

RATE: Final = 200
STREAMS: Final = 500
OPEN_STREAMS: Final = 2000
OPEN_STREAMS_MIB: Final = 500.0
KEYS: Final = 100
AT_ONCE: Final = 20
CALLS_OF_A_KEY: Final = 10
ALERTED: Final = 10_000
_WORDS: Final = 40


def steady(stand: Stand, checks: Checks) -> None:
    _steady(stand, checks, stand.site(), RATE)


def steady_on_four(stand: Stand, checks: Checks) -> None:
    _steady(stand, checks, stand.site("valkey", workers=4), 2 * RATE)


def _steady(stand: Stand, checks: Checks, site: Site, rate: int) -> None:
    """So many plain requests of 2 kB a second, with a budget: on time or late, but all of them right."""
    payer = site.payer(1_000_000)
    began = time.monotonic()
    starts = [began + 1 + number / rate for number in range(int(rate * stand.load_seconds))]
    journal = asyncio.run(_asked(site, [(payer, at) for at in starts], 100, "word " * 400))
    wrong = journal.statuses() - Counter({"200": len(journal.entries)})
    checks.holds("0 errors", not wrong, wrong)
    ordered = sorted(entry.seconds for entry in journal.entries)
    checks.figure(
        f"{len(ordered) / (time.monotonic() - began - 1):.0f}/s of {rate}/s, p50 {_ms(ordered, 0.5)}, "
        f"p99 {_ms(ordered, 0.99)}, with clients and upstream on the same cores"
    )
    books(site, checks, journal)


def many_streams(stand: Stand, checks: Checks) -> None:
    """Each stream's text is whole and in order."""
    site = stand.site()
    texts = asyncio.run(_streams(site, STREAMS, f"sim-words-{_WORDS}+chunk-delay-50ms"))
    right = sum(text == texts[0] and len(text.split()) == _WORDS for text in texts)
    checks.holds(f"{STREAMS} streams are whole and in order", right == STREAMS, f"{right} are")
    _recorded(site, checks, STREAMS)


def open_streams(stand: Stand, checks: Checks) -> None:
    """Held open at once, with a chunk every five seconds: memory stays within its bound."""
    site = stand.site()
    process = psutil.Process(site.first.process.pid)
    seen = [process.memory_info().rss]
    look = lambda: seen.append(process.memory_info().rss)  # noqa: E731 - it has no name of its own to have
    texts = asyncio.run(_streams(site, OPEN_STREAMS, "sim-words-6+chunk-delay-5s", look))
    grown = (max(seen) - seen[0]) / 2**20
    whole = sum(len(text.split()) == 6 for text in texts)
    checks.holds(f"{OPEN_STREAMS} streams are whole", whole == OPEN_STREAMS, f"{whole} are")
    checks.holds(f"memory grows by less than {OPEN_STREAMS_MIB:.0f} MiB", grown < OPEN_STREAMS_MIB, f"{grown:.0f} MiB")
    checks.figure(f"memory grew by {grown:.0f} MiB")
    _recorded(site, checks, OPEN_STREAMS)


def many_budgets(stand: Stand, checks: Checks) -> None:
    """Keys with a budget each, each asked twenty times at once for ten calls."""
    site = stand.site("postgres", workers=2)
    first = site.payer(CALLS_OF_A_KEY)
    payers = [first, *(site.another(first, CALLS_OF_A_KEY) for _ in range(KEYS - 1))]
    asked = [(payer, 0.0) for payer in payers for _ in range(AT_ONCE)]
    journal = asyncio.run(_asked(site, asked, 100, "hi"))
    made = site.paid_calls(first)
    most = KEYS * CALLS_OF_A_KEY
    checks.holds(f"exactly {most} calls reach the upstream", made == most, made)
    answers = journal.statuses()
    checks.holds("the others are refused", answers.keys() <= {"200", "429 budget_exceeded"}, answers)
    held = until(lambda: not any(site.held_usd(payer) for payer in payers), 90, 1.0)
    checks.holds("nothing stays held", held < float("inf"))
    books(site, checks, journal)


def alerts_once(stand: Stand, checks: Checks) -> None:
    """Requests over 80, 90 and 100 % of a budget, from four processes: each threshold is told once."""
    receiver = Receiver()
    thread = Thread(target=receiver.serve_forever, daemon=True)
    thread.start()
    stand.at_the_end(receiver.server_close)
    stand.at_the_end(receiver.shutdown)
    site = stand.site("postgres", workers=4)
    calls = ALERTED * 3 // 4
    payer = site.payer(calls, warn_at=[0.8, 0.9])
    hook = site.made("alerts/channels", {"kind": "webhook", "url": receiver.url})
    site.made("alerts/rules", {"event": "budget_threshold", "channels": [hook["id"]], "cooldown_seconds": 0})
    journal = asyncio.run(_asked(site, [(payer, 0.0)] * ALERTED, 64, "hi"))
    came = until(lambda: len(receiver.got) >= 3, 60)
    time.sleep(10)  # a fourth would come within the next looks
    told = sorted(msgspec.json.decode(body)["threshold"] for _, body in receiver.got)
    checks.holds("exactly three alerts are delivered", told == [0.8, 0.9, 1.0], told)
    kept = site.first.admin.get("/alerts/deliveries").json()["data"]
    checks.holds("and three are written down", len(kept) == 3, len(kept))
    served = len(journal.whole())  # the provider's own journal keeps only the latest of so many
    checks.holds(f"exactly {calls} are served", served == calls, served)
    answers = journal.statuses()
    checks.holds("the others are refused", answers.keys() <= {"200", "429 budget_exceeded"}, answers)
    checks.figure(f"{dict(answers)}; the third alert came {came:.1f} s after the last request")
    books(site, checks, journal)


async def _asked(site: Site, asked: Sequence[tuple[Payer, float]], connections: int, text: str) -> Traffic:
    """A request for each, not before its moment (`time.monotonic`); the journal."""
    journal = Traffic([], "", "")
    left = iter(asked)
    bodies: dict[str, bytes] = {}
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)

    async def client(http: httpx.AsyncClient) -> None:
        for payer, at in left:
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            message = {"role": "user", "content": text}
            body = bodies.setdefault(
                payer.provider,
                msgspec.json.encode({"model": f"{payer.provider}/m", "messages": [message], "max_tokens": 5}),
            )
            headers = {"authorization": f"Bearer {payer.secret}", "content-type": "application/json"}
            began, status, name, code = time.monotonic(), 0, "", ""
            with contextlib.suppress(httpx.HTTPError):
                answer = await http.post("/v1/chat/completions", content=body, headers=headers)
                status, name = answer.status_code, answer.headers.get("x-request-id", "")
                code = "" if status == httpx.codes.OK else answer.json()["error"]["code"]
            journal.entries.append(Entry(began, time.monotonic() - began, status, code, name, status == 200, False))

    async with httpx.AsyncClient(base_url=site.first.url, timeout=60, limits=limits) as http:
        await asyncio.gather(*(client(http) for _ in range(connections)))
    return journal


async def _streams(site: Site, count: int, model: str, look: Callable[[], object] = lambda: None) -> list[str]:
    """The texts of so many streams, all open at once; `look` is called once a second."""
    body: dict[str, Any] = {"model": f"{site.provider}/{model}", "stream": True}
    body["messages"] = [{"role": "user", "content": "hi"}]
    limits = httpx.Limits(max_connections=count)
    headers = {"authorization": f"Bearer {site.key}"}

    async def one(http: httpx.AsyncClient) -> str:
        async with http.stream("POST", "/v1/chat/completions", json=body) as answer:
            lines = [line async for line in answer.aiter_lines() if line.startswith("data: ")]
        return "".join(map(_content, lines[:-1])) if lines and lines[-1] == "data: [DONE]" else ""

    async with (
        httpx.AsyncClient(base_url=site.first.url, headers=headers, timeout=120, limits=limits) as http,
        _looking(look),
    ):
        return list(await asyncio.gather(*(one(http) for _ in range(count))))


@contextlib.asynccontextmanager
async def _looking(look: Callable[[], object]) -> AsyncIterator[None]:
    async def again() -> None:
        while True:
            look()
            await asyncio.sleep(1)

    task = asyncio.create_task(again())
    yield
    task.cancel()


def _content(line: str) -> str:
    choices = msgspec.json.decode(line.removeprefix("data: "))["choices"]
    return str(choices[0]["delta"].get("content") or "") if choices else ""


def _recorded(site: Site, checks: Checks, requests: int) -> None:
    """All of them are in the ledger, once."""

    def ended() -> int:
        return int(site.query("SELECT COUNT(*) FROM requests WHERE outcome = 'ok'")[0][0])

    until(lambda: ended() >= requests, 90, 0.5)
    checks.requests += requests
    checks.lost += max(0, requests - ended())
    checks.doubled += max(0, ended() - requests) + site.doubled()
    wrong = site.adds_up()
    checks.holds("the ledger adds up", not wrong, wrong[-300:])


def _ms(ordered: Sequence[float], share: float) -> str:
    return f"{ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000:.1f} ms"


CASES: Final = (
    Case(
        "load-steady",
        f"{RATE} plain requests of 2 kB a second with a budget, one worker",
        "no errors; on a core of its own p50 5 ms and p99 30 ms",
        steady,
    ),
    Case(
        "load-of-four",
        f"{2 * RATE} a second on four workers over Postgres and Valkey",
        "no errors, every record once",
        steady_on_four,
    ),
    Case(
        "load-streams",
        f"{STREAMS} streams at once, 20 chunks a second each",
        "every text whole and in order",
        many_streams,
    ),
    Case(
        "load-open-streams",
        f"{OPEN_STREAMS} streams open at once, a chunk every 5 s",
        f"every text whole, memory grows by less than {OPEN_STREAMS_MIB:.0f} MiB (R-32)",
        open_streams,
    ),
    Case(
        "load-budgets",
        f"{KEYS} keys with a budget of {CALLS_OF_A_KEY} calls each, {AT_ONCE} requests of each at once, two workers",
        f"exactly {KEYS * CALLS_OF_A_KEY} calls are made, nothing stays held (R-15, P-06)",
        many_budgets,
    ),
    Case(
        "alerts-once",
        f"{ALERTED:,} requests over 80, 90 and 100 % of a budget, four workers over Postgres",
        "exactly three alerts are delivered, each once",
        alerts_once,
    ),
)
