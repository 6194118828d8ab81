"""The default policy: a key comes back by itself when its provider said so, or after a growing pause."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from typing_extensions import override

from adapters.availability.learned import LearnedAvailability
from domain.availability import RateLimitWindow

FIRST_COOLDOWN_SECONDS = 30.0
MAX_COOLDOWN_SECONDS = 3_600.0


class AutomaticAvailability(LearnedAvailability):
    """`OMG_AVAILABILITY=automatic`.

    A rate-limited key waits for `retry-after` or the reset headers, else 30 s × 2^(strikes-1), at most an hour;
    shorter or longer at first where the sort of limit says so. A key without quota waits for the provider's reset, else
    for 00:00 UTC (A6). A key whose provider reports nothing remaining waits for that window's reset, so that the 429 is
    never asked for.
    """

    @override
    def wait_after_rate_limit(
        self, stated_seconds: float | None, strikes: int, first_seconds: float | None = None
    ) -> float | None:
        if stated_seconds is not None:
            return stated_seconds
        doublings = min(strikes - 1, 16)
        first = FIRST_COOLDOWN_SECONDS if first_seconds is None else first_seconds
        return min(first * 2.0**doublings, MAX_COOLDOWN_SECONDS)

    @override
    def wait_after_exhaustion(self, stated_seconds: float | None) -> float | None:
        return stated_seconds if stated_seconds is not None else seconds_to_midnight(self._clock.now())

    @override
    def wait_for_windows(self, limits: Sequence[RateLimitWindow]) -> float | None:
        # Some providers write a limit of 0 for "none": a call that was answered has not run into it.
        spent = [w for w in limits if w.remaining == 0 and w.limit != 0]
        return max(
            (w.reset_seconds for w in spent if w.reset_seconds is not None and w.reset_seconds > 0), default=None
        )


def seconds_to_midnight(now: datetime) -> float:
    """Seconds to the next 00:00 of `now`'s own zone, which is UTC for a `Clock`."""
    midnight = datetime.combine(now.date() + timedelta(days=1), time.min, tzinfo=now.tzinfo)
    return (midnight - now).total_seconds()
