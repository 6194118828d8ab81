"""What the gateway adds, beside a bare reverse proxy in the same run: `uv run python -m bench`.

Everything runs on loopback: a mock provider, the targets and a load generator, each a process. Rounds are interleaved
(A B C A B C) and medians printed, so that a machine that speeds up or slows down does so for all. The exit code is 1
where a target answered wrongly: the figures would be worth nothing.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from bench import targets
from bench.load import Job, Result
from bench.processes import Cores
from bench.report import Rounds, Sample, Scenario, ratios, table
from bench.targets import Target

SHORT = [Scenario("plain", 1), Scenario("plain", 32), Scenario("burst", 1), Scenario("paced", 32)]
FULL = [
    *(Scenario("plain", n) for n in (1, 8, 32, 64)),
    *(Scenario("burst", n) for n in (1, 8)),
    *(Scenario("paced", n) for n in (1, 32, 128)),
]


def main() -> int:
    """Measure and print. 0 where every answer was right."""
    options = _options()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # stdout is a text file here
    cores = Cores()
    scenarios = SHORT if options.short else FULL
    with tempfile.TemporaryDirectory(prefix="omg-bench-") as scratch, ExitStack() as stack:
        print(_machine(cores))
        found = stack.enter_context(_started(cores, Path(scratch), options))
        results = _measure(cores, found, scenarios, options.rounds, options.seconds)
        proxy = next(t.name for t in found if t.name in {"nginx", "asgi-forward"})
        for scenario, rounds in results:
            print(f"\n{table(scenario, rounds)}")
        print(f"\n{ratios(results, proxy)}")
        started = [f"{t.name} answers {t.ready_seconds:.2f} s after its start" for t in found if t.ready_seconds]
        print("\n" + "\n".join(started))
    errors = sum(s.errors for _, rounds in results for samples in rounds.values() for s in samples)
    return 1 if errors else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What the gateway adds to a call, as ratios.")
    parser.add_argument("--short", action="store_true", help="under a minute and a half: four scenarios, short rounds")
    parser.add_argument("--rounds", type=int, help="rounds a scenario (default 5, short 3)")
    parser.add_argument("--seconds", type=float, help="length of one measurement (default 3, short 1)")
    parser.add_argument("--references", action="store_true", help="measure only what the gateway is compared with")
    parser.add_argument("--proxy", choices=["nginx", "asgi"], help="the bare proxy (default: nginx where there is one)")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.short else 5)
    options.seconds = options.seconds or (1.0 if options.short else 3.0)
    return options


@contextmanager
def _started(cores: Cores, scratch: Path, options: argparse.Namespace) -> Iterator[list[Target]]:
    """All targets, running. Idle ones only sit there while another is measured."""
    with ExitStack() as stack:
        direct, server = targets.upstream(cores, scratch)
        stack.callback(server.stop)
        found = [direct]

        def keep(target: Target) -> None:
            found.append(target)
            if target.server is not None:
                stack.callback(target.server.stop)

        if targets.NGINX and options.proxy != "asgi":
            keep(targets.nginx(cores, scratch, direct.port, targets.NGINX))
        else:
            print("The bare proxy is our own, on uvicorn: nginx is not installed or not wanted.")
            keep(targets.asgi(cores, scratch, direct.port, "forward"))
        keep(targets.asgi(cores, scratch, direct.port, "nothing"))
        if not options.references:
            keep(targets.gateway(cores, scratch, direct.port))
        yield found


def _measure(
    cores: Cores, found: list[Target], scenarios: list[Scenario], rounds: int, seconds: float
) -> list[tuple[Scenario, Rounds]]:
    for target in found:
        _once(cores, target, Scenario("plain", 8), seconds / 2)
        _once(cores, target, Scenario("burst", 2), seconds / 2)
    results: list[tuple[Scenario, Rounds]] = [(s, {t.name: [] for t in found}) for s in scenarios]
    for _ in range(rounds):
        for scenario, by_target in results:
            for target in found:
                by_target[target.name].append(_once(cores, target, scenario, seconds))
    return results


def _once(cores: Cores, target: Target, scenario: Scenario, seconds: float) -> Sample:
    job = Job(target.port, scenario.mode, scenario.connections, seconds, target.key)
    before = target.server.cpu_seconds() if target.server else 0.0
    command = cores.rest([sys.executable, "-m", "bench.load", msgspec.json.encode(job).decode()])
    output = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True).stdout
    used = (target.server.cpu_seconds() if target.server else 0.0) - before
    result = msgspec.json.decode(output, type=Result)
    if target.server:
        target.server.check_alive()
    if result.sample:
        print(f"{target.name}, {scenario.mode}: {result.errors} wrong answers, the first: {result.sample}")
    return Sample(
        rps=result.requests / result.seconds,
        p50_ms=result.p50_ms,
        p99_ms=result.p99_ms,
        first_p50_ms=result.first_p50_ms,
        cpu_us=used / max(1, result.requests) * 1e6,
        busy=used / result.seconds,
        rss_mib=target.server.rss_mib() if target.server else 0.0,
        errors=result.errors,
    )


def _machine(cores: Cores) -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    pinning = "measured process on one core, all else on the others" if cores.pinned else "no pinning"
    return f"{model}, {os.cpu_count()} cores; Python {platform.python_version()}; {pinning}"


if __name__ == "__main__":
    sys.exit(main())
