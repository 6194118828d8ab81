"""`/admin/models` over HTTP (contract 8, R-17)."""

from collections.abc import AsyncIterator
from datetime import date

import httpx
import pytest

from domain.lifecycle import Retirement
from domain.providers import ProviderSettings
from domain.usage import TokenUsage
from tests.builders import a_provider, a_provider_key, a_request_record, an_attempt_record
from tests.integration.admin_app import AdminApp

LISTED = "vendor/listed"
PRICES = {"input": "0.65", "output": "2.40", "cache_read": "0.065", "cache_write": "0.81", "cache_write_1h": "1.30"}


@pytest.fixture
async def app() -> AdminApp:
    settings = ProviderSettings(models=(LISTED, "plain"))
    provider = a_provider("openrouter", owner="environment", settings=settings)
    return await AdminApp.make([provider], [a_provider_key("pk_env_openrouter", "openrouter", owner="environment")])


@pytest.fixture
async def http(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client() as client:
        yield client


def body(**changes: object) -> dict[str, object]:
    return {"provider": "openrouter", "model": LISTED, "prices": PRICES} | changes


async def test_models_are_listed_with_prices_as_decimal_strings(http: httpx.AsyncClient) -> None:
    first, second = (await http.get("/admin/models")).json()["data"]
    assert first == {
        "provider": "openrouter",
        "model": LISTED,
        "owned_by": "openrouter",
        "owner": "database",
        "context_window": None,
        "capabilities": ["chat"],
        "prices": {"input": "0.60", "output": "2.40"},
        "source": "fake-prices 1.2.3",
        "effective_from": None,
        "price_id": f"catalog:1.2.3:openrouter:{LISTED}",
        "deprecated_at": None,
        "retired_at": None,
        "successor": None,
        "strengths": {},
        "data_policy": None,
        "latency_ms": None,
        "ttft_ms": None,
        "tokens_per_second": None,
    }
    assert (second["model"], second["prices"], second["source"]) == ("plain", None, None)


async def test_a_model_that_retires_says_when_and_what_to_take_then(app: AdminApp, http: httpx.AsyncClient) -> None:
    app.fakes.ends["openrouter", LISTED] = Retirement(date(2026, 12, 11), "https://a.example", "vendor/next")

    model = (await http.get(f"/admin/models/openrouter/{LISTED}")).json()

    assert (model["retired_at"], model["deprecated_at"], model["successor"]) == ("2026-12-11", None, "vendor/next")


async def test_lists_are_filtered_and_come_in_pages(http: httpx.AsyncClient) -> None:
    page = (await http.get("/admin/models", params={"limit": 1})).json()
    rest = (await http.get("/admin/models", params={"limit": 1, "cursor": page["next_cursor"]})).json()
    only = (await http.get("/admin/models", params={"model": "plain", "provider": "openrouter"})).json()
    none = (await http.get("/admin/models", params={"provider": "groq"})).json()
    assert [found["model"] for found in (*page["data"], *rest["data"])] == [LISTED, "plain"]
    assert (rest["next_cursor"], [found["model"] for found in only["data"]], none["data"]) == (None, ["plain"], [])


async def test_a_price_is_set_looked_up_shown_to_clients_and_ended(app: AdminApp, http: httpx.AsyncClient) -> None:
    made = await http.post("/admin/models", json=body())
    found = await http.get(f"/admin/models/openrouter/{LISTED}")
    encoded = await http.get("/admin/models/openrouter/vendor%2Flisted")
    assert made.status_code == 201
    assert made.json() == found.json() == encoded.json()
    assert (made.json()["prices"], made.json()["source"]) == (PRICES, "admin")
    assert made.json()["effective_from"] is not None
    assert made.json()["price_id"].startswith("price_")
    assert app.fakes.book.find("openrouter", LISTED) is not None

    assert (await http.delete(f"/admin/models/openrouter/{LISTED}")).status_code == 204
    assert (await http.get(f"/admin/models/openrouter/{LISTED}")).json()["source"] == "fake-prices 1.2.3"
    assert (await http.delete(f"/admin/models/openrouter/{LISTED}")).status_code == 404


async def test_a_price_far_off_is_asked_about_and_then_taken(http: httpx.AsyncClient) -> None:
    far = body(prices={"input": "600", "output": "2400"})
    asked = await http.post("/admin/models", json=far)
    assert (asked.status_code, asked.json()["error"]["code"]) == (409, "confirmation_required")
    assert "1,000,000 $600.00 instead of $0.60" in asked.json()["error"]["message"]
    assert (await http.post("/admin/models", json=far | {"confirm": True})).status_code == 201


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"prices": {"input": 0.65, "output": "1"}}, "prices.input"),
        ({"prices": {"input": "0.65"}}, "prices.output"),
        ({"prices": {"input": "a lot", "output": "1"}}, "prices.input"),
        ({"prices": PRICES | {"video": "1"}}, "prices.video"),
        ({"provider": "nobody"}, "provider"),
        ({"model": ""}, "model"),
    ],
)
async def test_a_wrong_body_is_told_with_its_place(
    http: httpx.AsyncClient, wrong: dict[str, object], param: str
) -> None:
    answer = await http.post("/admin/models", json=body(**wrong))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


async def test_a_model_nobody_knows_is_not_found(http: httpx.AsyncClient) -> None:
    answer = await http.get("/admin/models/openrouter/no/such/model")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


FACTS: dict[str, object] = {
    "context_window": 200_000,
    "capabilities": ["chat", "tools"],
    "strengths": {"coding": 0.82},
    "data_policy": {"regions": ["eu"], "retention_days": 0, "trains": False},
    "deprecated_at": "2026-12-01",
    "retired_at": "2027-03-01",
    "successor": "vendor/next",
}


@pytest.mark.parametrize("name", FACTS)
async def test_what_is_set_of_a_model_is_shown_and_null_takes_it_back(http: httpx.AsyncClient, name: str) -> None:
    path = f"/admin/models/openrouter/{LISTED}"
    before = (await http.get(path)).json()

    changed = await http.patch(path, json={name: FACTS[name]})

    assert (changed.status_code, changed.json()[name]) == (200, FACTS[name])
    assert (await http.get(path)).json() == before | {name: FACTS[name]}
    assert (await http.patch(path, json={name: None})).json() == before


async def test_facts_come_with_a_price_or_alone(http: httpx.AsyncClient) -> None:
    priced = await http.post("/admin/models", json=body() | FACTS)
    alone = await http.post("/admin/models", json={"provider": "openrouter", "model": "unlisted"} | FACTS)

    assert (priced.status_code, alone.status_code) == (201, 201)
    assert {name: priced.json()[name] for name in FACTS} == FACTS
    assert {name: alone.json()[name] for name in FACTS} == FACTS
    assert (priced.json()["prices"], alone.json()["prices"]) == (PRICES, None)
    listed = {row["model"]: row for row in (await http.get("/admin/models")).json()["data"]}
    assert listed["unlisted"]["strengths"] == FACTS["strengths"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"strengths": {"coding": 1.2}},
        {"strengths": {"coding": -0.1}},
        {"data_policy": {"retention_days": -1}},
        {"data_policy": {"keeps": True}},
        {"context_window": 0},
        {"retired_at": "soon"},
        {"successor": ""},
    ],
    ids=str,
)
async def test_what_cannot_be_true_of_a_model_is_refused(http: httpx.AsyncClient, wrong: dict[str, object]) -> None:
    answer = await http.patch(f"/admin/models/openrouter/{LISTED}", json=wrong)

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"].startswith(next(iter(wrong)))


async def test_a_models_facts_need_its_provider(http: httpx.AsyncClient) -> None:
    assert (await http.patch("/admin/models/nobody/m", json=FACTS)).status_code == 400


async def test_what_was_measured_of_a_model_is_shown(app: AdminApp, http: httpx.AsyncClient) -> None:
    attempt = an_attempt_record(
        provider_id="openrouter", model="plain", duration_ms=2000.0, usage=TokenUsage(10, 150), outcome="ok"
    )
    record = a_request_record(
        created_at=app.fakes.clock.now(), attempts=(attempt,), latency_ms=2000.0, ttft_ms=500.0, stream=True
    )
    app.fakes.measurements.observe([record])

    model = (await http.get("/admin/models/openrouter/plain")).json()

    assert model["latency_ms"]["p50"] == pytest.approx(2000, rel=0.04)
    assert model["ttft_ms"]["p95"] == pytest.approx(500, rel=0.04)
    assert model["tokens_per_second"] == 100.0
