"""Break things under load and hold what comes of it against what is promised.

    uv run python -m bench.faults                       every case, with outages of a minute: about half an hour
    uv run python -m bench.faults --short               a few cases with short outages: about a minute
    uv run python -m bench.faults --case valkey-frozen --outage 10
    uv run python -m bench.faults --list

Every case runs real processes: gateways over SQLite, Postgres and Valkey, and a simulated provider. The exit code is 1
where a promise was broken.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench.faults import clients, disk, loads, processes, stores, upstreams, valkey
from bench.faults.case import Case, Outcome, tried
from bench.faults.stand import Stand
from bench.machine import machine
from bench.processes import Cores

CASES: Final[tuple[Case, ...]] = (
    *processes.CASES,
    *stores.CASES,
    *valkey.CASES,
    *disk.CASES,
    *upstreams.CASES,
    *clients.CASES,
    *loads.CASES,
)
OUTAGE_SECONDS: Final = 70.0
"""Longer than known keys are served without the database."""

SHORT_OUTAGE_SECONDS: Final = 3.0
HEAD: Final = "| case | | checks | requests | lost | doubled | took | seen |\n|---|---|---|---|---|---|---|---|"


def chosen(names: Sequence[str], *, short: bool) -> list[Case]:
    """The cases of these names, or all; raises `SystemExit` for an unknown one."""
    unknown = set(names) - {case.name for case in CASES}
    if unknown:
        raise SystemExit(f"no such case: {', '.join(sorted(unknown))}. `--list` names them.")
    return [case for case in CASES if (not names or case.name in names) and (names or not short or case.short)]


def row(outcome: Outcome) -> str:
    """One row of the printed table."""
    seen = "; ".join([*outcome.figures, *(f"BROKEN: {each}" for each in outcome.failed)])
    facts = (outcome.checks, outcome.requests, outcome.lost, outcome.doubled, f"{outcome.seconds:.0f} s", seen)
    return f"| {outcome.name} | {outcome.verdict} | {' | '.join(map(str, facts))} |"


def main(arguments: Sequence[str]) -> int:
    """Run and print. 0 where every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--list", action="store_true", help="name the cases, run none")
    parser.add_argument("--short", action="store_true", help="a few cases, with short outages, and nothing timed")
    parser.add_argument("--outage", type=float, metavar="SECONDS", help="how long stores are away")
    parser.add_argument("--kills", type=int, metavar="N", help="how often the gateway is killed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcomes there as well")
    asked = parser.parse_args(arguments)
    cases = chosen(asked.case, short=asked.short)
    if asked.list:
        for case in cases:
            print(f"{case.name:24} {case.fault}\n{'':24} {case.promise}")
        return 0
    print(f"{machine(Cores())}\n\n{HEAD}")
    outcomes = []
    with (
        tempfile.TemporaryDirectory(prefix="omg-faults-", ignore_cleanup_errors=True) as name,
        Stand(
            Path(name),
            outage=asked.outage or (SHORT_OUTAGE_SECONDS if asked.short else OUTAGE_SECONDS),
            kills=asked.kills or (2 if asked.short else 20),
            timed=not asked.short,
        ) as stand,
    ):
        for case in cases:
            outcomes.append(tried(case, stand))
            print(row(outcomes[-1]))
    if asked.json:
        asked.json.write_bytes(msgspec.json.format(msgspec.json.encode(outcomes)))
    return told(outcomes)


def told(outcomes: Sequence[Outcome]) -> int:
    """Print the sums; the exit code."""
    ran = [each for each in outcomes if each.verdict != "not tried"]
    failed = [each.name for each in ran if each.verdict == "failed"]
    print(
        f"\n{len(ran)} cases tried, {len(ran) - len(failed)} passed, {sum(each.requests for each in ran)} requests, "
        f"{sum(each.lost for each in ran)} records lost, {sum(each.doubled for each in ran)} doubled"
    )
    for name in failed:
        print(f"FAILED: {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # stdout is a text file here
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that every process it started is ended
    sys.exit(main(sys.argv[1:]))
