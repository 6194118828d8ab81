"""From the parameters of a question about usage to the query it means."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast

import msgspec

from application.usage.moments import moment_of, timezone_of
from domain.errors import RequestInvalid
from domain.usage_periods import midnight
from domain.usage_queries import GROUPINGS, Grouping, UsageFilter, UsageQuery

DEFAULT_DAYS = 30
MAX_DAYS_BY_DAY = 400
MAX_DAYS_BY_HOUR = 31
DEFAULT_GROUPING: tuple[Grouping, ...] = ("day",)


class UsageAsked(msgspec.Struct, frozen=True):
    """A question as it was asked. `group_by` holds names, each possibly several with commas between. `stats` asks how
    long requests took and how many failed as well.
    """

    from_: str | None = None
    to: str | None = None
    group_by: tuple[str, ...] = ()
    timezone: str | None = None
    stats: bool = False
    filter: UsageFilter = UsageFilter()


def query_of(asked: UsageAsked, now: datetime) -> UsageQuery:
    """The query: by day where nothing is said, the last 30 days with today, days of UTC.

    Raises `RequestInvalid` with the parameter at fault.
    """
    zone = timezone_of(asked.timezone or "UTC")
    group_by = _groupings(asked.group_by)
    if asked.to:
        end = moment_of(asked.to, zone, "to", end_of_day=True)
    else:
        end = midnight(now.astimezone(zone).date() + timedelta(days=1), zone)
    if asked.from_:
        start = moment_of(asked.from_, zone, "from")
    else:
        start = midnight(end.astimezone(zone).date() - timedelta(days=DEFAULT_DAYS), zone)
    if start > end:
        raise RequestInvalid(f"'from' ({start.isoformat()}) is after 'to' ({end.isoformat()}).", param="from")
    for unit, most in (("hour", MAX_DAYS_BY_HOUR), ("day", MAX_DAYS_BY_DAY)):
        if unit in group_by and end - start > timedelta(days=most, hours=1):  # one day may have 25 hours
            raise RequestInvalid(
                f"By {unit}, a range is at most {most} days: move 'from', or group by something else.", param="from"
            )
    return UsageQuery(start, end, group_by, zone.key, asked.filter)


def _groupings(asked: Iterable[str]) -> tuple[Grouping, ...]:
    names = [name.strip() for text in asked for name in text.split(",") if name.strip()]
    for name in names:
        if name not in GROUPINGS:
            raise RequestInvalid(
                f"Invalid 'group_by': '{name[:64]}' is none of {', '.join(GROUPINGS)}.", param="group_by"
            )
    return tuple(cast(Grouping, name) for name in dict.fromkeys(names)) or DEFAULT_GROUPING
