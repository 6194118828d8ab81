"""Usage in the columns of FOCUS, the FinOps Open Cost and Usage Specification, for tools that read bills.

Source: FOCUS 1.2, its mandatory columns and the columns for what is consumed, sub-accounts and tags
(https://focus.finops.org/focus-specification/v1-2/, read 2026-11). Columns of our own begin with `x_`, as it asks.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response

from application.usage.asking import UsageAsked
from application.usage.report import Usage
from domain.money import usd
from domain.usage_periods import midnight
from domain.usage_queries import Grouping, UsageRow
from entrypoints.http.csv_answer import csv_lines
from entrypoints.http.usage_answer import as_file, usage_answer, usage_csv

FOCUS_GROUPS: Final[tuple[Grouping, ...]] = ("day", "tenant", "key", "provider", "model")
"""What a row of the file is: a charge of a day, whatever else was to be grouped by."""

COLUMNS: Final = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart",
    "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost",
    "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "ResourceId", "ServiceCategory", "ServiceName",
    "ServiceSubcategory", "SkuId", "SubAccountId", "SubAccountName", "Tags", "x_Requests", "x_InputTokens",
    "x_OutputTokens", "x_CacheReadTokens", "x_CacheWriteTokens", "x_ReasoningTokens", "x_EstimatedRequests",
    "x_UnpricedRequests", "x_Savings",
)  # fmt: skip

_TOKENS = "Tokens"


def usage_focus(usage: Usage, timezone: str) -> bytes:
    """As CSV. `usage` is by `FOCUS_GROUPS`, of days of `timezone`; the times in it are UTC."""
    return csv_lines(COLUMNS, _charges(usage, ZoneInfo(timezone)))


def for_format(asked: UsageAsked, format_: str) -> UsageAsked:
    """The question that a file of this format answers."""
    return msgspec.structs.replace(asked, group_by=FOCUS_GROUPS) if format_ == "focus" else asked


def usage_response(usage: Usage, asked: UsageAsked, format_: str) -> Response[Any]:
    """The answer in the format that was asked for: `json`, `csv` or `focus`."""
    if format_ == "focus":
        return as_file(usage_focus(usage, asked.timezone or "UTC"), "focus.csv")
    return as_file(usage_csv(usage), "usage.csv") if format_ == "csv" else Response(usage_answer(usage))


def _charges(usage: Usage, zone: ZoneInfo) -> Iterator[Mapping[str, object]]:
    for row in usage.rows:
        if row.day is not None:
            yield _charge(row, row.day, usage, zone)


def _charge(row: UsageRow, day: date, usage: Usage, zone: ZoneInfo) -> Mapping[str, object]:
    sums, cost = row.sums, usd(row.sums.cost_nano_usd)
    month = day.replace(day=1)
    tokens = sums.input_tokens + sums.output_tokens
    provider = usage.names.get("provider", {}).get(row.provider or "") or row.provider or "none"
    key_name = usage.names.get("key", {}).get(row.key or "")
    tags = {"key_id": row.key, "key_name": key_name} if row.key else {}
    return {
        "BilledCost": cost,
        "ContractedCost": cost,
        "EffectiveCost": cost,
        "ListCost": cost,
        "BillingAccountId": row.tenant,
        "BillingAccountName": usage.names.get("tenant", {}).get(row.tenant or ""),
        "BillingCurrency": "USD",
        "BillingPeriodStart": _moment(month, zone),
        "BillingPeriodEnd": _moment((month + timedelta(days=32)).replace(day=1), zone),
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargeDescription": f"{row.model or 'no model'} at {provider}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": _moment(day, zone),
        "ChargePeriodEnd": _moment(day + timedelta(days=1), zone),
        "ConsumedQuantity": tokens,
        "ConsumedUnit": _TOKENS,
        "PricingQuantity": tokens,
        "PricingUnit": _TOKENS,
        "InvoiceIssuerName": provider,
        "ProviderName": provider,
        "PublisherName": provider,
        "ResourceId": row.model,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": provider,
        "ServiceSubcategory": "Generative AI",
        "SkuId": f"{row.provider}/{row.model}" if row.provider and row.model else None,
        "SubAccountId": row.key,
        "SubAccountName": key_name,
        "Tags": msgspec.json.encode(tags).decode(),
        "x_Requests": sums.requests,
        "x_InputTokens": sums.input_tokens,
        "x_OutputTokens": sums.output_tokens,
        "x_CacheReadTokens": sums.cache_read_tokens,
        "x_CacheWriteTokens": sums.cache_write_tokens,
        "x_ReasoningTokens": sums.reasoning_tokens,
        "x_EstimatedRequests": sums.estimated_requests,
        "x_UnpricedRequests": sums.unpriced_requests,
        "x_Savings": usd(sums.savings_nano_usd),
    }


def _moment(day: date, zone: ZoneInfo) -> str:
    begin: datetime = midnight(day, zone).astimezone(UTC)
    return begin.isoformat().replace("+00:00", "Z")
