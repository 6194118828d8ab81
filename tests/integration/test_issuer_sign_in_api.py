"""Contract 3 and 9, S-30: signing in at an issuer over HTTP: there and back, attacks on the way back, groups."""

from collections.abc import AsyncIterator, Mapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from application.admin.members import NewMember
from application.admin.tenants import NewTenant
from application.sign_in.issuer_sign_in import WAY_SECONDS
from domain.audit import AuditFilter
from domain.authority import EVERYWHERE
from domain.issuers import GroupRule
from domain.ports.issuers import SignedInThere
from domain.secrets import Secret
from domain.tenants import Role
from tests.fakes.administration import ACTOR
from tests.fakes.issuers import CORP, FakeProvider
from tests.integration.admin_app import AdminApp
from tests.integration.people_to_sign_in import ADA, PASSWORD, furnished, refused

CALLBACK = "/auth/oidc/corp/callback"


@pytest.fixture
async def app() -> AdminApp:
    return await furnished(await AdminApp.make())


@pytest.fixture
async def http(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client(None) as client:
        yield client


def configured(app: AdminApp, **changes: Any) -> FakeProvider:
    """The issuer with other settings."""
    app.fakes.corp._issuer = msgspec.structs.replace(CORP, **changes)
    return app.fakes.corp


async def started(http: httpx.AsyncClient, page: str = "") -> dict[str, str]:
    """What the issuer is told; the browser has its cookie."""
    answer = await http.get("/auth/oidc/corp/start" + (f"?next={page}" if page else ""))
    assert answer.status_code == 303
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def signs_in(
    app: AdminApp, http: httpx.AsyncClient, groups: list[str] | None = None, subject: str = "sub-1", **claims: Any
) -> httpx.Response:
    """From the button to where the issuer sends the browser back."""
    state = (await started(http))["state"]
    said = {"sub": subject, "groups": groups, **claims}
    there = {name: value for name, value in said.items() if value is not None}
    app.fakes.corp.codes["code"] = SignedInThere(subject, there, Secret("refresh-1"))
    return await http.get(CALLBACK, params={"state": state, "code": "code"})


async def roles_of(app: AdminApp, user_id: str) -> Mapping[str, tuple[Role, str]]:
    """In shared tenants."""
    async with app.fakes.store.read() as unit:
        found = {}
        for one in await unit.memberships.list_of_user(user_id):
            tenant = await unit.tenants.get(one.tenant_id, EVERYWHERE)
            if tenant is not None and tenant.kind == "shared":
                found[one.tenant_id] = (one.role, one.managed_by)
        return found


async def who(http: httpx.AsyncClient) -> dict[str, Any]:
    answer = await http.get("/auth/session")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_issuers_are_listed_with_where_to_go(http: httpx.AsyncClient) -> None:
    answer = await http.get("/auth/providers")

    assert answer.json() == [{"name": "corp", "title": "Corp", "start_url": "http://localhost/auth/oidc/corp/start"}]


async def test_a_browser_goes_there_and_comes_back_signed_in(app: AdminApp, http: httpx.AsyncClient) -> None:
    asked = await started(http, "/app/me")
    assert asked["redirect_uri"] == "http://localhost/auth/oidc/corp/callback"
    app.fakes.corp.codes["code"] = SignedInThere("sub-1", {"sub": "sub-1", "name": "Ann", "groups": ["users"]})

    answer = await http.get(CALLBACK, params={"state": asked["state"], "code": "code", "iss": CORP.issuer})

    assert (answer.status_code, answer.headers["location"]) == (303, "http://localhost/app/me")
    assert answer.headers["cache-control"] == "no-store"
    assert [cookie.name for cookie in http.cookies.jar] == ["omg_session_0123abcd"]
    session = await who(http)
    assert session["user"]["name"] == "Ann"
    assert {"id": "ten_default", "name": "Default", "kind": "shared", "role": "member"} in session["tenants"]
    assert any(tenant["kind"] == "personal" for tenant in session["tenants"])


async def test_a_gateway_below_a_path_is_left_and_come_back_to_below_it(app: AdminApp, http: httpx.AsyncClient) -> None:
    """Contract 3: `OMG_PUBLIC_URL` with a path. `next` is written without it."""
    app.fakes.issuer_sign_in._address = "https://example.com/llm"
    asked = await started(http, "/app/me")
    assert asked["redirect_uri"] == "https://example.com/llm/auth/oidc/corp/callback"
    app.fakes.corp.codes["code"] = SignedInThere("sub-1", {"sub": "sub-1"})

    answer = await http.get(CALLBACK, params={"state": asked["state"], "code": "code"})

    assert (answer.status_code, answer.headers["location"]) == (303, "https://example.com/llm/app/me")


async def test_the_cookie_on_the_way_is_for_no_script_and_says_nothing(http: httpx.AsyncClient) -> None:
    answer = await http.get("/auth/oidc/corp/start")

    ((name, cookie),) = SimpleCookie(answer.headers["set-cookie"]).items()
    assert name == "omg_sign_in_0123abcd"
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert int(cookie["max-age"]) == WAY_SECONDS


async def test_nobody_is_sent_on_to_what_is_no_page_of_ours(app: AdminApp, http: httpx.AsyncClient) -> None:
    asked = await started(http, "https://evil.example/")
    app.fakes.corp.codes["code"] = SignedInThere("sub-1", {"sub": "sub-1"})

    answer = await http.get(CALLBACK, params={"state": asked["state"], "code": "code"})

    assert answer.headers["location"] == "http://localhost/app"


async def attack(app: AdminApp, http: httpx.AsyncClient, name: str) -> httpx.Response:
    """A way back that is not right, by its name."""
    state = (await started(http))["state"]
    app.fakes.corp.codes["code"] = SignedInThere("sub-1", {"sub": "sub-1"})
    right = {"state": state, "code": "code"}
    match name:
        case "in another browser":
            http.cookies.clear()
        case "with another's state":
            async with app.client(None) as other:
                right["state"] = (await started(other))["state"]
        case "without a state":
            del right["state"]
        case "with two states":
            return await http.get(f"{CALLBACK}?state={state}&state={state}&code=code")
        case "with a made-up cookie":
            http.cookies.clear()
            http.cookies.set("omg_sign_in_0123abcd", "v1.k1.e30", domain="localhost.local")
            return await http.get(CALLBACK, params=right, headers={"cookie": "omg_sign_in_0123abcd=v1.k1.e30"})
        case "once more":
            kept = dict(http.cookies)
            assert (await http.get(CALLBACK, params=right)).status_code == 303
            app.fakes.corp.codes["code"] = SignedInThere("sub-1", {"sub": "sub-1"})
            cookie = "; ".join(f"{each}={value}" for each, value in kept.items())
            http.cookies.clear()
            return await http.get(CALLBACK, params=right, headers={"cookie": cookie})
        case "too late":
            app.fakes.clock.advance(WAY_SECONDS)
        case "of another issuer":
            right["iss"] = "https://evil.example"
        case "with a code that the issuer does not know":
            right["code"] = "stolen"
        case "with an error":
            right = {"state": state, "error": "access_denied", "error_description": "<script>alert(1)</script>"}
        case _:
            raise AssertionError(name)
    return await http.get(CALLBACK, params=right)


ATTACKS = (
    "in another browser", "with another's state", "without a state", "with two states", "with a made-up cookie",
    "once more", "too late", "of another issuer", "with a code that the issuer does not know", "with an error",
)  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
async def test_a_way_back_that_is_not_right_signs_nobody_in(app: AdminApp, http: httpx.AsyncClient, name: str) -> None:
    """T-S8: callback attacks. Each is refused alike, and is in the audit trail."""
    answer = await attack(app, http, name)

    refused(answer, 401, "invalid_credentials")
    assert "session" not in answer.headers.get("set-cookie", "")
    assert "script" not in answer.text
    await app.fakes.refusals.write_down(everything=True)
    async with app.fakes.store.read() as unit:
        entries = await unit.audit.page(AuditFilter(action="refuse"), 10, None)
    assert [entry.record.object_id for entry in entries] == ["GET /auth/oidc/{name}/callback"]


async def test_a_person_is_told_on_a_page_that_runs_nothing(http: httpx.AsyncClient) -> None:
    answer = await http.get(CALLBACK, params={"error": "<b>"}, headers={"accept": "text/html,*/*"})

    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<b>" not in answer.text


async def test_what_is_not_configured_is_not_there(http: httpx.AsyncClient) -> None:
    """S-12."""
    for path in ("/auth/oidc/other/start", "/auth/oidc/other/callback?state=x&code=y"):
        refused(await http.get(path), 404, "not_found")


async def test_an_issuer_that_is_away_is_told_as_that(app: AdminApp, http: httpx.AsyncClient) -> None:
    app.fakes.corp.away = True

    refused(await http.get("/auth/oidc/corp/start"), 503, "store_unavailable")


async def test_groups_are_given_moved_and_removed_and_what_was_made_by_hand_stays(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    research = (await app.fakes.tenants.create(ACTOR, NewTenant(name="Research", external_id="R&D"))).id
    by_hand = (await app.fakes.tenants.create(ACTOR, NewTenant(name="By hand"))).id
    rules = (*CORP.groups, GroupRule("science", "R&D", "viewer"), GroupRule("hands", "By hand", "owner"))
    configured(app, groups=rules)

    await signs_in(app, http, ["users", "science"])
    user_id = (await who(http))["user"]["id"]
    await app.fakes.members.add(ACTOR, by_hand, NewMember(user_id=user_id, role="viewer"))
    given = await roles_of(app, user_id)
    await signs_in(app, http, ["users", "leads", "hands"])
    moved = await roles_of(app, user_id)
    await signs_in(app, http, [])
    removed = await roles_of(app, user_id)

    assert given == {"ten_default": ("member", "idp"), research: ("viewer", "idp"), by_hand: ("viewer", "hand")}
    assert moved == {"ten_default": ("admin", "idp"), by_hand: ("viewer", "hand")}
    assert removed == {by_hand: ("viewer", "hand")}
    async with app.fakes.store.read() as unit:
        entries = await unit.audit.page(AuditFilter(actor="issuer/corp", object_kind="member"), 20, None)
    assert sorted(entry.record.action for entry in entries) == ["create", "create", "delete", "delete", "update"]


async def test_a_refresh_asks_the_issuer_again_and_takes_what_it_no_longer_gives(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    await signs_in(app, http, ["users"])
    session = await who(http)
    app.fakes.corp.renewals["refresh-1"] = SignedInThere("sub-1", {"sub": "sub-1", "groups": []}, Secret("refresh-2"))

    answer = await http.post("/auth/refresh", headers={"x-omg-csrf": session["csrf_token"]})

    assert answer.status_code == 200
    assert await roles_of(app, session["user"]["id"]) == {}
    app.fakes.corp.renewals = {"refresh-2": SignedInThere("sub-1", {"sub": "sub-1", "groups": ["leads"]})}
    await http.post("/auth/refresh", headers={"x-omg-csrf": answer.json()["csrf_token"]})
    assert await roles_of(app, session["user"]["id"]) == {"ten_default": ("admin", "idp")}


async def test_a_refresh_of_whom_the_issuer_knows_no_more_signs_them_out(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    await signs_in(app, http, ["users"])
    session = await who(http)

    answer = await http.post("/auth/refresh", headers={"x-omg-csrf": session["csrf_token"]})

    assert answer.status_code == 401
    assert (await http.get("/auth/session")).status_code == 401


async def test_a_refresh_while_the_issuer_is_away_takes_nothing(app: AdminApp, http: httpx.AsyncClient) -> None:
    await signs_in(app, http, ["users"])
    session = await who(http)
    app.fakes.corp.away = True

    answer = await http.post("/auth/refresh", headers={"x-omg-csrf": session["csrf_token"]})

    assert answer.status_code == 200
    assert await roles_of(app, session["user"]["id"]) == {"ten_default": ("member", "idp")}


OVERAGE = {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.example/x"}}}


@pytest.mark.parametrize("claims", [OVERAGE, {"hasgroups": True}, {"hasgroups": "true"}])
async def test_groups_that_the_issuer_left_out_are_said_aloud_and_never_taken_for_none(
    app: AdminApp, http: httpx.AsyncClient, claims: dict[str, Any]
) -> None:
    """Entra's overage: somebody in too many groups."""
    await signs_in(app, http, ["users"])
    user_id = (await who(http))["user"]["id"]

    answer = await signs_in(app, http, None, **claims)

    refused(answer, 403, "groups_left_out")
    assert "too many groups" in answer.json()["error"]["message"]
    assert await roles_of(app, user_id) == {"ten_default": ("member", "idp")}


async def test_a_verified_address_links_only_where_that_is_allowed(app: AdminApp, http: httpx.AsyncClient) -> None:
    """ASVS 10.5.4: the account is issuer and subject; an address is a hint that an admin may trust."""
    told = {"email": "ADA@example.com", "email_verified": True, "name": "Ada of Corp"}

    await signs_in(app, http, [], "sub-1", **told)
    stranger = (await who(http))["user"]
    configured(app, link_verified_email=True)
    await signs_in(app, http, [], "sub-2", **(told | {"email_verified": False}))
    unverified = (await who(http))["user"]
    await signs_in(app, http, [], "sub-3", **told)
    linked = (await who(http))["user"]
    await signs_in(app, http, [], "sub-4", **told)
    reused = (await who(http))["user"]

    assert (stranger["email"], unverified["email"], reused["email"]) == (None, None, None)
    assert linked["id"] == ADA.id
    assert len({stranger["id"], unverified["id"], linked["id"], reused["id"]}) == 4


async def test_who_is_disabled_stays_out_and_whoever_is_in_no_group_where_only_members_come_in(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    await signs_in(app, http, ["users"])
    user_id = (await who(http))["user"]["id"]
    async with app.fakes.store.write() as unit:
        user = await unit.users.get(user_id)
        assert user is not None
        await unit.users.update(msgspec.structs.replace(user, status="disabled"))

    refused(await signs_in(app, http, ["users"]), 401, "invalid_credentials")
    configured(app, only_members=True)
    refused(await signs_in(app, http, ["strangers"], "sub-9"), 403, "permission_denied")


async def test_people_of_an_issuer_have_no_password_here(app: AdminApp, http: httpx.AsyncClient) -> None:
    await signs_in(app, http, ["users"], email="new@example.com", email_verified=True)
    token = (await who(http))["csrf_token"]

    answer = await http.post(
        "/me/password", json={"current_password": None, "new_password": PASSWORD}, headers={"x-omg-csrf": token}
    )

    refused(answer, 409, "read_only")
