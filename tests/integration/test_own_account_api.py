"""Contract 9, `/me`: what people see and change of themselves, and nothing of anybody else."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from domain.audit import AuditFilter
from tests.integration.admin_app import AdminApp
from tests.integration.people_to_sign_in import ADA, BEN, PASSWORD, furnished, refused, sign_in


@pytest.fixture
async def app() -> AdminApp:
    return await furnished(await AdminApp.make())


@pytest.fixture
async def ben(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    """Ben's browser, with his token on everything he sends."""
    async with app.client(None) as client:
        client.headers["x-omg-csrf"] = (await sign_in(client, "ben@example.com"))["csrf_token"]
        yield client


async def test_one_sees_and_changes_ones_own_profile(app: AdminApp, ben: httpx.AsyncClient) -> None:
    before = (await ben.get("/me")).json()
    chosen = {"name": "Benjamin", "timezone": "Europe/Oslo", "locale": "nb-NO", "theme": "dark"}
    changed = await ben.patch("/me", json=chosen)
    undone = await ben.patch("/me", json={"theme": None, "timezone": None})

    assert (before["name"], before["email"], before["has_password"]) == ("Ben", "ben@example.com", True)
    assert (before["timezone"], before["theme"]) == ("", "")
    assert changed.json() == before | chosen
    assert undone.json() == before | chosen | {"theme": "", "timezone": ""}
    assert (await ben.get("/auth/session")).json()["user"]["name"] == "Benjamin"
    async with app.fakes.store.read() as unit:
        (entry,) = await unit.audit.page(AuditFilter(object_kind="user"), 10, None)
    assert (entry.record.actor.user_id, [bytes(change.new) for change in entry.record.changes]) == (
        BEN.id,
        [b'"Benjamin"'],
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("platform_role", "admin"),
        ("status", "active"),
        ("limits", {}),
        ("budgets", []),
        ("id", "usr_ada"),
        ("user_id", "usr_ada"),
        ("personal_tenant_id", "ten_default"),
        ("password", "a new horse battery"),
        ("version", 9),
    ],
)
async def test_what_one_may_do_is_not_ones_own_to_change(
    app: AdminApp, ben: httpx.AsyncClient, field: str, value: Any
) -> None:
    """S-02."""
    refused(await ben.patch("/me", json={field: value}), 400, "unknown_parameter")
    async with app.fakes.store.read() as unit:
        assert msgspec.structs.replace(await unit.users.get(BEN.id) or ADA, last_seen_at=None) == BEN


async def test_an_address_is_set_once(app: AdminApp, ben: httpx.AsyncClient) -> None:
    refused(await ben.patch("/me", json={"email": "other@example.com"}), 409, "read_only")
    async with app.fakes.store.write() as unit:
        await unit.users.update(msgspec.structs.replace(BEN, email=None))

    refused(await ben.patch("/me", json={"email": "ADA@example.com"}), 409, "already_exists")
    assert (await ben.patch("/me", json={"email": "Ben.New@example.com"})).json()["email"] == "ben.new@example.com"


@pytest.mark.parametrize(
    "wrong",
    [{"timezone": "Europe/Oslu"}, {"locale": "no_such locale"}, {"theme": "pink"}, {"name": ""}, {"email": "nothing"}],
)
async def test_a_wrong_preference_is_refused(ben: httpx.AsyncClient, wrong: dict[str, str]) -> None:
    refused(await ben.patch("/me", json=wrong), 400, "invalid_value")


async def test_a_new_password_ends_the_other_sessions(app: AdminApp, ben: httpx.AsyncClient) -> None:
    body = {"current_password": PASSWORD, "new_password": "a new horse battery"}
    async with app.client(None) as elsewhere:
        await sign_in(elsewhere, "ben@example.com")
        assert (await ben.post("/me/password", json=body)).status_code == 204
        refused(await elsewhere.get("/me"), 401, "invalid_api_key")
        again = await elsewhere.post("/auth/login", json={"email": "ben@example.com", "password": body["new_password"]})

    assert (await ben.get("/me")).status_code == 200
    assert again.status_code == 200


@pytest.mark.parametrize("current", [None, "", "wrong horse battery"])
async def test_a_password_is_not_changed_without_the_current_one(
    app: AdminApp, ben: httpx.AsyncClient, current: str | None
) -> None:
    body = {"current_password": current, "new_password": "a new horse battery"}

    refused(await ben.post("/me/password", json=body), 401, "invalid_credentials")
    async with app.fakes.store.read() as unit:
        assert await unit.passwords.get(BEN.id) == f"1/{PASSWORD}"


async def test_who_has_none_sets_a_password_once_there_is_an_address(app: AdminApp, ben: httpx.AsyncClient) -> None:
    async with app.fakes.store.write() as unit:
        await unit.passwords.delete(BEN.id)
        await unit.users.update(msgspec.structs.replace(BEN, email=None))
    body = {"current_password": None, "new_password": "a new horse battery"}
    refused(await ben.post("/me/password", json=body), 400, "invalid_value")

    await ben.patch("/me", json={"email": "ben@example.com"})

    assert (await ben.post("/me/password", json=body)).status_code == 204
    assert (await ben.get("/me")).json()["has_password"]


async def test_guessing_the_current_password_is_slowed_down(ben: httpx.AsyncClient) -> None:
    body = {"current_password": "wrong horse battery", "new_password": "a new horse battery"}
    answers = [(await ben.post("/me/password", json=body)).status_code for _ in range(10)]

    assert answers == [401] * 3 + [429] * 7


async def test_one_sees_ones_own_sessions_and_ends_them(app: AdminApp, ben: httpx.AsyncClient) -> None:
    async with app.client(None) as phone:
        phone.headers["user-agent"] = "a phone"
        await sign_in(phone, "ben@example.com")
        listed = (await ben.get("/me/sessions")).json()["data"]
        assert [(one["user_agent"] == "a phone", one["current"]) for one in listed] == [(True, False), (False, True)]
        assert listed[0]["address"] == "127.0.0.1"
        assert not {"digest", "secret"} & set(listed[0])

        assert (await ben.delete(f"/me/sessions/{listed[0]['id']}")).status_code == 204
        refused(await phone.get("/me"), 401, "invalid_api_key")
    own = await ben.delete(f"/me/sessions/{listed[1]['id']}")

    assert "Max-Age=0" in own.headers["set-cookie"]
    refused(await ben.get("/me"), 401, "invalid_api_key")


async def test_a_session_of_somebody_else_is_nothing(app: AdminApp, ben: httpx.AsyncClient) -> None:
    """S-04: a foreign id answers as one that does not exist."""
    async with app.client(None) as http:
        await sign_in(http)
    (adas,) = await app.fakes.sessions.list_of(ADA.id)

    foreign, unknown = await ben.delete(f"/me/sessions/{adas.id}"), await ben.delete("/me/sessions/ses_none")

    refused(foreign, 404, "not_found")
    assert foreign.json()["error"]["message"].replace(adas.id, "ses_none") == unknown.json()["error"]["message"]
    assert len(await app.fakes.sessions.list_of(ADA.id)) == 1


async def test_one_sees_the_tenants_one_belongs_to(ben: httpx.AsyncClient) -> None:
    (tenant,) = (await ben.get("/me/tenants")).json()["data"]

    assert (tenant["id"], tenant["name"], tenant["kind"], tenant["role"]) == (
        "ten_default",
        "Default",
        "shared",
        "member",
    )
    assert tenant["budgets"] == tenant["member_budgets"] == []


async def test_no_token_is_a_person(app: AdminApp) -> None:
    async with app.client() as admin:
        refused(await admin.get("/me"), 401, "invalid_api_key")
