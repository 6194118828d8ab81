"""Costs taken apart, a file for those who read bills, and lists that are searched."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest

from domain.attribution import Attribution
from domain.prices import PriceRow, Prices, booked
from domain.records import AttemptRecord
from domain.usage import BillingFacts, TokenUsage
from tests.builders import NOW, a_request_record, an_attempt_record
from tests.integration.admin_app import AdminApp
from tests.integration.people_to_sign_in import BEN, furnished, sign_in

PRICE = PriceRow("price_1", "alpha", "m", Prices(333_333_333, 750_000_001, cache_read=7), "admin", NOW)
TIERED = PriceRow(
    "price_2", "beta", "n", Prices(1_000_000_000, 2_000_000_000, fees={"web_search": 10**16}), "list", NOW
)


def a_call(price: PriceRow | None, usage: TokenUsage, number: int = 1) -> AttemptRecord:
    found = booked(usage, price)
    provider, model = (price.provider_id, price.model) if price else ("gamma", "x")
    return an_attempt_record(
        number,
        provider_id=provider,
        model=model,
        usage=usage,
        price_id=found.price_id,
        cost_nano_usd=found.cost_nano_usd,
        computed_nano_usd=found.computed_nano_usd,
        cost_missing=found.missing,
    )


@pytest.fixture
async def app() -> AdminApp:
    app = await furnished(await AdminApp.make())
    async with app.fakes.store.write() as unit:
        await unit.prices.supersede(PRICE)
        await unit.prices.supersede(TIERED)
    searched = TokenUsage(1000, 10, billing=BillingFacts(counts={"web_search": 2}))
    calls = [
        *(a_call(PRICE, TokenUsage(101 + n, 17, 50)) for n in range(5)),
        a_call(TIERED, searched),
        a_call(None, TokenUsage(10, 1, billing=BillingFacts(cost_nano_usd=4711))),
        a_call(None, TokenUsage(10, 1)),
    ]
    app.fakes.usage.records += [
        a_request_record(
            f"req_{n}",
            attempts=(call,),
            provider_id=call.provider_id,
            model=call.model,
            attribution=Attribution(BEN.id if n % 2 else None),
        )
        for n, call in enumerate(calls)
    ]
    return app


@pytest.fixture
async def admin(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client() as client:
        yield client


@pytest.mark.parametrize("narrowed", ["", "provider=alpha", "model=n", "provider=gamma", "tenant_id=ten_none"])
async def test_the_lines_of_a_cost_add_up_to_it_to_the_last_digit(admin: httpx.AsyncClient, narrowed: str) -> None:
    found = (await admin.get(f"/admin/usage/explain?{narrowed}")).json()
    total = (await admin.get(f"/admin/usage?{narrowed}")).json()["total"]

    assert sum(Decimal(row["cost_usd"]) for row in found["rows"]) == Decimal(found["total_usd"])
    assert found["total_usd"] == total["cost_usd"]
    assert found["unpriced_requests"] == total["unpriced_requests"]


async def test_a_line_says_meter_quantity_and_price(admin: httpx.AsyncClient) -> None:
    rows = (await admin.get("/admin/usage/explain")).json()["rows"]

    by_meter = {(row["provider"], row["meter"]): row for row in rows}
    cached = by_meter["alpha", "cache_read"]
    assert (cached["quantity"], cached["price_usd"], cached["price_source"]) == (250, "0.000000007", "admin")
    assert by_meter["alpha", "input"]["quantity"] == sum(51 + n for n in range(5)), "without what was cached"
    assert Decimal(by_meter["alpha", "output"]["cost_usd"]) == Decimal("0.750000001") * 85 / 1_000_000
    assert by_meter["beta", "other"]["cost_usd"] == "20.00", "two searches"
    assert (by_meter["gamma", "reported"]["cost_usd"], by_meter["gamma", "reported"]["quantity"]) == ("0.000004711", 1)
    assert abs(Decimal(by_meter["alpha", "rounding"]["cost_usd"])) < Decimal("0.000000003")


async def test_focus_has_a_charge_for_each_day_key_and_model(app: AdminApp, admin: httpx.AsyncClient) -> None:
    in_oslo_tomorrow = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    app.fakes.usage.records.append(
        a_request_record("req_late", created_at=in_oslo_tomorrow, model="=m", savings_nano_usd=-2500)
    )

    answer = await admin.get(
        "/admin/usage?format=focus&timezone=Europe/Oslo&from=2026-11-21&to=2026-11-22&group_by=tag"
    )
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    total = (await admin.get("/admin/usage?timezone=Europe/Oslo&from=2026-11-21&to=2026-11-22")).json()["total"]

    assert answer.headers["content-disposition"] == 'attachment; filename="focus.csv"'
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal(total["cost_usd"])
    assert {row["ChargePeriodStart"] for row in rows} == {"2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z"}
    late = next(row for row in rows if row["ChargePeriodStart"] == "2026-11-21T23:00:00Z")
    assert (late["BillingPeriodStart"], late["BillingPeriodEnd"]) == ("2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z")
    assert (late["BillingCurrency"], late["ChargeCategory"], late["ServiceCategory"]) == (
        "USD", "Usage", "AI and Machine Learning",
    )  # fmt: skip
    assert json.loads(late["Tags"])["key_id"] == "key_1"
    assert late["ResourceId"] == "m"
    assert sum(Decimal(row["x_Savings"]) for row in rows) == Decimal(total["savings_usd"]) == Decimal("-0.0000025")


async def test_ones_own_cost_is_taken_apart_for_oneself_alone(app: AdminApp) -> None:
    """S-06."""
    async with app.client(None) as ben:
        await sign_in(ben, "ben@example.com")
        own = (await ben.get("/me/usage/explain")).json()
        sums = (await ben.get("/me/usage")).json()["total"]

    assert own["total_usd"] == sums["cost_usd"]
    assert sum(row["quantity"] for row in own["rows"] if row["meter"] == "output") == 17 * 2 + 10


async def test_lists_are_searched(admin: httpx.AsyncClient) -> None:
    for name in ("Research", "Sales"):
        await admin.post("/admin/tenants", json={"name": name})
        await admin.post("/admin/keys", json={"name": f"{name} notebook"})
    await admin.post("/admin/providers", json={"id": "openrouter"})

    async def names(path: str, query: str) -> list[str]:
        return [row["name"] for row in (await admin.get(path, params={"query": query})).json()["data"]]

    assert await names("/admin/tenants", "RESEA") == ["Research"]
    assert await names("/admin/keys", "sales") == ["Sales notebook"]
    assert await names("/admin/users", "ben@") == [BEN.name]
    assert await names("/admin/providers", "ROUTER") == ["OpenRouter"]
    assert await names("/admin/providers", "none") == []
