"""Contract 9, `/me/keys`: people have keys of their own, never wider than they are, and see no others."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from application.admin.virtual_keys import NewVirtualKey
from domain.audit import AuditFilter
from domain.tenants import Membership
from tests.builders import NOW, a_tenant
from tests.fakes.administration import ACTOR
from tests.integration.admin_app import AdminApp
from tests.integration.people_to_sign_in import ADA, BEN, furnished, refused, sign_in


@pytest.fixture
async def app() -> AdminApp:
    app = await furnished(await AdminApp.make())
    async with app.fakes.store.write() as unit:
        await unit.tenants.add(a_tenant("ten_ben", name="Ben's", kind="personal"))
        await unit.memberships.add(Membership("ten_ben", BEN.id, "owner", NOW, NOW))
        await unit.users.update(msgspec.structs.replace(BEN, personal_tenant_id="ten_ben"))
        await unit.tenants.add(a_tenant("ten_other"))
    return app


@pytest.fixture
async def ben(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async for client in of(app, "ben@example.com"):
        yield client


@pytest.fixture
async def ada(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    """Who is the platform's admin too."""
    async for client in of(app, "ada@example.com"):
        yield client


async def of(app: AdminApp, email: str) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client(None) as client:
        client.headers["x-omg-csrf"] = (await sign_in(client, email))["csrf_token"]
        yield client


async def made(client: httpx.AsyncClient, **fields: object) -> dict[str, Any]:
    answer = await client.post("/me/keys", json=fields)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_key_of_ones_own_is_made_listed_changed_rotated_and_revoked(
    app: AdminApp, ben: httpx.AsyncClient
) -> None:
    key = await made(ben, name="notebook")
    path = f"/me/keys/{key['id']}"
    changed = await ben.patch(path, json={"name": "laptop"})
    rotated = await ben.post(f"{path}/rotate", json={"overlap_seconds": 60})
    revoked = await ben.post(f"{path}/revoke")

    assert (key["owner_id"], key["tenant_id"], key["secret"][:7]) == (BEN.id, "ten_ben", "sk-omg-")
    assert changed.json()["name"] == "laptop"
    assert rotated.json()["secret"] not in (None, key["secret"])
    assert revoked.json()["status"] == "revoked"
    assert [one["id"] for one in (await ben.get("/me/keys")).json()["data"]] == [key["id"]]
    assert "secret" not in (await ben.get(path)).json()
    assert (await ben.delete(path)).status_code == 204
    async with app.fakes.store.read() as unit:
        entries = await unit.audit.page(AuditFilter(object_id=key["id"]), 10, None)
    assert [entry.record.action for entry in entries] == ["delete", "revoke", "rotate", "update", "create"]
    assert {entry.record.actor.user_id for entry in entries} == {BEN.id}


async def test_a_member_makes_keys_in_a_shared_tenant(ben: httpx.AsyncClient) -> None:
    assert (await made(ben, tenant_id="ten_default"))["tenant_id"] == "ten_default"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"tenant_id": "ten_other"}, 403, "permission_denied"),
        ({"tenant_id": "ten_none"}, 403, "permission_denied"),
        ({"owner_id": ADA.id}, 403, "permission_denied"),
        ({"tenant_id": "ten_default", "owner_id": ADA.id}, 403, "permission_denied"),
        ({"user_id": ADA.id}, 400, "unknown_parameter"),
    ],
)
async def test_a_key_is_ones_own_and_where_one_belongs(
    app: AdminApp, ben: httpx.AsyncClient, fields: dict[str, str], status: int, code: str
) -> None:
    """S-03."""
    refused(await ben.post("/me/keys", json=fields), status, code)
    assert (await ben.get("/me/keys")).json()["data"] == []


async def test_a_viewer_makes_none(app: AdminApp, ben: httpx.AsyncClient) -> None:
    async with app.fakes.store.write() as unit:
        await unit.memberships.update(Membership("ten_default", BEN.id, "viewer", NOW, NOW))

    refused(await ben.post("/me/keys", json={"tenant_id": "ten_default"}), 403, "permission_denied")


async def test_a_key_is_never_wider_than_the_tenant(
    app: AdminApp, ben: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    """S-01: not for the platform's admin either, who is a member here."""
    async with app.fakes.store.write() as unit:
        await unit.tenants.update(a_tenant(allowed_models=("openai/*",)))

    for client in (ben, ada):
        wider = await client.post("/me/keys", json={"tenant_id": "ten_default", "allowed_models": ["groq/*"]})
        refused(wider, 403, "permission_denied")
    narrow = await made(ben, tenant_id="ten_default", allowed_models=["openai/gpt-*"])
    refused(await ben.patch(f"/me/keys/{narrow['id']}", json={"allowed_models": ["*"]}), 403, "permission_denied")


async def test_nobody_elses_key_is_there(app: AdminApp, ben: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    """S-04: another's and a service key answer as one that does not exist, to the platform's admin too."""
    bens = await made(ben, tenant_id="ten_default")
    service, _ = await app.fakes.virtual_keys.create(ACTOR, NewVirtualKey(tenant_id="ten_default"))

    assert (await ada.get("/me/keys")).json()["data"] == []
    for client, key_id in ((ada, bens["id"]), (ada, service.id), (ben, service.id)):
        for method, path in (
            ("GET", f"/me/keys/{key_id}"),
            ("PATCH", f"/me/keys/{key_id}"),
            ("DELETE", f"/me/keys/{key_id}"),
            ("POST", f"/me/keys/{key_id}/rotate"),
            ("POST", f"/me/keys/{key_id}/revoke"),
        ):
            answer = await client.request(method, path, json={})
            unknown = await client.request(method, path.replace(key_id, "key_none"), json={})
            refused(answer, 404, "not_found")
            assert answer.json()["error"]["message"].replace(key_id, "key_none") == unknown.json()["error"]["message"]


async def test_a_session_of_another_site_makes_no_key(ben: httpx.AsyncClient) -> None:
    del ben.headers["x-omg-csrf"]

    refused(await ben.post("/me/keys", json={}), 403, "csrf_failed")
