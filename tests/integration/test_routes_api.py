"""`/admin/routes`: made, changed and deleted by API; those of the settings file are read-only there."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.integration.admin_app import AdminApp


@pytest.fixture
async def admin() -> AsyncIterator[httpx.AsyncClient]:
    async with (await AdminApp.make()).client() as client:
        yield client


ROUTE = {"alias": "fast", "targets": [{"model": "m"}, {"model": "n", "weight": 2, "when": {"tags": ["batch"]}}]}


async def test_a_route_is_made_shown_changed_and_deleted(admin: httpx.AsyncClient) -> None:
    made = await admin.post("/admin/routes", json=ROUTE)
    changed = await admin.patch("/admin/routes/fast", json={"strategy": "weighted", "fallback_on": ["error"]})

    assert made.status_code == 201
    assert made.json()["version"] == 1
    assert made.json()["fallback_on"] is None
    assert (await admin.get("/admin/routes")).json()["data"] == [changed.json()]
    assert (changed.json()["strategy"], changed.json()["version"]) == ("weighted", 2)
    assert changed.json()["targets"] == made.json()["targets"] == ROUTE["targets"]
    assert (await admin.delete("/admin/routes/fast")).status_code == 204
    assert (await admin.get("/admin/routes/fast")).status_code == 404


async def test_what_is_wrong_with_a_route_is_a_400_with_its_place(admin: httpx.AsyncClient) -> None:
    for body, param in (
        (ROUTE | {"strategy": "best"}, "strategy"),
        (ROUTE | {"targets": [{"provider": "nobody", "model": "m"}]}, "targets.0.provider"),
        (ROUTE | {"targets": [{"model": "m", "when": {"hours": "late"}}]}, "targets.0.when.hours"),
        (ROUTE | {"fallback_to": ["m"]}, "fallback_to"),
        (ROUTE | {"targets": [{"model": "m", "provider": "a", "mock": {}}]}, "targets.0.provider"),
        (ROUTE | {"targets": [{"model": "m", "mock": {"status": 200}}]}, "targets.0.mock.status"),
        (ROUTE | {"alias": "auto"}, "alias"),
    ):
        answer = await admin.post("/admin/routes", json=body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


async def test_an_alias_is_taken_once(admin: httpx.AsyncClient) -> None:
    assert (await admin.post("/admin/routes", json=ROUTE)).status_code == 201
    again = await admin.post("/admin/routes", json=ROUTE)

    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_exists")
