"""Rounds of measurements as tables: medians, and the gateway's ratios to what it is measured against."""

from collections.abc import Callable, Sequence
from statistics import median

import msgspec

UPSTREAM, NOTHING, GATEWAY = "upstream", "asgi-nothing", "gateway"


class Scenario(msgspec.Struct, frozen=True):
    """One kind of load: `mode` as in `bench.load`, with this many clients."""

    mode: str
    connections: int

    @property
    def name(self) -> str:
        """Such as `plain x32`."""
        return f"{self.mode} x{self.connections}"


class Sample(msgspec.Struct):
    """One target in one round of one scenario."""

    rps: float
    p50_ms: float
    p99_ms: float
    first_p50_ms: float
    cpu_us: float  # CPU time of the target's process tree a request
    busy: float  # share of one core
    rss_mib: float
    pss_mib: float
    errors: int


Rounds = dict[str, list[Sample]]
"""Samples by target name, one a round."""

Results = Sequence[tuple[Scenario, Rounds]]


def table(scenario: Scenario, rounds: Rounds) -> str:
    """Markdown: one row a target, medians over the rounds."""
    streams = scenario.mode != "plain"
    first = " first event p50 ms |" if streams else ""
    lines = [
        f"**{scenario.mode}, {scenario.connections} connection{'s' if scenario.connections > 1 else ''}**",
        "",
        f"| target | {'streams' if streams else 'requests'}/s | p50 ms | p99 ms |{first}"
        " CPU µs each | core busy | RSS MiB | PSS MiB | errors |",
        "|---|---|---|---|---|---|---|---|---|" + ("---|" if streams else ""),
    ]
    for name, samples in rounds.items():
        of = medians(samples)
        begun = f" {of(lambda s: s.first_p50_ms):.2f} |" if streams else ""
        lines.append(
            f"| {name} | {of(lambda s: s.rps):.0f} | {of(lambda s: s.p50_ms):.2f} | {of(lambda s: s.p99_ms):.2f} |"
            f"{begun} {of(lambda s: s.cpu_us):.0f} | {of(lambda s: s.busy):.0%} | {of(lambda s: s.rss_mib):.0f} |"
            f" {of(lambda s: s.pss_mib):.0f} | {sum(s.errors for s in samples)} |"
        )
    return "\n".join(lines)


def ratios(scenarios: Results, proxy: str) -> str:
    """Markdown: what the gateway costs against the bare proxy, and against an app that does nothing."""
    lines = [
        f"**gateway against {proxy}** (same run, same cores; CPU is the steadiest figure)",
        "",
        f"| scenario | throughput | CPU | added p50 / p99 ms | {proxy} adds ms | CPU against {NOTHING} |",
        "|---|---|---|---|---|---|",
    ]
    for scenario, rounds in scenarios:
        if GATEWAY not in rounds:
            continue
        ours, bare, floor, direct = (medians(rounds[name]) for name in (GATEWAY, proxy, NOTHING, UPSTREAM))
        p50, p99 = direct(lambda s: s.p50_ms), direct(lambda s: s.p99_ms)
        lines.append(
            f"| {scenario.name}"
            f" | {_share(ours(lambda s: s.rps), bare(lambda s: s.rps))}"
            f" | {_times(ours(lambda s: s.cpu_us), bare(lambda s: s.cpu_us))}"
            f" | {ours(lambda s: s.p50_ms) - p50:.2f} / {ours(lambda s: s.p99_ms) - p99:.2f}"
            f" | {bare(lambda s: s.p50_ms) - p50:.2f} / {bare(lambda s: s.p99_ms) - p99:.2f}"
            f" | {_times(ours(lambda s: s.cpu_us), floor(lambda s: s.cpu_us))} |"
        )
    return "\n".join(lines)


def medians(samples: Sequence[Sample]) -> Callable[[Callable[[Sample], float]], float]:
    """A function that takes a pick of one figure to its median over the rounds."""
    return lambda pick: median(map(pick, samples))


def _share(ours: float, theirs: float) -> str:
    return f"{ours / theirs:.0%}" if theirs else "–"


def _times(ours: float, theirs: float) -> str:
    return f"{ours / theirs:.1f}x" if theirs else "–"
