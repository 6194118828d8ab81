"""When what was spent counts against a budget: a period is computed from zone and calendar, never reset (R-20).

Spending is kept by buckets. A calendar period is one bucket. A rolling one is many small ones, and those count
that may still hold something of the last 5 hours, 7 or 30 days: a little more than that, and never less.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from domain.errors import RequestInvalid
from domain.limits import Period
from domain.usage_periods import midnight

_DAY: Final = timedelta(days=1)

ROLLING: Final[dict[str, tuple[int, int]]] = {
    "rolling_5h": (5 * 3600, 300),
    "rolling_7d": (7 * 86_400, 3600),
    "rolling_30d": (30 * 86_400, 6 * 3600),
}
"""How many seconds count, and how many a bucket has."""

NEVER_ENDS: Final = 253_402_300_799
"""The last second of the year 9999."""


class Bucket(msgspec.Struct, frozen=True):
    """Where something spent now goes: from `starts_at` up to, and without, `ends_at`, in seconds since 1970.

    What counts at present are all buckets that start at `counts_from` or later.
    """

    starts_at: int
    ends_at: int
    counts_from: int


def zone_of(name: str) -> tzinfo:
    """Raises `RequestInvalid` for a name that is no time zone."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise RequestInvalid(f"There is no time zone '{name}': write one such as 'Europe/Berlin'.") from error


def bucket_at(period: Period, zone: tzinfo, now: datetime) -> Bucket:
    """The bucket of a moment. Buckets of a period tile time: none overlaps, and none is missing."""
    if period == "never":
        return Bucket(0, NEVER_ENDS, 0)
    if period in ROLLING:
        span, width = ROLLING[period]
        starts_at = int(now.timestamp()) // width * width
        return Bucket(starts_at, starts_at + width, starts_at - span)
    first = _first_day(period, _day_of(zone, now))
    starts_at = _second(first, zone)
    return Bucket(starts_at, _second(_next(period, first), zone), starts_at)


def _day_of(zone: tzinfo, now: datetime) -> date:
    """The day whose midnight was last. Where clocks go back over a midnight, the date alone would go back too."""
    day = now.astimezone(zone).date()
    while now >= midnight(day + _DAY, zone):
        day += _DAY
    while now < midnight(day, zone):
        day -= _DAY
    return day


def _first_day(period: Period, day: date) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


def _next(period: Period, first: date) -> date:
    if period == "week":
        return first + timedelta(days=7)
    if period == "month":
        return (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first + _DAY


def _second(day: date, zone: tzinfo) -> int:
    return int(midnight(day, zone).timestamp())
