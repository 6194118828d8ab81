"""What the gateway is to reach, beside what was measured: the last table of a full run."""

from collections.abc import Callable

import msgspec

from bench.report import GATEWAY, UPSTREAM, Results, Sample, Scenario, medians


class Figures(msgspec.Struct, frozen=True):
    """All that was measured. `proxy` names the bare proxy among the targets."""

    results: Results
    proxy: str
    ready_seconds: float
    stream_kib: float

    def median(self, target: str, scenario: Scenario, pick: Callable[[Sample], float]) -> float:
        """Raises `KeyError` where the scenario or the target was not part of the run."""
        return medians(dict(self.results)[scenario][target])(pick)

    def added(self, target: str, scenario: Scenario, pick: Callable[[Sample], float]) -> float:
        """What `target` adds to the upstream asked directly."""
        return self.median(target, scenario, pick) - self.median(UPSTREAM, scenario, pick)

    def times(self, scenario: Scenario, pick: Callable[[Sample], float]) -> float:
        """The gateway's figure by the bare proxy's."""
        return self.median(GATEWAY, scenario, pick) / self.median(self.proxy, scenario, pick)

    def most(self, pick: Callable[[Sample], float]) -> float:
        """Of the gateway, after any scenario. Rounds are interleaved: what 256 connections took is in all of them."""
        return max(medians(rounds[GATEWAY])(pick) for _, rounds in self.results)


class Goal(msgspec.Struct, frozen=True):
    """`form` prints a value. `least`: the goal is a floor, else a ceiling."""

    metric: str
    form: str
    goal: float
    stretch: float
    measure: Callable[[Figures], float]
    least: bool = False
    against_nginx: bool = False

    def reached(self, value: float, bound: float) -> bool:
        """Whether `value` is on the right side of `bound`."""
        return value >= bound if self.least else value <= bound


_ONE, _PLAIN = Scenario("plain", 1), Scenario("plain", 64)
_FIRST, _BURST, _PACED = Scenario("burst", 1), Scenario("burst", 8), Scenario("paced", 16)

GOALS = (
    Goal(
        "plain x64, throughput of nginx's", "{:.1%}", 0.08, 0.13,
        lambda f: f.times(_PLAIN, lambda s: s.rps), least=True, against_nginx=True,
    ),
    Goal("plain x64, CPU a request", "{:.0f} µs", 370, 280, lambda f: f.median(GATEWAY, _PLAIN, lambda s: s.cpu_us)),
    Goal(
        "burst x8, CPU of nginx's", "{:.2f}x", 1.7, 1.18,
        lambda f: f.times(_BURST, lambda s: s.cpu_us), against_nginx=True,
    ),
    Goal(
        "paced x16, CPU of nginx's", "{:.2f}x", 4, 2.5,
        lambda f: f.times(_PACED, lambda s: s.cpu_us), against_nginx=True,
    ),
    Goal("plain x1, added p50", "{:.2f} ms", 0.8, 0.5, lambda f: f.added(GATEWAY, _ONE, lambda s: s.p50_ms)),
    Goal(
        "plain x1, p99 above nginx's", "{:.2f} ms", 2.5, 1.5,
        lambda f: f.median(GATEWAY, _ONE, lambda s: s.p99_ms) - f.median(f.proxy, _ONE, lambda s: s.p99_ms),
        against_nginx=True,
    ),
    Goal("burst x1, added time to first event", "{:.2f} ms", 1.5, 1.0,
         lambda f: f.added(GATEWAY, _FIRST, lambda s: s.first_p50_ms)),
    Goal("memory of an idle stream", "{:.1f} KiB", 20, 12, lambda f: f.stream_kib),
    Goal("memory of a worker under load, PSS", "{:.0f} MiB", 90, 70, lambda f: f.most(lambda s: s.pss_mib)),
    Goal("memory of a worker under load, RSS", "{:.0f} MiB", 90, 70, lambda f: f.most(lambda s: s.rss_mib)),
    Goal("start to first answer", "{:.2f} s", 4, 2.5, lambda f: f.ready_seconds),
)  # fmt: skip


def goals(figures: Figures) -> str:
    """Markdown: metric, measured, goal, whether it is reached, stretch goal."""
    lines = ["**goals**", "", "| metric | measured | goal | reached | stretch |", "|---|---|---|---|---|"]
    for goal in GOALS:
        sign = "≥" if goal.least else "≤"
        bounds = [f"{sign} {goal.form.format(bound)}" for bound in (goal.goal, goal.stretch)]
        if goal.against_nginx and figures.proxy != "nginx":
            lines.append(f"| {goal.metric} | no nginx here | {bounds[0]} | – | {bounds[1]} |")
            continue
        value = goal.measure(figures)
        reached = "yes" if goal.reached(value, goal.goal) else "**no**"
        if goal.reached(value, goal.stretch):
            reached = "yes, and the stretch goal"
        lines.append(f"| {goal.metric} | {goal.form.format(value)} | {bounds[0]} | {reached} | {bounds[1]} |")
    return "\n".join(lines)
