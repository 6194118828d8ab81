"""Time that moves only when a test says so."""

from datetime import UTC, datetime, timedelta

from typing_extensions import override

from domain.ports.runtime import Clock


class FakeClock(Clock):
    """Both clocks move together by `advance`, and never by themselves."""

    def __init__(self, now: datetime = datetime(2026, 11, 21, 12, 0, tzinfo=UTC), monotonic: float = 1000.0) -> None:
        self._now = now
        self._monotonic = monotonic

    @override
    def now(self) -> datetime:
        return self._now

    @override
    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let that much time pass on both clocks."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set_wall_clock(self, now: datetime) -> None:
        """Jump the wall clock alone, as NTP or an operator does (R-21)."""
        self._now = now
