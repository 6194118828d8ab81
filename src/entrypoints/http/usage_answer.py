"""How usage is answered, to clients and to admins alike: decimal strings for money, null for what there is not."""

from datetime import date

import msgspec
from msgspec import UNSET, UnsetType

from application.usage.asking import DEFAULT_DAYS, MAX_DAYS_BY_DAY
from application.usage.report import MAX_ROWS, Usage
from domain.money import usd
from domain.usage_queries import UsageRow, UsageSums

NO_SAVINGS = "0.00"
"""Savings are against what a route could have cost; no route chooses by cost yet, so none is ever cheaper."""


class UsageTotal(msgspec.Struct, frozen=True):
    """Input includes cached tokens and output reasoning, as OpenAI counts; `cache_write_1h_tokens`, kept for an hour,
    are some of `cache_write_tokens`. `cost_usd` is of what has a price: `unpriced_requests` had a call without one,
    `estimated_requests` one whose tokens the gateway counted itself.
    """

    requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    reasoning_tokens: int
    cost_usd: str
    savings_usd: str
    estimated_requests: int
    unpriced_requests: int


class UsageGroup(UsageTotal, frozen=True, kw_only=True):
    """The sums of one group. Only what was grouped by is there; null is usage that has none."""

    day: date | UnsetType = UNSET
    model: str | UnsetType | None = UNSET
    provider: str | UnsetType | None = UNSET
    key: str | UnsetType | None = UNSET
    task: str | UnsetType | None = UNSET


class UsageAnswer(msgspec.Struct, frozen=True):
    data: tuple[UsageGroup, ...]
    total: UsageTotal


DESCRIPTION = (
    "Sums by `group_by`, and their total. A request counts once, where its last attempt went; tokens and cost count "
    "where each attempt went. Days are those of `timezone`, with 23 or 25 hours where clocks change; a day without "
    f"usage is not there. An answer has at most {MAX_ROWS} rows, and one by day covers at most {MAX_DAYS_BY_DAY} days."
)
FROM = f"First moment: a date in `timezone`, or a time such as 2026-11-21T12:00:00Z. Default: {DEFAULT_DAYS} days back"
TO = "End: a date, which is included, or a time, which is not. Default: the end of today"
GROUP_BY = "Any of day, model, provider, key, task; several with commas between, or repeated. Default: day"
TIMEZONE = "An IANA timezone such as America/New_York. Default: UTC"

_SUMS_EXAMPLE = {
    "requests": 42,
    "input_tokens": 31337,
    "output_tokens": 9001,
    "cache_read_tokens": 1024,
    "cache_write_tokens": 0,
    "cache_write_1h_tokens": 0,
    "reasoning_tokens": 512,
    "cost_usd": "0.017719",
    "savings_usd": NO_SAVINGS,
    "estimated_requests": 1,
    "unpriced_requests": 0,
}
EXAMPLE = {"data": [{"day": "2026-11-21", "model": "gpt-oss-120b", **_SUMS_EXAMPLE}], "total": _SUMS_EXAMPLE}


def usage_answer(usage: Usage) -> UsageAnswer:
    names = usage.group_by
    return UsageAnswer(tuple(_group(row, names) for row in usage.rows), UsageTotal(*_sums(usage.total)))


def _group(row: UsageRow, names: tuple[str, ...]) -> UsageGroup:
    groups = {name: getattr(row, name) or None for name in names}
    return UsageGroup(*_sums(row.sums), **groups)  # type: ignore[arg-type]  # a name of the groups is a field


def _sums(sums: UsageSums) -> tuple[int, int, int, int, int, int, int, str, str, int, int]:
    return (
        sums.requests,
        sums.input_tokens,
        sums.output_tokens,
        sums.cache_read_tokens,
        sums.cache_write_tokens,
        sums.cache_write_1h_tokens,
        sums.reasoning_tokens,
        usd(sums.cost_nano_usd),
        NO_SAVINGS,
        sums.estimated_requests,
        sums.unpriced_requests,
    )
