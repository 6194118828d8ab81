"""One row of the table of faults: what is broken, what is promised, and what was seen."""

import time
import traceback
from collections.abc import Callable

import msgspec

from bench.faults.stand import Stand


class NotHere(Exception):
    """A case that this machine cannot try, and why."""


class Checks:
    """What one run of a case found."""

    def __init__(self, *, timed: bool) -> None:
        """`timed`: whether what comes too late is a failure."""
        self._timed = timed
        self.failed: list[str] = []
        self.passed: list[str] = []
        self.figures: list[str] = []
        self.requests = self.lost = self.doubled = 0

    def holds(self, promise: str, holds: bool, seen: object = "") -> None:
        """Note whether it was kept, and with what was seen where it was not."""
        if holds:
            self.passed.append(promise)
        else:
            self.failed.append(f"{promise}: {seen}" if seen != "" else promise)

    def within(self, promise: str, seconds: float, most: float) -> None:
        """Note whether it came in time; where nothing is timed, whether it came at all."""
        self.holds(promise, seconds <= most or (not self._timed and seconds < float("inf")), f"{seconds:.1f} s")

    def figure(self, text: str) -> None:
        """Something measured, for whoever reads the table."""
        self.figures.append(text)


class Case(msgspec.Struct, frozen=True):
    """`run` breaks it under load and checks; `short` ones are part of the quick form."""

    name: str
    fault: str
    promise: str
    run: Callable[[Stand, Checks], None]
    short: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """As printed, and as `--json` writes it. `verdict` is `passed`, `failed` or `not tried`."""

    name: str
    fault: str
    promise: str
    verdict: str
    requests: int
    lost: int
    doubled: int
    seconds: float
    checks: int
    failed: list[str]
    figures: list[str]


def tried(case: Case, stand: Stand) -> Outcome:
    """Run it. Where nothing is timed a broken promise has a second chance, and a lost record has none."""
    first = _tried(case, stand)
    if stand.timed or first.verdict != "failed" or first.lost or first.doubled:
        return first
    second = _tried(case, stand)
    return msgspec.structs.replace(second, figures=[*second.figures, f"the first try: {'; '.join(first.failed)}"])


def _tried(case: Case, stand: Stand) -> Outcome:
    """Whatever it raises is a failure of the case."""
    checks, began, verdict = Checks(timed=stand.timed), time.monotonic(), ""
    try:
        case.run(stand, checks)
    except NotHere as reason:
        verdict = "not tried"
        checks.figure(str(reason))
    except Exception as error:  # noqa: BLE001 - one case that breaks must not hide the others
        last = traceback.extract_tb(error.__traceback__)[-1]
        checks.failed.append(f"{type(error).__name__}: {str(error)[-1500:]} ({last.filename}:{last.lineno})")
    finally:
        stand.clear()
    if checks.lost or checks.doubled:
        checks.failed.append(f"{checks.lost} records lost, {checks.doubled} doubled")
    return Outcome(
        case.name,
        case.fault,
        case.promise,
        verdict or ("failed" if checks.failed else "passed"),
        checks.requests,
        checks.lost,
        checks.doubled,
        round(time.monotonic() - began, 1),
        len(checks.passed) + len(checks.failed),
        checks.failed,
        checks.figures,
    )
