"""What the gateway adds, beside a bare reverse proxy and an app that does nothing, in the same run.

Everything runs on loopback: a mock provider, the targets and a load generator, each a process. Rounds are interleaved
(A B C A B C), so that a machine that speeds up or slows down does so for all. The exit code is 1 where a target
answered wrongly (the figures would be worth nothing) or where the short form finds that a request has become dearer.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from bench import gate, held, targets
from bench.goals import Figures, goals
from bench.load import Job, Result
from bench.machine import machine
from bench.processes import Cores
from bench.report import GATEWAY, NOTHING, Results, Rounds, Sample, Scenario, ratios, table
from bench.targets import Target

SHORT = [Scenario("plain", 1), *gate.GATED, Scenario("paced", 32)]
FULL = [
    *(Scenario("plain", n) for n in (1, 32, 64, 256)),
    *(Scenario("burst", n) for n in (1, 8, 32, 256)),
    *(Scenario("paced", n) for n in (1, 16, 32, 256)),
]


def main(arguments: list[str]) -> int:
    """Measure and print. 0 where every answer was right and, in the short form, no request has become dearer."""
    options = _options(arguments)
    cores = Cores()
    with tempfile.TemporaryDirectory(prefix="omg-bench-") as name, ExitStack() as stack:
        scratch = Path(name)
        print(machine(cores))
        omg = targets.production_omg(scratch) if options.production else targets.own_omg()
        print(f"The gateway runs in {'an environment without' if options.production else 'this environment, with'}"
              " the development tools.")  # fmt: skip
        found = stack.enter_context(_started(cores, scratch, options, omg))
        _warm_up(cores, found, options.seconds)
        results = _measure(cores, found, SHORT if options.short else FULL, options.rounds, options.seconds)
        dearer = "" if options.references or not options.short else _gate(cores, found, results, options)
        _print(results, found)
        if not options.short and not options.references:
            streams = held.compare(cores, scratch / "held", found, omg, options.streams)
            print(f"\n{held.table(streams)}\n\n{_goals(results, found, streams)}")
    print(dearer)
    errors = sum(s.errors for _, rounds in results for samples in rounds.values() for s in samples)
    return 1 if errors or gate.FAILED in dearer else 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What the gateway adds to a call, as ratios.")
    parser.add_argument("--short", action="store_true", help="a minute and a half; fails where a request got dearer")
    parser.add_argument("--rebase", action="store_true", help="short form that rewrites bench/baseline.json instead")
    parser.add_argument("--rounds", type=int, help="rounds a scenario (default 5, short 3, rebase 6)")
    parser.add_argument("--seconds", type=float, help="length of one measurement (default 2, short 1)")
    parser.add_argument("--streams", type=int, default=1000, help="open streams held for the memory of each (1000)")
    parser.add_argument("--production", action="store_true", help="run the gateway without the development tools")
    parser.add_argument("--references", action="store_true", help="measure only what the gateway is compared with")
    parser.add_argument("--proxy", choices=["nginx", "asgi"], help="the bare proxy (default: nginx where there is one)")
    options = parser.parse_args(arguments)
    options.short = options.short or options.rebase
    options.rounds = options.rounds or (6 if options.rebase else 3 if options.short else 5)
    options.seconds = options.seconds or (1.0 if options.short else 2.0)
    return options


@contextmanager
def _started(cores: Cores, scratch: Path, options: argparse.Namespace, omg: list[str]) -> Iterator[list[Target]]:
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
            keep(targets.gateway(cores, scratch, direct.port, omg))
        yield found


def _warm_up(cores: Cores, found: list[Target], seconds: float) -> None:
    for target in found:
        _once(cores, target, Scenario("plain", 8), seconds / 2)
        _once(cores, target, Scenario("burst", 2), seconds / 2)


def _measure(
    cores: Cores, found: list[Target], scenarios: list[Scenario], rounds: int, seconds: float
) -> list[tuple[Scenario, Rounds]]:
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
        pss_mib=target.server.pss_mib() if target.server else 0.0,
        errors=result.errors,
    )


def _gate(cores: Cores, found: list[Target], results: Results, options: argparse.Namespace) -> str:
    """Compare with the values checked in, or rewrite them. A suspicious figure is measured again before it counts."""
    gated = [(scenario, rounds) for scenario, rounds in results if scenario in gate.GATED]
    if options.rebase:
        return gate.rewrite(gated)
    baseline = gate.read()
    for scenario, rounds in gated:
        for _ in range(gate.MORE_ROUNDS):
            if gate.within(baseline, scenario, rounds):
                break
            time.sleep(gate.PAUSE_SECONDS)
            for target in found:
                if target.name in {GATEWAY, NOTHING}:
                    rounds[target.name].append(_once(cores, target, scenario, options.seconds))
    return gate.verdict(baseline, gated)


def _print(results: Results, found: list[Target]) -> None:
    for scenario, rounds in results:
        print(f"\n{table(scenario, rounds)}")
    print(f"\n{ratios(results, _proxy(found))}\n")
    for target in found:
        if target.ready_seconds:
            print(
                f"{target.name} answers {target.ready_seconds:.2f} s after its start, with {target.idle_mib:.0f} MiB."
            )


def _goals(results: Results, found: list[Target], streams: dict[str, held.Held]) -> str:
    gateway = next(target for target in found if target.name == GATEWAY)
    figures = Figures(results, _proxy(found), gateway.ready_seconds, streams[GATEWAY].kib_each)
    return goals(figures)


def _proxy(found: list[Target]) -> str:
    return next(t.name for t in found if t.name in {"nginx", "asgi-forward"})
