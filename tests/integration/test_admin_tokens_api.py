"""Contract 8, admin tokens: made with scopes, shown once, looked up at each use; what each may do is in the matrix."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from application.admin.tenants import NewTenant
from domain.keys import ADMIN_TOKEN_PREFIX, well_formed
from tests.fakes.administration import ACTOR
from tests.integration.admin_app import AdminApp
from tests.integration.people_to_sign_in import refused


@pytest.fixture
async def app() -> AdminApp:
    return await AdminApp.make()


@pytest.fixture
async def http(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client() as client:
        yield client


async def created(http: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await http.post("/admin/tokens", json=fields)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_token_is_shown_once_and_ends_when_it_is_deleted(app: AdminApp, http: httpx.AsyncClient) -> None:
    made = await created(http, name="CI", scopes=["all"])
    secret = made.pop("secret")
    path = f"/admin/tokens/{made['id']}"

    assert well_formed(secret, ADMIN_TOKEN_PREFIX)
    assert (await http.get(path)).json() == made
    assert (await http.get("/admin/tokens")).json() == {"data": [made], "next_cursor": None}
    async with app.client(secret) as automation:
        assert (await automation.get("/admin/keys")).status_code == 200
        assert (await http.delete(path)).status_code == 204
        refused(await automation.get("/admin/keys"), 401, "invalid_api_key")
    for late in (await http.get(path), await http.delete(path), await http.patch(path, json={})):
        refused(late, 404, "not_found")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["write"]}, "scopes.0"),
        ({"scopes": ["read", "tenant:"]}, "scopes.1"),
        ({"scopes": ["tenant:ten_none"]}, "scopes"),
        ({"scopes": ["read"], "expires_at": "tomorrow"}, "expires_at"),
        ({"scopes": ["read"], "platform_role": "admin"}, "platform_role"),
    ],
)
async def test_what_could_never_hold_is_refused(http: httpx.AsyncClient, body: dict[str, object], param: str) -> None:
    answer = await http.post("/admin/tokens", json=body)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert (await http.get("/admin/tokens")).json()["data"] == []


async def test_a_change_holds_for_the_next_request(app: AdminApp, http: httpx.AsyncClient) -> None:
    made = await created(http, scopes=["all"])
    path, ends = f"/admin/tokens/{made['id']}", (app.fakes.clock.now() + timedelta(hours=1)).isoformat()
    async with app.client(made["secret"]) as automation:
        assert (await http.patch(path, json={"scopes": ["read"], "expires_at": ends})).status_code == 200
        refused(await automation.post("/admin/keys", json={}), 403, "permission_denied")
        assert (await automation.get("/admin/keys")).status_code == 200
        app.fakes.clock.advance(3600)
        refused(await automation.get("/admin/keys"), 401, "invalid_api_key")
    assert (await http.get(path)).json()["status"] == "expired"
    refused(await http.patch(path, json={"scopes": []}), 400, "invalid_value")


async def test_a_token_of_a_tenant_acts_as_its_admin_under_its_own_name(app: AdminApp, http: httpx.AsyncClient) -> None:
    other = await app.fakes.tenants.create(ACTOR, NewTenant(name="Other"))
    made = await created(http, name="terraform", scopes=["tenant:ten_default"])
    async with app.client(made["secret"]) as automation:
        key = await automation.post("/admin/keys", json={"name": "by code"})
        foreign = await automation.post("/admin/keys", json={"tenant_id": other.id})
        await automation.post("/admin/tokens", json={"scopes": ["all"]})
        member = await automation.post("/admin/tenants/ten_default/members", json={"email": "a@x.org", "role": "owner"})

    assert (key.status_code, key.json()["tenant_id"], key.json()["owner_id"]) == (201, "ten_default", None)
    refused(foreign, 403, "permission_denied")
    refused(member, 403, "permission_denied")
    [entry] = (await http.get("/admin/audit", params={"object_kind": "virtual_key"})).json()["data"]
    assert entry["actor"] == {"kind": "admin_token", "id": made["id"], "name": "terraform"}
    assert len((await http.get("/admin/tokens")).json()["data"]) == 1


async def test_a_token_never_opens_inference_or_an_account(app: AdminApp, http: httpx.AsyncClient) -> None:
    made = await created(http, scopes=["all"])
    async with app.client(made["secret"]) as automation:
        for path in ("/v1/models", "/me", "/api/conversations"):
            refused(await automation.get(path), 401, "invalid_api_key")
