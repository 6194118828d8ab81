"""Quotas over HTTP: an admin writes them, and reads what is left of each key's and of all together (contract 10)."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.integration.admin_app import AdminApp


@pytest.fixture
async def app() -> AdminApp:
    return await AdminApp.make()


@pytest.fixture
async def http(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client() as client:
        yield client


async def test_what_is_left_of_quotas_is_shown_of_each_key_and_of_all_together(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    await http.post("/admin/providers", json={"id": "openrouter"})
    keys = "/admin/providers/openrouter/keys"
    quota = {"dimension": "requests", "limit": 10, "window": "day"}
    created = [
        (await http.post(keys, json={"secret": f"upstream-{number}", "quota": [quota]})).json() for number in range(2)
    ]
    hold = app.fakes.availability.take_quota(created[0]["id"], "m", lambda: (1, 1))

    one = (await http.get(f"{keys}/{created[0]['id']}")).json()
    whole = (await http.get("/admin/providers/openrouter")).json()
    wrong = await http.post(keys, json={"secret": "upstream-3", "quota": [quota | {"reset": "noon"}]})
    back = (await http.patch(f"{keys}/{created[0]['id']}", json={"quota": None})).json()

    assert hold is not None
    assert one["quota"] == [quota]
    [shown] = one["quotas"]
    assert {name: shown[name] for name in ("limit", "used", "remaining", "source", "enforced")} == {
        "limit": 10,
        "used": 1,
        "remaining": 9,
        "source": "admin",
        "enforced": True,
    }
    assert shown["resets_at"] == "2026-11-22T00:00:00Z"
    assert [(each["used"], each["limit"]) for each in whole["quotas"]] == [(1, 20)]
    assert wrong.status_code == 400
    assert {(each["source"], each["window"]) for each in back["quotas"]} == {
        ("registry", "minute"),
        ("registry", "day"),
    }
