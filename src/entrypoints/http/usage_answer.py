"""How usage is answered, to clients and to admins alike: decimal strings for money, null for what there is not."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict, cast

import msgspec
from litestar import Response
from msgspec import UNSET, UnsetType

from application.usage.asking import DEFAULT_DAYS, MAX_DAYS_BY_DAY
from application.usage.explanation import CostPart, Explanation
from application.usage.naming import NAMED
from application.usage.report import MAX_ROWS, Usage
from domain.money import NANO_PER_USD, usd
from domain.usage_queries import GROUPINGS, CostDrift, Percentiles, UsageRow, UsageSums
from entrypoints.http.csv_answer import MEDIA_TYPE, csv_lines


class UsageTotal(msgspec.Struct, frozen=True):
    """Input includes cached tokens and output reasoning, as OpenAI counts; `cache_write_1h_tokens`, kept for an hour,
    are some of `cache_write_tokens`. `cost_usd` is of what has a price: `unpriced_requests` had a call without one,
    `estimated_requests` one whose tokens the gateway counted itself, `inexact_requests` one that used something without
    a price: then `cost_exact` is false, and `cost_missing` names what.

    `savings_usd` are against the baseline of each request that went by a route or `auto`, and may be negative;
    `savings_interval_usd`, of the total alone, is where they lie with 95 %, as far as requests were held out.

    With `stats`: of `requests`, `refused_requests` were stopped by a limit, a budget or a list, and `error_requests`
    are others that failed, unless their client left. Percentiles are milliseconds, of all but the refused; null is
    nothing measured.
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
    inexact_requests: int
    cost_exact: bool
    cost_missing: tuple[str, ...]
    error_requests: int | UnsetType = UNSET
    refused_requests: int | UnsetType = UNSET
    latency_ms: Percentiles | UnsetType | None = UNSET
    ttft_ms: Percentiles | UnsetType | None = UNSET
    savings_interval_usd: tuple[str, str] | UnsetType = UNSET


class UsageGroup(UsageTotal, frozen=True, kw_only=True):
    """The sums of one group. Only what was grouped by is there; null is usage that has none, and the name of what is
    gone. `hour` is the moment at which an hour of the time zone begins.
    """

    day: date | UnsetType = UNSET
    hour: datetime | UnsetType = UNSET
    model: str | UnsetType | None = UNSET
    provider: str | UnsetType | None = UNSET
    provider_name: str | UnsetType | None = UNSET
    key: str | UnsetType | None = UNSET
    key_name: str | UnsetType | None = UNSET
    task: str | UnsetType | None = UNSET
    tenant: str | UnsetType | None = UNSET
    tenant_name: str | UnsetType | None = UNSET
    user: str | UnsetType | None = UNSET
    user_name: str | UnsetType | None = UNSET
    endpoint: str | UnsetType | None = UNSET
    end_user: str | UnsetType | None = UNSET
    session: str | UnsetType | None = UNSET
    device: str | UnsetType | None = UNSET
    route: str | UnsetType | None = UNSET
    tag: str | UnsetType | None = UNSET


class UsageAnswer(msgspec.Struct, frozen=True):
    """With `stats`, `sampled_one_in` says whether percentiles are of all requests (1) or of a sample."""

    data: tuple[UsageGroup, ...]
    total: UsageTotal
    sampled_one_in: int | UnsetType = UNSET


class CostLine(msgspec.Struct, frozen=True):
    """`quantity` tokens of a meter at `price_usd` for a million; of `reported`, `other` and `rounding` it is calls.

    `reported` is what the provider says it charged; `other` what tiers, variants, fees, and prices by the piece make of
    it; `rounding` what whole nano-USD a call do.
    """

    provider: str
    model: str
    meter: str
    quantity: int
    price_id: str | None
    price_usd: str | None
    price_source: str | None
    price_since: datetime | None
    cost_usd: str


class ExplainAnswer(msgspec.Struct, frozen=True):
    """The costs of the rows add up to `total_usd`, to the last digit."""

    rows: tuple[CostLine, ...]
    unpriced_requests: int
    estimated_requests: int
    total_usd: str


class ModelDrift(msgspec.Struct, frozen=True):
    """One model's calls with both costs. `drift_percent` is what ours is above the provider's, or below it."""

    provider: str
    model: str
    calls: int
    calls_apart: int
    reported_cost_usd: str
    computed_cost_usd: str
    drift_percent: str | None


class DriftAnswer(msgspec.Struct, frozen=True):
    data: tuple[ModelDrift, ...]


DRIFT_EXAMPLE = {
    "data": [
        {
            "provider": "openrouter",
            "model": "openai/gpt-5.4",
            "calls": 120,
            "calls_apart": 4,
            "reported_cost_usd": "1.20",
            "computed_cost_usd": "1.14",
            "drift_percent": "-5.00",
        }
    ]
}

DESCRIPTION = (
    "Sums by `group_by`, and their total. A request counts once, where its last attempt went; tokens and cost count "
    "where each attempt went. Days are those of `timezone`, with 23 or 25 hours where clocks change; a day without "
    "usage is not there. Under `tag` a request counts for each of its tags, and in the total once. "
    f"An answer has at most {MAX_ROWS} rows, and one by day covers at most {MAX_DAYS_BY_DAY} days."
)
FROM = f"First moment: a date in `timezone`, or a time such as 2026-11-21T12:00:00Z. Default: {DEFAULT_DAYS} days back"
TO = "End: a date, which is included, or a time, which is not. Default: the end of today"
GROUP_BY = f"Any of {', '.join(GROUPINGS)}; several with commas between, or repeated. Default: day"
STATS = "`true` for `error_requests`, `refused_requests`, and `latency_ms` and `ttft_ms` as percentiles"
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
    "savings_usd": "0.00",
    "estimated_requests": 1,
    "unpriced_requests": 0,
    "inexact_requests": 1,
    "cost_exact": False,
    "cost_missing": ["web_search"],
}
EXAMPLE = {"data": [{"day": "2026-11-21", "model": "gpt-oss-120b", **_SUMS_EXAMPLE}], "total": _SUMS_EXAMPLE}


def usage_answer(usage: Usage) -> UsageAnswer:
    total = UsageTotal(*_sums(usage.total.sums, usage.cost_missing), **_stats(usage.total, usage))
    if (between := usage.savings_interval_usd) is not None:
        low, high = (usd(round(value * NANO_PER_USD)) for value in between)
        total = msgspec.structs.replace(total, savings_interval_usd=(low, high))
    sampled = UNSET if usage.sampled_one_in is None else usage.sampled_one_in
    return UsageAnswer(tuple(_group(row, usage) for row in usage.rows), total, sampled)


def usage_csv(usage: Usage) -> bytes:
    """The rows as a table: the groups, then the sums, under the names that the JSON has."""
    rows: list[dict[str, object]] = [msgspec.to_builtins(group) for group in usage_answer(usage).data]
    named = {grouping for grouping, _ in NAMED}
    groups = [column for name in usage.group_by for column in (name, *([f"{name}_name"] if name in named else []))]
    measured = usage.sampled_one_in is not None
    columns = (*groups, *UsageTotal.__struct_fields__[:14], *(_STATS_COLUMNS if measured else ()))
    return csv_lines(columns, [_line(row) for row in rows])


_STATS_COLUMNS = (
    "error_requests",
    "refused_requests",
    *(f"{measure}_{percentile}" for measure in ("latency_ms", "ttft_ms") for percentile in ("p50", "p95", "p99")),
)


def _line(row: dict[str, object]) -> dict[str, object]:
    """Percentiles as columns of their own: `latency_ms_p50`."""
    flat = row | {"cost_missing": ",".join(cast(list[str], row["cost_missing"]))}
    for measure in ("latency_ms", "ttft_ms"):
        percentiles = row.get(measure)
        if isinstance(percentiles, dict):
            flat |= {f"{measure}_{name}": value for name, value in percentiles.items()}
    return flat


def as_file(content: bytes, name: str) -> Response[bytes]:
    """Something to keep, under a name."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


def _group(row: UsageRow, usage: Usage) -> UsageGroup:
    groups: dict[str, object] = {name: getattr(row, name) or None for name in usage.group_by}
    for grouping, kind in NAMED:
        if grouping in groups:
            groups[f"{grouping}_name"] = usage.names.get(kind, {}).get(str(groups[grouping]))
    groups |= _stats(row, usage)
    return UsageGroup(*_sums(row.sums, row.cost_missing), **groups)  # type: ignore[arg-type]  # a name of the groups is a field


class _Stats(TypedDict, total=False):
    error_requests: int
    refused_requests: int
    latency_ms: Percentiles | None
    ttft_ms: Percentiles | None


def _stats(row: UsageRow, usage: Usage) -> _Stats:
    if usage.sampled_one_in is None:
        return {}
    return {
        "error_requests": row.sums.failed_requests,
        "refused_requests": row.sums.refused_requests,
        "latency_ms": row.latency_ms,
        "ttft_ms": row.ttft_ms,
    }


def _sums(
    sums: UsageSums, missing: tuple[str, ...]
) -> tuple[int, int, int, int, int, int, int, str, str, int, int, int, bool, tuple[str, ...]]:
    return (
        sums.requests,
        sums.input_tokens,
        sums.output_tokens,
        sums.cache_read_tokens,
        sums.cache_write_tokens,
        sums.cache_write_1h_tokens,
        sums.reasoning_tokens,
        usd(sums.cost_nano_usd),
        usd(sums.savings_nano_usd),
        sums.estimated_requests,
        sums.unpriced_requests,
        sums.inexact_requests,
        not (sums.inexact_requests or sums.unpriced_requests),
        missing,
    )


EXPLAIN_EXAMPLE = {
    "rows": [
        {
            "provider": "cerebras",
            "model": "gpt-oss-120b",
            "meter": meter,
            "quantity": quantity,
            "price_id": "price_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
            "price_usd": price,
            "price_source": "admin",
            "price_since": "2026-11-01T00:00:00Z",
            "cost_usd": cost,
        }
        for meter, quantity, price, cost in (("input", 1000, "0.35", "0.00035"), ("output", 100, "0.75", "0.000075"))
    ],
    "unpriced_requests": 0,
    "estimated_requests": 0,
    "total_usd": "0.000425",
}


def explain_answer(found: Explanation) -> ExplainAnswer:
    sums = found.total
    return ExplainAnswer(
        tuple(map(_line_of, found.parts)), sums.unpriced_requests, sums.estimated_requests, usd(sums.cost_nano_usd)
    )


def _line_of(part: CostPart) -> CostLine:
    price, rate = part.price, part.nano_usd_per_million
    return CostLine(
        part.provider,
        part.model,
        part.meter,
        part.quantity,
        price.id if price else None,
        None if rate is None else usd(rate),
        price.source if price else None,
        price.effective_from if price else None,
        _exactly(part.cost_femto_usd),
    )


def _exactly(femto_usd: int) -> str:
    sign, (whole, rest) = "-" if femto_usd < 0 else "", divmod(abs(femto_usd), 10**15)
    return f"{sign}{whole}.{f'{rest:015d}'.rstrip('0').ljust(2, '0')}"


def drift_answer(found: Sequence[CostDrift]) -> DriftAnswer:
    return DriftAnswer(tuple(_drift(each) for each in found))


def _drift(each: CostDrift) -> ModelDrift:
    reported, computed = each.reported_nano_usd, each.computed_nano_usd
    percent = f"{Decimal(100 * (computed - reported)) / reported:.2f}" if reported else None
    return ModelDrift(each.provider, each.model, each.calls, each.apart, usd(reported), usd(computed), percent)
