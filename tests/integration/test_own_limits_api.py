"""`GET /me/limits`: what is left for oneself, and for a member of a tenant one sees whole; no one else's."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain.limits import RateLimits
from domain.tenants import Membership, Role
from tests.builders import NOW
from tests.integration.admin_app import AdminApp
from tests.integration.people_to_sign_in import ADA, BEN, furnished, refused, sign_in


@pytest.fixture
async def app() -> AdminApp:
    """Ben in the default tenant, which has a budget; he has a limit there, and Ada another."""
    app = await furnished(await AdminApp.make())
    async with app.fakes.store.write() as unit:
        await unit.memberships.update(Membership("ten_default", ADA.id, "owner", NOW, NOW, RateLimits(rpm=70)))
        await unit.memberships.update(Membership("ten_default", BEN.id, "member", NOW, NOW, RateLimits(rpm=7)))
    async with app.client() as admin:
        await admin.patch("/admin/tenants/ten_default", json={"budgets": [{"limit_usd": "5", "period": "day"}]})
        await admin.post("/admin/limits", json={"subject": {"kind": "user", "id": BEN.id}, "rpd": 900})
    return app


@pytest.fixture
async def ben(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client(None) as client:
        client.headers["x-omg-csrf"] = (await sign_in(client, "ben@example.com"))["csrf_token"]
        yield client


async def becomes(app: AdminApp, role: Role) -> None:
    async with app.fakes.store.write() as unit:
        await unit.memberships.update(Membership("ten_default", BEN.id, role, NOW, NOW, RateLimits(rpm=7)))


async def left(http: httpx.AsyncClient, **asked: str) -> dict[tuple[str, str], Any]:
    """What is the limit, by whose it is and what it counts."""
    answer = await http.get("/me/limits", params=asked)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return {(one["subject"]["kind"], one["unit"]): one["limit"] for one in [*found["limits"], *found["budgets"]]}


OWN = {("member", "rpm"): 7, ("user", "rpd"): 900, ("tenant", "usd"): "5.00"}


@pytest.mark.parametrize("asked", [{}, {"tenant_id": "ten_default"}, {"user_id": BEN.id}])
async def test_all_that_ones_own_requests_meet_is_there(ben: httpx.AsyncClient, asked: dict[str, str]) -> None:
    assert await left(ben, **asked) == OWN


async def test_a_budget_says_what_of_it_is_left_and_when_it_begins_anew(ben: httpx.AsyncClient) -> None:
    (budget,) = (await ben.get("/me/limits")).json()["budgets"]

    assert budget["subject"] == {"kind": "tenant", "id": "ten_default", "name": "Default"}
    assert (budget["used"], budget["held"], budget["remaining"]) == ("0.00", "0.00", "5.00")
    assert (budget["period"], budget["timezone"], budget["on_exceeded"], budget["models"]) == (
        "day", "UTC", "block", None
    )  # fmt: skip
    assert budget["period_start"] < NOW.isoformat().replace("+00:00", "Z") < budget["period_end"]


async def test_a_key_of_ones_own_adds_its_own_and_a_model_what_holds_for_it(
    app: AdminApp, ben: httpx.AsyncClient
) -> None:
    made = await ben.post("/me/keys", json={"name": "mine", "tenant_id": "ten_default", "limits": {"rpm": 3}})
    async with app.client() as admin:
        await admin.post("/admin/limits", json={"subject": {"kind": "model", "id": "alpha/*"}, "tpm": 1000})
    key = made.json()["id"]

    assert await left(ben, key_id=key) == OWN | {("key", "rpm"): 3}
    assert (await left(ben, key_id=key, model="alpha/m"))["model", "tpm"] == 1000
    assert (await left(ben, model="alpha/m"))["model", "tpm"] == 1000


@pytest.mark.parametrize("role", ["viewer", "admin", "owner"])
async def test_who_sees_a_tenant_whole_sees_what_a_member_has_there_and_not_what_is_theirs_everywhere(
    app: AdminApp, ben: httpx.AsyncClient, role: Role
) -> None:
    await becomes(app, role)
    async with app.client() as admin:
        await admin.post("/admin/limits", json={"subject": {"kind": "user", "id": ADA.id}, "rpd": 12})

    found = await left(ben, tenant_id="ten_default", user_id=ADA.id)

    assert found == {("member", "rpm"): 70, ("tenant", "usd"): "5.00"}


async def test_what_is_anothers_answers_as_what_is_not_there(app: AdminApp, ben: httpx.AsyncClient) -> None:
    """S-04."""
    async with app.client() as admin:
        theirs = (await admin.post("/admin/keys", json={"tenant_id": "ten_default"})).json()["id"]
        other = (await admin.post("/admin/tenants", json={"name": "Other"})).json()["id"]
        await admin.post(f"/admin/tenants/{other}/members", json={"user_id": ADA.id, "role": "member"})
    for foreign, none in (
        ({"key_id": theirs}, {"key_id": "key_none"}),
        ({"tenant_id": other}, {"tenant_id": "ten_none"}),
        ({"tenant_id": "ten_default", "user_id": ADA.id}, {"tenant_id": "ten_default", "user_id": "usr_none"}),
        ({"tenant_id": other, "user_id": ADA.id}, {"tenant_id": other, "user_id": "usr_none"}),
        ({"user_id": ADA.id}, {"user_id": "usr_none"}),
    ):
        answers = [await ben.get("/me/limits", params=params) for params in (foreign, none)]
        for answer in answers:
            refused(answer, 404, "not_found")
        texts = [
            answer.json()["error"]["message"].replace(id_, "")
            for answer, params in zip(answers, (foreign, none), strict=True)
            for id_ in [list(params.values())[-1]]
        ]
        assert texts[0] == texts[1]


async def test_in_a_tenant_that_is_suspended_nothing_is_met(app: AdminApp, ben: httpx.AsyncClient) -> None:
    async with app.client() as admin:
        await admin.patch("/admin/tenants/ten_default", json={"status": "suspended"})

    assert await left(ben) == {}


async def test_one_learns_whom_to_ask_in_a_tenant(app: AdminApp, ben: httpx.AsyncClient) -> None:
    (tenant,) = (await ben.get("/me/tenants")).json()["data"]
    assert tenant["contacts"] == ["ada@example.com"]

    async with app.fakes.store.write() as unit:
        await unit.memberships.update(Membership("ten_default", ADA.id, "admin", NOW, NOW))
    (tenant,) = (await ben.get("/me/tenants")).json()["data"]
    assert tenant["contacts"] == ["ada@example.com"]

    async with app.fakes.store.write() as unit:
        await unit.memberships.update(Membership("ten_default", ADA.id, "viewer", NOW, NOW))
    (tenant,) = (await ben.get("/me/tenants")).json()["data"]
    assert tenant["contacts"] == []
