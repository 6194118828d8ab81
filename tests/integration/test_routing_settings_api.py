"""`/admin/settings/routing`: what is absent stays, null goes back, and nothing is taken that could never hold."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.integration.admin_app import AdminApp


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with (await AdminApp.make()).client() as client:
        made = await client.post("/admin/providers", json={"id": "alpha", "kind": "openai_compatible", "base_url": URL})
        assert made.status_code == 201, made.text
        yield client


URL = "http://127.0.0.1:9/v1"
AS_SHIPPED = {
    "baseline": None,
    "classifier_model": None,
    "priority": "balanced",
    "latency": "normal",
    "holdout_share": 0.0,
}


async def test_what_is_absent_stays_and_null_goes_back(http: httpx.AsyncClient) -> None:
    before = (await http.get("/admin/settings/routing")).json()
    await http.patch("/admin/settings/routing", json={"priority": "cost", "baseline": "alpha/m"})
    changed = (await http.patch("/admin/settings/routing", json={"holdout_share": 0.02})).json()
    undone = await http.patch("/admin/settings/routing", json={"priority": None, "baseline": None})

    assert before == AS_SHIPPED
    assert changed == AS_SHIPPED | {"priority": "cost", "baseline": "alpha/m", "holdout_share": 0.02}
    assert undone.json() == AS_SHIPPED | {"holdout_share": 0.02}
    assert (await http.get("/admin/settings/routing")).json() == undone.json()


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"priority": "fast"}, "priority"),
        ({"latency": ""}, "latency"),
        ({"holdout_share": 0.6}, "holdout_share"),
        ({"holdout_share": -0.1}, "holdout_share"),
        ({"baseline": "m"}, "baseline"),
        ({"baseline": "nobody/m"}, "baseline"),
        ({"classifier_model": "nobody/m"}, "classifier_model"),
        ({"weights": {}}, "weights"),
    ],
)
async def test_what_could_never_hold_is_refused_with_its_place(
    http: httpx.AsyncClient, body: dict[str, object], param: str
) -> None:
    answer = await http.patch("/admin/settings/routing", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    assert (await http.get("/admin/settings/routing")).json() == AS_SHIPPED
