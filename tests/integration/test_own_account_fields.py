"""The fields that contract 9 promises of people, sessions and the own account, route by route, as they are answered."""

import re
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from domain.attribution import Attribution
from domain.ports.issuers import SignedInThere
from entrypoints.http.authorization import MATRIX
from tests.builders import NOW, a_request_record
from tests.integration.admin_app import AdminApp
from tests.integration.people_to_sign_in import BEN, PASSWORD, furnished, sign_in
from tests.integration.test_contract_fields import BUDGETS, LIMITS, READ

USER = ("id", "email", "name", "platform_role", "personal_tenant_id", "timezone", "locale", "theme")
SIGNED_IN = ("user", "csrf_token", "expires_at")
KEY = ("id", "name", "tenant_id", "owner_id", "status", "last4", "allowed_models", "allowed_providers",
       "allowed_endpoints", "scopes", "cidrs", "tags", "metadata", "limits", "budgets", "strict", "expires_at",
       "last_used_at")  # fmt: skip
DECISION = ("id", "request_id", "created_at", "requested_model", "route", "strategy", "policy_version", "task",
            "candidates", "left_out", "attempts", "baseline", "holdout", "affinity", "savings_usd")  # fmt: skip
STANDING = ("subject", "limit", "used", "held", "remaining", "unit", "period_end")


class Promise(NamedTuple):
    """`of` leads from the body to the object, or the list of them, that has the fields."""

    method: str
    path: str
    fields: tuple[str, ...] = ()
    body: Any = None
    status: int = 200
    of: str = ""


PROMISES = {
    "login": Promise("POST", "/auth/login", SIGNED_IN, {"email": "ben@example.com", "password": PASSWORD}),
    "login, who": Promise("POST", "/auth/login", USER, {"email": "ben@example.com", "password": PASSWORD}, of="user"),
    "refresh": Promise("POST", "/auth/refresh", SIGNED_IN),
    "confirmation": Promise("POST", "/auth/confirm", SIGNED_IN, {"password": PASSWORD}),
    "session": Promise("GET", "/auth/session", (*SIGNED_IN, "tenants", "auth")),
    "session, where": Promise("GET", "/auth/session", ("id", "name", "role"), of="tenants"),
    "ways in": Promise("GET", "/auth/providers", ("name", "title", "start_url")),
    "logout": Promise("POST", "/auth/logout", status=204),
    "profile": Promise("GET", "/me", ("email", "name", "platform_role", "timezone", "locale", "theme")),
    "profile, changed": Promise(
        "PATCH",
        "/me",
        ("name", "timezone", "locale", "theme"),
        {"name": "B", "timezone": "Europe/Oslo", "locale": "nb", "theme": "dark"},
    ),
    "password": Promise(
        "POST", "/me/password", (), {"current_password": PASSWORD, "new_password": "another horse battery"}, 204
    ),
    "sessions": Promise(
        "GET", "/me/sessions", ("id", "created_at", "last_seen_at", "address", "user_agent", "current"), of="data"
    ),
    "tenants": Promise(
        "GET", "/me/tenants", ("id", "name", "kind", "role", "budgets", "limits", "contacts"), of="data"
    ),
    "keys": Promise("GET", "/me/keys", KEY, of="data"),
    "a key": Promise("GET", "/me/keys/KEY", KEY),
    "a key, changed": Promise("PATCH", "/me/keys/KEY", KEY, {"name": "other", "tags": ["b"]}),
    "a key, rotated": Promise("POST", "/me/keys/KEY/rotate", (*KEY, "secret"), {"overlap_seconds": 3600}),
    "a key, revoked": Promise("POST", "/me/keys/KEY/revoke", KEY),
    "usage": Promise("GET", "/me/usage?group_by=model&stats=true", READ["usage"][2], of="data"),
    "usage, total": Promise("GET", "/me/usage", ("requests", "cost_usd", "savings_usd"), of="total"),
    "cost explained": Promise("GET", "/me/usage/explain", ("rows", "unpriced_requests", "total_usd")),
    "requests": Promise("GET", "/me/requests", READ["request log"][2], of="data"),
    "a request": Promise("GET", "/me/requests/REQUEST", READ["request log"][2]),
    "a decision": Promise("GET", "/me/decisions/DECISION", DECISION),
    "a key, gone": Promise("DELETE", "/me/keys/KEY", status=204),
    "a session, ended": Promise("DELETE", "/me/sessions/SESSION", status=204),
    "limits": Promise("GET", "/me/limits", STANDING, of="limits"),
    "budgets": Promise("GET", "/me/limits", (*STANDING, "period", "period_start", "timezone"), of="budgets"),
}


@pytest.fixture
async def app() -> AdminApp:
    app = await furnished(await AdminApp.make())
    app.fakes.usage.records.append(a_request_record(created_at=NOW, attribution=Attribution(BEN.id)))
    return app


@pytest.fixture
async def ben(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    """Ben's browser, in a tenant with limits and budgets."""
    async with app.client() as admin:
        await admin.patch("/admin/tenants/ten_default", json={"limits": LIMITS, "budgets": BUDGETS})
    async with app.client(None) as client:
        client.headers["x-omg-csrf"] = (await sign_in(client, "ben@example.com"))["csrf_token"]
        yield client


@pytest.mark.parametrize("name", PROMISES)
async def test_a_route_of_the_own_account_answers_with_its_fields(ben: httpx.AsyncClient, name: str) -> None:
    promise = PROMISES[name]
    key = (await ben.post("/me/keys", json={"name": "first", "tenant_id": "ten_default"})).json()
    request = (await ben.get("/me/requests")).json()["data"][0]
    session = (await ben.get("/me/sessions")).json()["data"][0]["id"]
    path = promise.path.replace("KEY", key["id"]).replace("REQUEST", request["id"])
    path = path.replace("DECISION", request["decision_id"]).replace("SESSION", session)

    answer = await ben.request(promise.method, path, json=promise.body)

    assert answer.status_code == promise.status, answer.text
    if promise.fields:
        found = answer.json()[promise.of] if promise.of else answer.json()
        shown = found if isinstance(found, list) else [found]
        assert shown
        assert [sorted({*promise.fields} - {*one}) for one in shown] == [[]] * len(shown)


def test_every_route_of_sign_in_and_of_the_own_account_is_walked() -> None:
    elsewhere = {
        ("POST", "/me/keys"),
        ("POST", "/auth/link"),
        ("POST", "/auth/invites/{}"),
        ("GET", "/auth/oidc/{}/start"),
        ("GET", "/auth/oidc/{}/callback"),
    }  # in a test of its own below
    walked = {(one.method, re.sub(r"/[A-Z]+\b", "/{}", one.path.partition("?")[0])) for one in PROMISES.values()}
    routes = {(method, re.sub(r"{\w+}", "{}", path)) for method, path in MATRIX if re.match("/(auth|me)(/|$)", path)}

    assert walked | elsewhere == routes


async def test_the_way_to_an_issuer_and_back_leads_on_with_a_cookie_and_is_never_kept(app: AdminApp) -> None:
    async with app.client(None) as browser:
        away = await browser.get("/auth/oidc/corp/start", params={"next": "/app/me"})
        state = parse_qs(urlsplit(away.headers["location"]).query)["state"][0]
        app.fakes.corp.codes["code"] = SignedInThere("sub-1", {"sub": "sub-1"})
        back = await browser.get("/auth/oidc/corp/callback", params={"state": state, "code": "code"})

    for answer in (away, back):
        assert (answer.status_code, answer.content) == (303, b"")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert all(part in answer.headers["set-cookie"] for part in ("HttpOnly", "SameSite=Lax", "Path=/"))
    assert back.headers["location"].endswith("/app/me")


async def test_a_key_of_ones_own_is_made_with_every_field_and_shows_its_secret_once(ben: httpx.AsyncClient) -> None:
    new = {
        "name": "whole", "tenant_id": "ten_default", "allowed_models": ["openai/*"], "allowed_providers": ["openai"],
        "allowed_endpoints": ["chat.completions"], "scopes": ["inference"], "cidrs": ["10.0.0.0/8"], "tags": ["a"],
        "metadata": {"a": "b"}, "limits": LIMITS | {"rpm": 3}, "budgets": [], "strict": True,
        "expires_at": "2027-06-01T00:00:00Z",
    }  # fmt: skip

    made = await ben.post("/me/keys", json=new)

    assert made.status_code == 201, made.text
    assert {name: made.json()[name] for name in new} == new
    assert made.json()["owner_id"] == BEN.id
    assert made.json()["secret"]
    assert "secret" not in (await ben.get(f"/me/keys/{made.json()['id']}")).json()


async def test_an_invite_and_a_link_sign_in_and_answer_as_a_login(app: AdminApp) -> None:
    async with app.client() as admin:
        invited = (await admin.post("/admin/users", json={"email": "new@example.com"})).json()["invite_url"]
        link = (await admin.post("/admin/sign-in-links", json={})).json()["url"]
    for path, body in (
        (f"/auth/invites/{invited.rpartition('/')[2]}", {"name": "New", "password": PASSWORD}),
        ("/auth/link", {"token": link.rpartition("/")[2]}),
    ):
        async with app.client(None) as browser:
            answer = await browser.post(path, json=body)
        assert answer.status_code == 200, answer.text
        assert {*SIGNED_IN} <= {*answer.json()}
        assert {*USER} <= {*answer.json()["user"]}
        assert "HttpOnly" in answer.headers["set-cookie"]
