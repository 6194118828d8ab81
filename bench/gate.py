"""Fails a run in which a request costs the gateway more CPU than the value checked in allows.

The value is a ratio: CPU a request of the gateway by that of the ASGI app that does nothing, in the same run, so that
it holds on machines of any speed. Of all rounds the cheapest counts, on both sides: other processes on the machine
only ever make a request dearer.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.report import GATEWAY, NOTHING, Results, Rounds, Scenario

BASELINE = Path(__file__).with_name("baseline.json")
GATED = (Scenario("plain", 32), Scenario("burst", 8))
TOLERANCE = 1.4
"""One commit gave ratios from 5.5 to 7.9 on shared machines: neighbours that fill the caches cost the larger program
more than the one that does nothing, in every round of a minute."""
MORE_ROUNDS = 6
PAUSE_SECONDS = 5.0
"""Before each of those: a neighbour's work comes in spells."""
FAILED = "FAILED"

Baseline = dict[str, float]
"""The ratio by scenario, such as `plain x32`."""


def read() -> Baseline:
    """What is checked in. Raises `FileNotFoundError` and `msgspec.DecodeError`."""
    return msgspec.json.decode(BASELINE.read_bytes(), type=Baseline)


def ratio(rounds: Rounds) -> float:
    """CPU a request, gateway by nothing, each at its cheapest; 0 where nothing was measured."""
    cheapest = {name: min((s.cpu_us for s in rounds[name]), default=0.0) for name in (GATEWAY, NOTHING)}
    return cheapest[GATEWAY] / cheapest[NOTHING] if cheapest[NOTHING] else 0.0


def within(baseline: Baseline, scenario: Scenario, rounds: Rounds) -> bool:
    """Whether a request costs no more than `TOLERANCE` times the value checked in."""
    return 0 < ratio(rounds) <= baseline[scenario.name] * TOLERANCE


def verdict(baseline: Baseline, results: Results) -> str:
    """Markdown, with `FAILED` in it where a scenario is not `within`."""
    lines = [
        "**CPU of a request against the app that does nothing** (cheapest round of each)",
        "",
        "| scenario | measured | checked in | at most | |",
        "|---|---|---|---|---|",
    ]
    bad = [scenario.name for scenario, rounds in results if not within(baseline, scenario, rounds)]
    for scenario, rounds in results:
        value = baseline[scenario.name]
        lines.append(
            f"| {scenario.name} | {ratio(rounds):.2f} | {value:.2f} | {value * TOLERANCE:.2f} |"
            f" {FAILED if scenario.name in bad else 'ok'} |"
        )
    if bad:
        lines += [
            "",
            f"{FAILED}: a request costs more than {TOLERANCE - 1:.0%} above the value checked in ({', '.join(bad)}). "
            "Find out why (docs/benchmarks.md, Profiling); where the cost is wanted, run "
            "`uv run python -m bench --rebase` on a quiet machine and commit bench/baseline.json.",
        ]
    return "\n".join(lines)


def rewrite(results: Sequence[tuple[Scenario, Rounds]]) -> str:
    """Put the measured ratios in the place of those checked in."""
    measured = {scenario.name: round(ratio(rounds), 2) for scenario, rounds in results}
    BASELINE.write_bytes(msgspec.json.format(msgspec.json.encode(measured), indent=2) + b"\n")
    return f"{BASELINE.name} now says: {measured}"
