"""S-30, F2: what a hostile person, browser or issuer tries around a sign-in at an issuer, and what is left of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from application.sign_in.issuer_sign_in import IssuerAnswer
from application.sign_in.sessions import Origin
from domain.actors import SYSTEM
from domain.errors import Unauthenticated
from domain.issuers import ClaimNames
from domain.ports.issuers import SignedInThere
from domain.secrets import Secret
from domain.users import User
from tests.builders import NOW
from tests.fakes.issuers import CORP, FakeProvider
from tests.integration.admin_app import AdminApp
from tests.integration.people_to_sign_in import PASSWORD, furnished, refused
from tests.integration.test_issuer_sign_in_api import CALLBACK, OVERAGE, configured, roles_of, signs_in, started, who


@pytest.fixture
async def app() -> AdminApp:
    return await furnished(await AdminApp.make())


@pytest.fixture
async def http(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client(None) as client:
        yield client


async def refreshed(http: httpx.AsyncClient, csrf_token: str) -> httpx.Response:
    return await http.post("/auth/refresh", headers={"x-omg-csrf": csrf_token})


def renewed(app: AdminApp, **claims: Any) -> None:
    """What the issuer says at the next refresh, with a new refresh token."""
    there = SignedInThere("sub-1", {"sub": "sub-1", **claims}, Secret("refresh-2"))
    app.fakes.corp.renewals = {"refresh-1": there}


@pytest.mark.parametrize(
    ("claims", "code", "roles"),
    [({"groups": []}, "permission_denied", 0), (OVERAGE, "groups_left_out", 1)],
    ids=["in no group", "too many groups"],
)
async def test_who_would_not_be_let_in_now_is_signed_out_at_the_refresh(
    app: AdminApp, http: httpx.AsyncClient, claims: dict[str, Any], code: str, roles: int
) -> None:
    """The groups that are gone take their memberships along; of those that are not known nothing is taken."""
    configured(app, only_members=True)
    await signs_in(app, http, ["users"])
    session = await who(http)
    renewed(app, **claims)

    refused(await refreshed(http, session["csrf_token"]), 403, code)

    assert (await http.get("/auth/session")).status_code == 401
    assert len(await roles_of(app, session["user"]["id"])) == roles
    refused(await signs_in(app, http, **({"groups": None} | claims)), 403, code)


async def test_who_was_disabled_is_out_at_the_next_request_and_at_the_refresh(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    await signs_in(app, http, ["users"])
    session = await who(http)
    async with app.fakes.store.write() as unit:
        user = await unit.users.get(session["user"]["id"])
        assert user is not None
        await unit.users.update(msgspec.structs.replace(user, status="disabled"))
    renewed(app, groups=["leads"])

    assert (await refreshed(http, session["csrf_token"])).status_code == 401
    assert (await http.get("/auth/session")).status_code == 401
    assert len(await roles_of(app, session["user"]["id"])) == 1


async def test_two_refreshes_at_once_never_send_one_refresh_token_twice(
    app: AdminApp, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An issuer that rotates them takes the second for a theft, and ends all of the person's sessions there."""
    await signs_in(app, http, ["users"])
    session = await who(http)
    renewed(app, groups=["users"])
    asked, going = app.fakes.corp.renew, asyncio.Event()
    counted: list[str] = []

    async def slow(refresh_token: Secret, subject: str) -> SignedInThere:
        counted.append(subject)
        going.set()
        await asyncio.sleep(0)
        return await asked(refresh_token, subject)

    monkeypatch.setattr(app.fakes.corp, "renew", slow)
    answers = await asyncio.gather(*(refreshed(http, session["csrf_token"]) for _ in range(2)))

    assert counted == ["sub-1"]
    assert sorted(answer.status_code for answer in answers) == [200, 401]


async def test_an_invite_that_is_still_about_opens_nothing_once_the_person_came_in_by_the_issuer(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    async with app.fakes.store.write() as unit:
        await unit.users.add(User("usr_new", "new@example.com", "New", NOW, NOW, status="invited"))
    token, _ = await app.fakes.links.make(SYSTEM, "usr_new", "invite")
    configured(app, link_verified_email=True)

    await signs_in(app, http, ["users"], email="new@example.com", email_verified=True)

    assert (await who(http))["user"]["id"] == "usr_new"
    answer = await http.post(f"/auth/invites/{token.reveal()}", json={"name": "Eve", "password": PASSWORD})
    refused(answer, 404, "not_found")


@pytest.mark.parametrize("verified", [False, None, "yes", 1, "TRUE", [True]])
async def test_an_address_that_nobody_verified_takes_no_account_over(
    app: AdminApp, http: httpx.AsyncClient, verified: object
) -> None:
    configured(app, link_verified_email=True)

    await signs_in(app, http, ["users"], email="ada@example.com", email_verified=verified)

    assert (await who(http))["user"]["email"] is None


async def test_signing_out_ends_the_session_at_the_server_whoever_kept_the_cookie(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    await signs_in(app, http, ["users"])
    session, kept = await who(http), dict(http.cookies)
    assert (await http.post("/auth/logout", headers={"x-omg-csrf": session["csrf_token"]})).status_code == 204

    cookie = "; ".join(f"{name}={value}" for name, value in kept.items())
    async with app.client(None) as thief:
        assert (await thief.get("/auth/session", headers={"cookie": cookie})).status_code == 401
        refused_at = await thief.post("/auth/refresh", headers={"cookie": cookie, "x-omg-csrf": session["csrf_token"]})
        assert refused_at.status_code == 401


async def test_a_claim_of_thousands_of_tenants_is_refused_and_takes_nothing(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    await signs_in(app, http, ["users"])
    user_id = (await who(http))["user"]["id"]
    configured(app, claims=ClaimNames(tenant="tenants"))

    refused(await signs_in(app, http, ["users"], tenants=[f"t{n}" for n in range(3000)]), 403, "groups_left_out")

    assert await roles_of(app, user_id) == {"ten_default": ("member", "idp")}


async def test_an_answer_of_one_issuer_is_none_at_another(app: AdminApp) -> None:
    """Mix-up: the state, the cookie and the code of a sign-in that began elsewhere."""
    evil = FakeProvider(msgspec.structs.replace(CORP, name="evil", issuer="https://evil.example"))
    sign_in = app.fakes.issuer_sign_in
    sign_in._providers = {"corp": app.fakes.corp, "evil": evil}
    away = await sign_in.start("evil", "/app")
    state = evil.requests[0].state
    for provider in (app.fakes.corp, evil):
        provider.codes["code"] = SignedInThere("sub-1", {"sub": "sub-1"})

    with pytest.raises(Unauthenticated):
        await sign_in.finish("corp", away.cookie.reveal(), IssuerAnswer(state, "code"), Origin())
    with pytest.raises(Unauthenticated):  # RFC 9207: the honest issuer names itself
        answer = IssuerAnswer(state, "code", iss=CORP.issuer)
        await sign_in.finish("evil", away.cookie.reveal(), answer, Origin())
    assert set(app.fakes.corp.codes) == {"code"}


async def test_what_a_browser_brings_back_is_never_shown_as_markup_nor_led_to(http: httpx.AsyncClient) -> None:
    state = (await started(http, "/app/%252e%252e//evil.example"))["state"]

    answer = await http.get(
        CALLBACK,
        params={"state": state, "error": "x", "error_uri": "https://evil.example", "error_description": "<img src=x>"},
        headers={"accept": "text/html"},
    )

    assert answer.status_code == 401
    assert "evil" not in answer.text
    assert "<img" not in answer.text


async def test_who_is_in_no_group_any_more_loses_what_the_groups_gave_at_a_sign_in_that_is_refused(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    """Else a key of theirs in the tenant would outlive the group."""
    configured(app, only_members=True)
    await signs_in(app, http, ["users"])
    user_id = (await who(http))["user"]["id"]

    refused(await signs_in(app, http, []), 403, "permission_denied")

    assert await roles_of(app, user_id) == {}
