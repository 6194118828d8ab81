"""`/admin/models` over HTTP (contract 8, R-17)."""

from collections.abc import AsyncIterator

import httpx
import pytest

from domain.providers import ProviderSettings
from tests.builders import a_provider, a_provider_key
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
        "context_window": None,
        "capabilities": ["chat"],
        "prices": {"input": "0.60", "output": "2.40"},
        "source": "fake-prices 1.2.3",
        "effective_from": None,
        "price_id": f"catalog:1.2.3:openrouter:{LISTED}",
    }
    assert (second["model"], second["prices"], second["source"]) == ("plain", None, None)


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
