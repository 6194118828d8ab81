"""Questions about usage and their answers: sums by group, and the log of single requests."""

from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from domain.errors import RequestInvalid
from domain.records import Outcome
from domain.usage_periods import Cut, Stretch, cut, local_days

Grouping = Literal["day", "model", "provider", "key", "task"]

GROUPINGS: tuple[Grouping, ...] = ("day", "model", "provider", "key", "task")


class UsageFilter(msgspec.Struct, frozen=True):
    """Whose and what usage. None is any; an empty string is what has none (`key_id` under open access)."""

    tenant_id: str | None = None
    key_id: str | None = None
    provider_id: str | None = None
    model: str | None = None
    task: str | None = None


class UsageQuery(msgspec.Struct, frozen=True):
    """Usage from `start` up to, and without, `end` (UTC), summed by group. Days are those of `timezone` (IANA)."""

    start: datetime
    end: datetime
    group_by: tuple[Grouping, ...] = ()
    timezone: str = "UTC"
    filter: UsageFilter = UsageFilter()

    def cut(self, *, nearest_days: bool = False) -> Cut:
        """The range in roll-up sizes, by day where days are asked for."""
        if "day" in self.group_by:
            days = local_days(self.start, self.end, ZoneInfo(self.timezone))
            return cut(days, nearest_days=nearest_days)
        return cut((Stretch(self.start, self.end),), nearest_days=nearest_days)


def too_many_groups(limit: int) -> RequestInvalid:
    """The refusal of an answer that nobody could read, and that would hold others up."""
    return RequestInvalid(
        f"The answer would have more than {limit} rows: ask for a shorter range, fewer groups, or one key.",
        param="group_by",
    )


class UsageSums(msgspec.Struct, frozen=True):
    """What is added up. A request counts once, where its last attempt went; tokens and cost where each attempt went.

    `cost_nano_usd` is of what has a price; `unpriced_requests` had an attempt without one.
    """

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nano_usd: int = 0
    estimated_requests: int = 0
    unpriced_requests: int = 0

    def __add__(self, other: "UsageSums") -> "UsageSums":
        return UsageSums(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


class UsageRow(msgspec.Struct, frozen=True):
    """The sums of one group. What is not grouped by is None; what a request does not have is an empty string."""

    sums: UsageSums
    day: date | None = None
    model: str | None = None
    provider: str | None = None
    key: str | None = None
    task: str | None = None


class RequestFilter(msgspec.Struct, frozen=True):
    """Which requests of the log. None is any; `start` is included, `end` is not."""

    start: datetime | None = None
    end: datetime | None = None
    tenant_id: str | None = None
    key_id: str | None = None
    provider_id: str | None = None
    model: str | None = None
    outcome: Outcome | None = None
    status: int | None = None


class LogPlace(msgspec.Struct, frozen=True):
    """A place in the log: right after this request, newest first."""

    created_at: datetime
    request_id: str
