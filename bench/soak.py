"""What many calls leave behind: `uv run python -m bench.soak [--requests N | --minutes M | --hours H]`.

Mixed requests, half of them streams, half of those left by the client in the middle, some with tools, some upstream
faults. After a warm-up everything is counted; after all requests it has to be back there, and memory must not have
grown with them, nor may the last tenth be slower than the first. At the end 1,000 streams are held at once, as many as
the pool towards one provider has places: a place that was lost would show as a stream that never opens. Then 100 plain
requests at once must all succeed.
"""

import argparse
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import linear_regression, median

import msgspec

from bench import held, probe, targets
from bench.load import Job, Result
from bench.machine import machine
from bench.mixed import Order, Outcome
from bench.processes import Cores, free_port
from bench.targets import Target

_RESULTS = Path(__file__).parent / "results"
BATCHES = 20
WARM_UP_SHARE = 0.25  # of the batches: not part of the slope
FIRST_BATCH = 2_000  # of a run by time: it says how many a minute there are
SLOPE_MIB = 1.0  # per 10,000 requests
SLOWER = 2.0  # plain requests of the last tenth, by those of the first
POOL_PLACES = 1000
STORM = 100
_CLIENTS = 48
_SPARE_DESCRIPTORS = 1  # the spool has its next segment open ahead, or not yet
_SETTLE_SECONDS = 5.0
_FLUSH_SECONDS = 60.0  # the ledger's records reach the database behind the requests
_IDLE_SECONDS = 75.0  # the pool closes connections that were idle for 30 s, and looks every 30 s


class Remains(msgspec.Struct):
    """What a gateway holds at one moment."""

    requests: int
    rss_mib: float
    tasks: int
    descriptors: int  # without `upstream`
    threads: int
    upstream: int  # connections, the idle ones of the pool among them
    objects: int
    records: int  # in the ledger's table of requests
    p50_ms: float = 0.0  # of the batch's plain requests
    p99_ms: float = 0.0

    def back_to(self, base: "Remains") -> bool:
        """Whether nothing is left over, apart from connections of the pool."""
        return (
            self.tasks <= base.tasks
            and self.descriptors <= base.descriptors + _SPARE_DESCRIPTORS
            and self.threads <= base.threads
        )

    def since(self, base: "Remains") -> tuple[int, int]:
        """Requests and ledger rows since then: the same number, once all is flushed."""
        return self.requests - base.requests, self.records - base.records


class Soak:
    """One gateway with its upstream, under load."""

    def __init__(self, cores: Cores, gateway: Target, upstream_port: int, window: int, database: Path) -> None:
        assert gateway.server is not None
        self._cores = cores
        self._gateway = gateway
        self._server = gateway.server
        self._upstream_port = upstream_port
        self._window = window
        self._database = f"{database.as_uri()}?mode=ro"
        self.requests = 0
        self.wrong = 0

    def batch(self, requests: int) -> Remains:
        """Send so many mixed requests."""
        order = Order(self._gateway.port, self._gateway.key, requests, _CLIENTS, seed=self.requests)
        outcome = msgspec.json.decode(self._client("bench.mixed", order), type=Outcome)
        self.requests += sum(outcome.done.values())
        self.wrong += outcome.wrong
        if outcome.wrong:
            print(f"{outcome.wrong} wrong answers, the first: {outcome.sample}")
        return msgspec.structs.replace(self.look(), p50_ms=outcome.p50_ms, p99_ms=outcome.p99_ms)

    def storm(self) -> Result:
        """`STORM` clients at once, each with a plain request or more."""
        job = Job(self._gateway.port, "plain", STORM, 0.05, self._gateway.key)
        return msgspec.json.decode(self._client("bench.load", job), type=Result)

    def pool(self) -> int:
        """How many of `POOL_PLACES` streams open at once."""
        with held.hold(self._cores, self._gateway, POOL_PLACES) as process:
            opened = held.opened_of(process)
            process.communicate()
        return opened

    def look(self) -> Remains:
        """Count everything."""
        self._server.check_alive()
        inside = probe.look(self._window)
        upstream = self._server.connections_to(self._upstream_port)
        return Remains(
            self.requests,
            self._server.rss_mib(),
            sum(inside.tasks.values()),
            self._server.descriptors() - upstream,
            self._server.threads(),
            upstream,
            inside.objects,
            self._records(),
        )

    def _records(self) -> int:
        with closing(sqlite3.connect(self._database, uri=True, timeout=20)) as database:
            count: int = database.execute("SELECT count(*) FROM requests").fetchone()[0]
        return count

    def settled(self, good: Callable[[Remains], bool], seconds: float = _SETTLE_SECONDS) -> Remains:
        """What is there as soon as it is `good`, or after so many seconds."""
        deadline = time.monotonic() + seconds
        while True:
            time.sleep(1)
            now = self.look()
            if good(now) or time.monotonic() > deadline:
                return now

    def _client(self, module: str, order: Order | Job) -> bytes:
        command = self._cores.rest([sys.executable, "-m", module, msgspec.json.encode(order).decode()])
        return subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True).stdout


def main(arguments: list[str]) -> int:
    """Run and print. 0 where nothing was left behind and every answer was right."""
    parser = argparse.ArgumentParser(prog="python -m bench soak", description="What many calls leave behind.")
    much = parser.add_mutually_exclusive_group()
    much.add_argument("--requests", type=int, default=200_000)
    much.add_argument("--minutes", type=float, help="for so long, however many that are")
    much.add_argument("--hours", type=float, help="the same")
    parser.add_argument("--summary", type=Path, help="where the summary goes (bench/results/soak-….md)")
    options = parser.parse_args(arguments)
    minutes = options.minutes or (options.hours or 0.0) * 60
    cores = Cores()
    with tempfile.TemporaryDirectory(prefix="omg-soak-") as name, ExitStack() as stack:
        print(machine(cores))
        direct, server = targets.upstream(cores, Path(name))
        stack.callback(server.stop)
        window = free_port()
        omg = [sys.executable, "-m", "bench.probe", str(window)]
        gateway = targets.gateway(cores, Path(name), direct.port, omg)
        assert gateway.server is not None
        stack.callback(gateway.server.stop)
        database = Path(name) / "data" / "omg.db"
        soak = Soak(cores, gateway, direct.port, window, database)
        good, summary = _run(soak, options.requests, minutes * 60)
        print(f"\n{summary}")
        _write(options.summary, f"{machine(cores)}\n\n{summary}")
        return 0 if good else 1


def _write(asked: Path | None, summary: str) -> None:
    """Keep the summary of a run."""
    path = asked or _RESULTS / f"soak-{datetime.now(UTC):%Y-%m-%dT%H%M}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(summary, encoding="utf-8")
    print(f"written to {path}")


def _run(soak: Soak, requests: int, seconds: float) -> tuple[bool, str]:
    """Whether all is as it should, and the summary. `seconds` instead of `requests`, where there are any."""
    started = time.monotonic()
    size = max(1, requests // BATCHES)
    if seconds:
        soak.batch(FIRST_BATCH)
        size = max(FIRST_BATCH, int(FIRST_BATCH / (time.monotonic() - started) * seconds / BATCHES))
    soak.batch(size)
    base = soak.settled(lambda now: now.tasks == 0 and now.records >= now.requests, _FLUSH_SECONDS)
    print("\n| requests | RSS MiB | tasks | descriptors | threads | upstream | objects | ledger rows | p50 ms |")
    print("|---|---|---|---|---|---|---|---|---|")
    print(_row(base, "at rest, after the warm-up"))
    points = []
    while time.monotonic() < started + seconds if seconds else soak.requests < requests:
        points.append(soak.batch(size))
        print(_row(points[-1]))
    end = soak.settled(lambda now: now.back_to(base) and now.since(base)[0] <= now.since(base)[1], _FLUSH_SECONDS)
    print(_row(end, "at rest"))
    opened, storm = soak.pool(), soak.storm()
    last = soak.settled(lambda now: now.back_to(base) and not now.upstream, _IDLE_SECONDS)
    print(_row(last, "at rest, after pool and storm"))

    checks = [
        *of_the_load(points),
        ("tasks, descriptors and threads are back where they were", end.back_to(base)),
        (f"{opened} of {POOL_PLACES} streams open at once: no place in the pool is lost", opened == POOL_PLACES),
        (f"{storm.requests} requests of {STORM} clients at once, {storm.errors} wrong", not storm.errors),
        ("they are back again after that, and no idle connection is left", last.back_to(base) and not last.upstream),
        ("{1} ledger rows for {0} requests".format(*end.since(base)), len(set(end.since(base))) == 1),
        (f"{soak.wrong} of {soak.requests} answers were wrong", not soak.wrong),
    ]
    lines = [f"- {'ok' if good else 'FAILED'}: {text}" for text, good in checks]
    summary = f"{soak.requests} requests in {time.monotonic() - started:.0f} s\n" + "\n".join(lines) + "\n"
    return all(good for _, good in checks), summary


def of_the_load(points: list[Remains]) -> list[tuple[str, bool]]:
    """What is checked while it runs: memory without the first quarter, latencies of the first and the last tenth."""
    counted = points[int(len(points) * WARM_UP_SHARE) :]
    slope = linear_regression([p.requests / 10_000 for p in counted], [p.rss_mib for p in counted]).slope
    tenth = max(1, len(points) // 10)
    first, last = (median(p.p50_ms for p in part) for part in (points[:tenth], points[-tenth:]))
    tails = [max(p.p99_ms for p in part) for part in (points[:tenth], points[-tenth:])]
    return [
        (f"memory grows by {slope:.2f} MiB per 10,000 requests (goal: under {SLOPE_MIB:g})", slope < SLOPE_MIB),
        (
            f"plain requests of the first tenth p50 {first:.1f} ms, p99 {tails[0]:.1f} ms; of the last {last:.1f} ms "
            f"and {tails[1]:.1f} ms (goal: p50 under {SLOWER:g} times)",
            last < SLOWER * first,
        ),
    ]


def _row(remains: Remains, note: str = "") -> str:
    r = remains
    shown = f"{r.requests}{', ' + note if note else ''}"
    counts = (r.tasks, r.descriptors, r.threads, r.upstream, r.objects, r.records, f"{r.p50_ms:.1f}")
    return f"| {shown} | {r.rss_mib:.1f} | {' | '.join(map(str, counts))} |"


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # stdout is a text file here
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that every process it started is ended
    sys.exit(main(sys.argv[1:]))
