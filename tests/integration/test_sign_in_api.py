"""Contract 9: the ways in over HTTP: passwords, one-time links, invites, and what slows a guesser down."""

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from typing import Any

import httpx
import msgspec
import pytest

from application.sign_in.throttle import OF_ADDRESS
from domain.audit import AuditFilter
from domain.sign_in import INVITE_LIFE, LINK_LIFE
from tests.integration.admin_app import AdminApp
from tests.integration.people_to_sign_in import ADA, BEN, PASSWORD, furnished, refused, sign_in


@pytest.fixture
async def app() -> AdminApp:
    return await furnished(await AdminApp.make())


@pytest.fixture
async def http(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client(None) as client:
        yield client


async def test_a_password_signs_in_and_the_session_says_who(app: AdminApp, http: httpx.AsyncClient) -> None:
    body = await sign_in(http)
    session = (await http.get("/auth/session")).json()

    assert body["user"]["email"] == "ada@example.com"
    assert session["user"] == body["user"]
    assert session["csrf_token"] == body["csrf_token"]
    assert session["tenants"] == [{"id": "ten_default", "name": "Default", "kind": "shared", "role": "owner"}]
    assert session["auth"] == "keys"
    assert "password" not in str(session)


@pytest.mark.parametrize("https", [False, True])
async def test_the_cookie_is_for_this_gateway_and_for_no_script(https: bool) -> None:
    app = await furnished(await AdminApp.make(https=https))
    async with app.client(None) as http:
        answer = await http.post("/auth/login", json={"email": "ada@example.com", "password": PASSWORD})

    ((name, cookie),) = SimpleCookie(answer.headers["set-cookie"]).items()
    assert name == ("__Host-omg_session_0123abcd" if https else "omg_session_0123abcd")
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")
    assert bool(cookie["secure"]) == https
    assert len(cookie.value) == 64


@pytest.mark.parametrize(
    ("email", "password"),
    [("ada@example.com", "wrong horse battery"), ("nobody@example.com", PASSWORD), ("first@x", "x" * 20)],
)
async def test_what_is_wrong_is_told_in_one_wording(
    app: AdminApp, http: httpx.AsyncClient, email: str, password: str
) -> None:
    """S-13: an unknown account is verified too, against nobody's password."""
    answer = await http.post("/auth/login", json={"email": email, "password": password})

    refused(answer, 401, "invalid_credentials")
    assert answer.json()["error"]["message"] == "The e-mail address or the password is wrong."
    assert "set-cookie" not in answer.headers
    assert app.fakes.passwords.verified == 1


@pytest.mark.parametrize("status", ["disabled", "invited"])
async def test_who_may_not_sign_in_is_told_the_same(app: AdminApp, http: httpx.AsyncClient, status: Any) -> None:
    async with app.fakes.store.write() as unit:
        await unit.users.update(msgspec.structs.replace(ADA, status=status))

    refused(
        await http.post("/auth/login", json={"email": "ada@example.com", "password": PASSWORD}),
        401,
        "invalid_credentials",
    )


async def test_every_sign_in_and_every_wrong_one_is_in_the_audit_trail(app: AdminApp, http: httpx.AsyncClient) -> None:
    await sign_in(http)
    await http.post("/auth/login", json={"email": "ada@example.com", "password": "wrong horse battery"})
    await app.fakes.refusals.write_down()

    async with app.fakes.store.read() as unit:
        wrong, right = await unit.audit.page(AuditFilter(), 10, None)
    assert (right.record.action, right.record.actor.user_id, right.record.actor.address) == (
        "sign_in",
        ADA.id,
        "127.0.0.1",
    )
    assert (wrong.record.outcome, wrong.record.object_id) == ("refused", "POST /auth/login")
    assert {change.field for change in wrong.record.changes} == {"code", "user_id"}
    assert PASSWORD not in str(right) + str(wrong)


async def test_a_sign_in_that_cannot_be_audited_signs_nobody_in(app: AdminApp, http: httpx.AsyncClient) -> None:
    app.fakes.store.audit_broken = True
    answer = await http.post("/auth/login", json={"email": "ada@example.com", "password": PASSWORD})
    app.fakes.store.audit_broken = False

    refused(answer, 503, "store_unavailable")
    assert await app.fakes.sessions.list_of(ADA.id) == []


# One-time links and invites.


async def link(app: AdminApp) -> str:
    async with app.client() as admin:
        answer = await admin.post("/admin/sign-in-links")
    assert answer.status_code == 201, answer.text
    url = str(answer.json()["url"])
    assert url.startswith("http://localhost/app/#/link/")
    return url.rpartition("/")[2]


async def test_a_link_signs_the_first_user_in_once(app: AdminApp, http: httpx.AsyncClient) -> None:
    token = await link(app)

    first = await http.post("/auth/link", json={"token": token})
    second = await http.post("/auth/link", json={"token": token})

    assert first.json()["user"]["id"] == ADA.id
    assert (await http.get("/admin/providers")).status_code == 200
    refused(second, 401, "invalid_credentials")


async def test_a_link_ends_with_its_time_and_with_the_next_one(app: AdminApp, http: httpx.AsyncClient) -> None:
    replaced, old = await link(app), await link(app)
    refused(await http.post("/auth/link", json={"token": replaced}), 401, "invalid_credentials")
    app.fakes.clock.advance(LINK_LIFE.total_seconds())

    refused(await http.post("/auth/link", json={"token": old}), 401, "invalid_credentials")


async def test_a_link_is_no_invite_and_an_invite_no_link(app: AdminApp, http: httpx.AsyncClient) -> None:
    token = await link(app)

    refused(await http.post(f"/auth/invites/{token}", json={"password": "another horse"}), 404, "not_found")
    assert (await http.post("/auth/link", json={"token": token})).status_code == 200


async def invite(app: AdminApp, user_id: str = BEN.id) -> str:
    async with app.client() as admin:
        answer = await admin.post(f"/admin/users/{user_id}/invite")
    assert answer.status_code == 201, answer.text
    url = str(answer.json()["invite_url"])
    assert url.startswith("http://localhost/app#/invite/")
    return url.rpartition("/")[2]


async def test_an_invite_sets_name_and_password_once(app: AdminApp, http: httpx.AsyncClient) -> None:
    async with app.fakes.store.write() as unit:
        await unit.users.update(msgspec.structs.replace(BEN, status="invited"))
    token = await invite(app)
    chosen = {"name": "Benjamin", "password": "a new horse battery"}

    taken = await http.post(f"/auth/invites/{token}", json=chosen)
    again = await http.post(f"/auth/invites/{token}", json=chosen)
    signed_in = await http.post("/auth/login", json={"email": "ben@example.com", "password": chosen["password"]})

    assert taken.json()["user"]["name"] == "Benjamin"
    refused(again, 404, "not_found")
    assert signed_in.status_code == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"budgets": [{"limit_usd": "5"}], "name": "Benny"}, 200),
        ({"status": "invited"}, 200),
        ({"platform_role": "auditor"}, 404),
        ({"status": "disabled"}, 404),
    ],
)
async def test_an_invite_outlives_a_change_unless_it_takes_the_way_in_or_gives_another_role(
    app: AdminApp, http: httpx.AsyncClient, change: dict[str, Any], status: int
) -> None:
    async with app.fakes.store.write() as unit:
        await unit.users.update(msgspec.structs.replace(BEN, status="invited"))
    token = await invite(app)
    async with app.client() as admin:
        assert (await admin.patch(f"/admin/users/{BEN.id}", json=change)).status_code == 200

    taken = await http.post(f"/auth/invites/{token}", json={"name": "Ben", "password": "a new horse battery"})

    assert taken.status_code == status


async def test_an_invite_that_resets_a_password_ends_what_was_open(app: AdminApp, http: httpx.AsyncClient) -> None:
    await sign_in(http, "ben@example.com")
    token = await invite(app)
    async with app.client(None) as other:
        assert (await other.post(f"/auth/invites/{token}", json={"password": "a new horse battery"})).status_code == 200

    refused(await http.get("/auth/session"), 401, "invalid_api_key")


async def test_an_old_invite_and_an_unknown_one_are_nothing(app: AdminApp, http: httpx.AsyncClient) -> None:
    token = await invite(app)
    app.fakes.clock.advance(INVITE_LIFE.total_seconds())

    for wrong in (token, "0" * 64, "nonsense", "a" * 200):
        refused(await http.post(f"/auth/invites/{wrong}", json={"password": "a new horse battery"}), 404, "not_found")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "ben@example.com", "x" * 2000])
async def test_a_weak_password_is_refused_and_the_invite_stays(
    app: AdminApp, http: httpx.AsyncClient, password: str
) -> None:
    token = await invite(app)

    refused(await http.post(f"/auth/invites/{token}", json={"password": password}), 400, "invalid_value")
    assert (await http.post(f"/auth/invites/{token}", json={"password": "a new horse battery"})).status_code == 200


async def test_nobody_is_invited_who_is_disabled_or_not_there(app: AdminApp) -> None:
    async with app.fakes.store.write() as unit:
        await unit.users.update(msgspec.structs.replace(BEN, status="disabled"))
    async with app.client() as admin:
        refused(await admin.post(f"/admin/users/{BEN.id}/invite"), 409, "disabled")
        refused(await admin.post("/admin/users/usr_none/invite"), 404, "not_found")


async def test_a_new_user_is_invited_or_gets_a_password(app: AdminApp, http: httpx.AsyncClient) -> None:
    async with app.client() as admin:
        invited = (await admin.post("/admin/users", json={"email": "cyd@example.com"})).json()
        given = await admin.post("/admin/users", json={"email": "dee@example.com", "password": PASSWORD})
        weak = await admin.post("/admin/users", json={"email": "eve@example.com", "password": "eve@example.com"})
        found = await admin.get(f"/admin/users/{invited['id']}")
    token = invited["invite_url"].rpartition("/")[2]

    assert (invited["status"], given.json()["status"], given.json()["invite_url"]) == ("invited", "active", None)
    assert PASSWORD not in given.text
    assert "invite_url" not in found.json()
    refused(weak, 400, "invalid_value")
    await sign_in(http, "dee@example.com")
    taken = await http.post(f"/auth/invites/{token}", json={"password": "a new horse battery", "name": "Cyd"})
    assert taken.json()["user"]["name"] == "Cyd"
    async with app.fakes.store.read() as unit:
        entries = await unit.audit.page(AuditFilter(action="create", object_kind="user"), 10, None)
        assert [entry.record.object_id for entry in entries] == [given.json()["id"], invited["id"]]
        assert PASSWORD not in str(entries)
        assert token not in str(entries)


# Guessing.


async def test_of_a_thousand_wrong_passwords_sixty_reach_the_verifier_in_five_minutes(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    """S-13; the clock stands still, as for an attacker who is quick."""
    answers = [
        await http.post("/auth/login", json={"email": f"user{number}@example.com", "password": "wrong horse battery"})
        for number in range(1000)
    ]

    assert app.fakes.passwords.verified == OF_ADDRESS[0]
    late = [answer for answer in answers if answer.status_code == 429]
    assert len(late) == 1000 - OF_ADDRESS[0]
    assert all(1 <= int(answer.headers["retry-after"]) <= OF_ADDRESS[1] for answer in late)
    refused(late[0], 429, "rate_limit_exceeded")


async def test_too_many_at_once_are_asked_to_come_again(app: AdminApp, http: httpx.AsyncClient) -> None:
    app.fakes.passwords.full = True

    answer = await http.post("/auth/login", json={"email": "ada@example.com", "password": PASSWORD})

    refused(answer, 429, "rate_limit_exceeded")
    assert answer.headers["retry-after"] == "2"


async def test_a_large_body_is_refused_where_anybody_may_send_one(http: httpx.AsyncClient) -> None:
    answer = await http.post("/auth/login", json={"email": "x", "password": "y" * 9000})

    refused(answer, 413, "request_too_large")


# OMG_AUTH=open.


async def test_in_open_mode_the_one_person_of_the_machine_needs_no_sign_in() -> None:
    app = await furnished(await AdminApp.make(open_access=True))
    async with app.client(None) as http:
        session = (await http.get("/auth/session")).json()
        made = await http.post("/admin/keys", json={})

    assert (session["user"]["id"], session["auth"], session["expires_at"]) == (ADA.id, "open", None)
    assert made.status_code == 201


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
async def test_in_open_mode_no_other_site_acts(headers: dict[str, str]) -> None:
    app = await furnished(await AdminApp.make(open_access=True))
    async with app.client(None) as http:
        refused(await http.post("/admin/keys", json={}, headers=headers), 403, "csrf_failed")
