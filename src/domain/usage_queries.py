"""Questions about usage and their answers: sums by group, and the log of single requests."""

from datetime import date, datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

from domain.errors import RequestInvalid
from domain.records import Outcome
from domain.usage import TokenUsage
from domain.usage_periods import Cut, Stretch, cut, local_days, local_hours

Grouping = Literal[
    "day",
    "hour",
    "model",
    "provider",
    "key",
    "task",
    "tenant",
    "user",
    "endpoint",
    "end_user",
    "session",
    "device",
    "route",
    "tag",
]

GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)

TIMES: frozenset[Grouping] = frozenset(("day", "hour"))
"""The groupings by time; an hour tells its day as well."""


class UsageFilter(msgspec.Struct, frozen=True):
    """Whose and what usage. None is any; an empty string is what has none (`key_id` under open access)."""

    tenant_id: str | None = None
    key_id: str | None = None
    provider_id: str | None = None
    model: str | None = None
    task: str | None = None
    user_id: str | None = None
    endpoint: str | None = None
    end_user: str | None = None
    session: str | None = None
    device: str | None = None
    route: str | None = None
    tag: str | None = None


class UsageQuery(msgspec.Struct, frozen=True):
    """Usage from `start` up to, and without, `end` (UTC), summed by group. Days and hours are those of `timezone`."""

    start: datetime
    end: datetime
    group_by: tuple[Grouping, ...] = ()
    timezone: str = "UTC"
    filter: UsageFilter = UsageFilter()

    def stretches(self) -> tuple[Stretch, ...]:
        """The range as one piece, or a piece for each day or hour where they are asked for."""
        if "hour" in self.group_by:
            return tuple(local_hours(self.start, self.end, ZoneInfo(self.timezone)))
        if "day" in self.group_by:
            return tuple(local_days(self.start, self.end, ZoneInfo(self.timezone)))
        return (Stretch(self.start, self.end),)

    def cut(self, *, nearest_days: bool = False) -> Cut:
        """The range in roll-up sizes, by day or hour where they are asked for."""
        return cut(self.stretches(), nearest_days=nearest_days)

    @property
    def by_time(self) -> bool:
        """Whether days or hours are told apart."""
        return not TIMES.isdisjoint(self.group_by)

    @property
    def named(self) -> tuple[Grouping, ...]:
        """What is told apart besides the time."""
        return tuple(name for name in self.group_by if name not in TIMES)


def too_many_groups(limit: int) -> RequestInvalid:
    """The refusal of an answer that nobody could read, and that would hold others up."""
    return RequestInvalid(
        f"The answer would have more than {limit} rows: ask for a shorter range, fewer groups, or one key.",
        param="group_by",
    )


class UsageSums(msgspec.Struct, frozen=True):
    """What is added up. A request counts once, where its last attempt went; tokens and cost where each attempt went.

    `cost_nano_usd` is of what has a price; `unpriced_requests` had an attempt without one, `inexact_requests` used
    something without one. `refused_requests` were stopped by a limit, a budget or a list; `failed_requests` are those
    others that did not end well, unless their client left.
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
    inexact_requests: int = 0
    failed_requests: int = 0
    refused_requests: int = 0
    savings_nano_usd: int = 0

    def __add__(self, other: "UsageSums") -> "UsageSums":
        return UsageSums(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


class CostSpread(msgspec.Struct, frozen=True):
    """What requests by one route cost, in USD: of those that were held out for the baseline, or of the others.

    `savings_usd` are what is written on them, added up.
    """

    route: str
    holdout: bool
    requests: int
    cost_usd: float
    cost_squared: float
    savings_usd: float


PERCENTILES = (50, 95, 99)


class Percentiles(msgspec.Struct, frozen=True):
    """The least that so many of a hundred requests do not exceed, in milliseconds."""

    p50: float
    p95: float
    p99: float


class UsageRow(msgspec.Struct, frozen=True):
    """The sums of one group. What is not grouped by is None; what a request does not have is an empty string.

    `cost_missing` are the names of what was used and has no price, sorted. Percentiles are None where nothing was
    measured, or nobody asked.
    """

    sums: UsageSums
    day: date | None = None
    hour: datetime | None = None
    model: str | None = None
    provider: str | None = None
    key: str | None = None
    task: str | None = None
    tenant: str | None = None
    user: str | None = None
    endpoint: str | None = None
    end_user: str | None = None
    session: str | None = None
    device: str | None = None
    route: str | None = None
    tag: str | None = None
    cost_missing: tuple[str, ...] = ()
    latency_ms: Percentiles | None = None
    ttft_ms: Percentiles | None = None

    @property
    def group(self) -> tuple[object, ...]:
        """What tells it from other rows."""
        return tuple(getattr(self, name) for name in GROUPINGS)


class Latencies(msgspec.Struct, frozen=True):
    """Percentiles without sums: of each group that has any, and of all together, where a request counts once."""

    rows: tuple[UsageRow, ...]
    total: UsageRow


class CostDrift(msgspec.Struct, frozen=True):
    """Calls of one model whose provider says what it charged, beside what our prices give; `apart` differ by much."""

    provider: str
    model: str
    calls: int
    apart: int
    reported_nano_usd: int
    computed_nano_usd: int


class PricedCalls(msgspec.Struct, frozen=True):
    """Calls of one model that were booked by one price, or at what the provider says (`reported`), added up.

    `price_id` is empty where there is none.
    """

    provider: str
    model: str
    price_id: str
    reported: bool
    calls: int
    cost_nano_usd: int
    usage: TokenUsage


DRIFT_PERCENT = 1
"""A call whose two costs differ by more than this share of the provider's is told."""


class RequestFilter(msgspec.Struct, frozen=True):
    """Which requests of the log. None is any; `start` is included, `end` is not.

    `provider_id` and `model` are those of the last call. `refused` are those that a limit, a budget or a list stopped;
    `estimated` and `unpriced` have a call whose tokens the gateway counted, or that has no price.
    """

    start: datetime | None = None
    end: datetime | None = None
    tenant_id: str | None = None
    key_id: str | None = None
    provider_id: str | None = None
    model: str | None = None
    outcome: Outcome | None = None
    status: int | None = None
    user_id: str | None = None
    endpoint: str | None = None
    end_user: str | None = None
    session: str | None = None
    device: str | None = None
    task: str | None = None
    tag: str | None = None
    error_code: str | None = None
    requested_model: str | None = None
    route: str | None = None
    stream: bool | None = None
    refused: bool | None = None
    estimated: bool | None = None
    unpriced: bool | None = None


class LogCursor(msgspec.Struct, frozen=True):
    """Where a page of the log continues: right behind this request with older ones, or before it with newer ones."""

    created_at: datetime
    request_id: str
    newer: bool = False
