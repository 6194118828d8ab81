"""A ledger and the bill of a provider, made to part where a test says so."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from application.reconciliation.reconciliation import Reconciled, Reconciliation
from domain.ports.bills import BillReader
from domain.prices import ADMIN, PriceRow, Prices, booked
from domain.records import RequestRecord
from domain.usage import BillingFacts, TokenUsage
from tests.builders import NOW, a_request_record, an_attempt_record
from tests.fakes.store import MemoryStore
from tests.fakes.usage_reader import MemoryUsage

USD_PER_MILLION = 10**9
PRICE = PriceRow(
    "price_gpt",
    "openai",
    "gpt-5",
    Prices(input=2 * USD_PER_MILLION, output=8 * USD_PER_MILLION, cache_read=USD_PER_MILLION // 2),
    ADMIN,
    NOW,
)


def call(
    day: int,
    input_tokens: int,
    output_tokens: int,
    *,
    model: str = "gpt-5",
    hour: int = 12,
    price: PriceRow | None = PRICE,
    reported_nano_usd: int | None = None,
    **changes: Any,
) -> RequestRecord:
    """One request of a day of November, with its one call; `cache_read` are of its input tokens."""
    cached = changes.pop("cache_read", 0)
    billing = BillingFacts(cost_nano_usd=reported_nano_usd) if reported_nano_usd is not None else None
    usage = TokenUsage(input_tokens, output_tokens, cached, billing=billing)
    as_ = booked(usage, price)
    attempt = an_attempt_record(
        provider_id="openai",
        model=model,
        usage=usage,
        price_id=as_.price_id,
        cost_nano_usd=as_.cost_nano_usd,
        cost_missing=as_.missing,
        computed_nano_usd=as_.computed_nano_usd,
        **changes,
    )
    moment = datetime(2026, 11, day, hour, tzinfo=UTC)
    return a_request_record(
        f"req_{model}_{day}_{hour}_{input_tokens}_{output_tokens}",
        created_at=moment,
        provider_id="openai",
        model=model,
        attempts=(attempt,),
        usage=usage,
    )


async def reconciled(
    records: list[RequestRecord],
    bills: BillReader,
    files: Mapping[str, bytes] | None = None,
    *,
    timezone: str = "UTC",
    names: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
) -> Reconciled:
    """The ledger of these records beside a bill."""
    store = MemoryStore()
    async with store.write() as unit:
        await unit.prices.keep([PRICE, msgspec.structs.replace(PRICE, id="price_mini", model="gpt-5-mini")])
    reconciliation = Reconciliation(bills, MemoryUsage(records), store)
    return await reconciliation.compare("openai", files or {}, columns or {}, timezone, names)


def page(*buckets: Mapping[str, Any], more: bool = False) -> bytes:
    """A page as OpenAI's organization endpoints answer it."""
    document = {"object": "page", "data": list(buckets), "has_more": more, "next_page": "page_2" if more else None}
    return json.dumps(document).encode()


def bucket(day: int, *results: Mapping[str, Any]) -> Mapping[str, Any]:
    """A day of November."""
    start = int(datetime(2026, 11, day, tzinfo=UTC).timestamp())
    return {"object": "bucket", "start_time": start, "end_time": start + 86_400, "results": list(results)}


def cost(item: str | None, value: str | float, quantity: float | None = None) -> Mapping[str, Any]:
    """A result of `organization/costs`, by line item."""
    return {
        "object": "organization.costs.result",
        "amount": {"value": value, "currency": "usd"},
        "quantity": quantity,
        "line_item": item,
        "project_id": "proj_x",
    }


def usage(model: str | None, entering: int, cached: int, leaving: int, requests: int) -> Mapping[str, Any]:
    """A result of `organization/usage/completions`, by model."""
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": entering,
        "output_tokens": leaving,
        "input_cached_tokens": cached,
        "num_model_requests": requests,
        "model": model,
        "batch": None,
        "service_tier": None,
    }
