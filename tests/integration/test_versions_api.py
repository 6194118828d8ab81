"""Contract 8: `ETag` of each object, and `If-Match` of each change, by one mechanism over all routes."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain.authority import Right
from entrypoints.http.authorization import MATRIX
from entrypoints.http.versions import OBJECTS
from tests.integration.admin_app import AdminApp
from tests.integration.people_to_sign_in import furnished, sign_in

SUBJECT = {"subject": {"kind": "tag", "id": "team:research"}}
NEW_USER = {"email": "new@example.com", "name": "New"}

MADE: dict[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "/admin/providers/{provider_id}": ("/admin/providers", {"id": "openrouter"}, {"priority": 5}, {"priority": 6}),
    "/admin/providers/{provider_id}/keys/{key_id}": (
        "/admin/providers/alpha/keys", {"label": "a", "secret": "sk-1234567890"}, {"label": "b"}, {"label": "c"},
    ),
    "/admin/limits/{rule_id}": ("/admin/limits", {**SUBJECT, "rpm": 5}, {"rpm": 6}, {"rpm": 7}),
    "/admin/budgets/{rule_id}": (
        "/admin/budgets", {**SUBJECT, "limit_usd": "5", "period": "day"}, {"limit_usd": "6"}, {"limit_usd": "7"},
    ),
    "/admin/keys/{key_id}": ("/admin/keys", {"name": "a"}, {"name": "b"}, {"allowed_models": ["m"]}),
    "/me/keys/{key_id}": ("/me/keys", {"name": "a", "tenant_id": "ten_default"}, {"name": "b"}, {"name": "c"}),
    "/admin/tokens/{token_id}": ("/admin/tokens", {"name": "a", "scopes": ["read"]}, {"name": "b"}, {"name": "c"}),
    "/admin/tenants/{tenant_id}": ("/admin/tenants", {"name": "a"}, {"name": "b"}, {"status": "suspended"}),
    "/admin/tenants/{tenant_id}/members/{user_id}": (
        "/admin/tenants/ten_default/members", {"email": "new@example.com", "role": "member"},
        {"role": "viewer"}, {"role": "admin"},
    ),
    "/admin/users/{user_id}": ("/admin/users", NEW_USER, {"name": "b"}, {"status": "disabled"}),
    "/admin/model-groups/{name}": (
        "/admin/model-groups", {"name": "fast", "patterns": ["a/*"]}, {"patterns": ["b/*"]}, {"patterns": ["c/*"]},
    ),
    "/admin/routes/{alias}": (
        "/admin/routes", {"alias": "fast", "targets": [{"model": "m"}]}, {"affinity": True}, {"strategy": "weighted"},
    ),
    "/admin/alerts/channels/{channel_id}": (
        "/admin/alerts/channels", {"kind": "webhook", "url": "https://203.0.113.7/omg"}, {"name": "a"}, {"name": "b"},
    ),
    "/admin/alerts/rules/{rule_id}": (
        "/admin/alerts/rules", {"event": "budget_threshold"}, {"threshold": 0.7}, {"threshold": 0.9},
    ),
}  # fmt: skip
"""Where an object of each path is made, of what, and two changes of it."""

SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "/admin/settings/default-models": ({"models": ["a/*"]}, {"models": None}),
    "/admin/settings/routing": ({"priority": "cost"}, {"priority": "quality"}),
    "/admin/settings/rate-limits": ({"key": {"rpm": 5}}, {"key": {"rpm": 6}}),
    "/admin/settings/budgets": (
        {"key": [{"limit_usd": "5", "period": "day"}]}, {"key": [{"limit_usd": "6", "period": "day"}]},
    ),
}  # fmt: skip

PRICE = "/admin/models/{provider}/{model}"


@pytest.fixture
async def app() -> AdminApp:
    app = await furnished(await AdminApp.make())
    async with app.client() as admin:
        await admin.post("/admin/providers", json={"id": "alpha", "kind": "openai", "base_url": "https://a.example/v1"})
    return app


@pytest.fixture
async def admin(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client() as client:
        yield client


@pytest.fixture
async def ben(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client(None) as client:
        client.headers["x-omg-csrf"] = (await sign_in(client, "ben@example.com"))["csrf_token"]
        yield client


def test_every_object_that_can_be_changed_has_a_version() -> None:
    changed = {
        path
        for (method, path), row in MATRIX.items()
        if method in ("PATCH", "DELETE") and (isinstance(row, Right) or path.startswith("/me/keys"))
    }

    assert changed <= OBJECTS.keys()
    assert {("GET", path) for path in OBJECTS} <= MATRIX.keys()
    assert OBJECTS.keys() == MADE.keys() | SETTINGS.keys() | {PRICE}, "an object is not tested here"


async def made(client: httpx.AsyncClient, template: str) -> str:
    """The path of a new object."""
    where, body, _, _ = MADE[template]
    if where == "/admin/alerts/rules":
        channel = await client.post("/admin/alerts/channels", json=MADE["/admin/alerts/channels/{channel_id}"][1])
        body = body | {"channels": [channel.json()["id"]]}
    answer = await client.post(where, json=body)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    return f"{where}/{found.get('user_id') or found.get('id') or found.get('alias') or found['name']}"


async def conflicts(client: httpx.AsyncClient, path: str, answer: httpx.Response) -> None:
    """The answer refuses, with the object as it is now and as a GET shows it."""
    present = await client.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (412, "version_conflict")
    assert answer.json()["error"]["type"] == "conflict_error"
    assert answer.json()["current"] == present.json()
    assert answer.headers["etag"] == present.headers["etag"]


@pytest.mark.parametrize("template", MADE)
async def test_a_stale_change_is_refused_and_a_fresh_one_is_made(
    admin: httpx.AsyncClient, ben: httpx.AsyncClient, template: str
) -> None:
    client = ben if template.startswith("/me") else admin
    path = await made(client, template)
    _, _, first, second = MADE[template]
    seen = (await client.get(path)).headers["etag"]
    assert (await client.get(path)).headers["etag"] == seen

    assert (await client.patch(path, json=first)).status_code == 200, "without If-Match the last change wins"

    await conflicts(client, path, await client.patch(path, json=second, headers={"if-match": seen}))
    await conflicts(client, path, await client.delete(path, headers={"if-match": seen}))
    now = (await client.get(path)).headers["etag"]
    assert now != seen
    assert (await client.patch(path, json=second, headers={"if-match": now})).status_code == 200
    last = (await client.get(path)).headers["etag"]
    assert (await client.delete(path, headers={"if-match": last})).status_code == 204


@pytest.mark.parametrize("path", SETTINGS)
async def test_settings_are_objects_too(admin: httpx.AsyncClient, path: str) -> None:
    seen = (await admin.get(path)).headers["etag"]

    assert (await admin.patch(path, json=SETTINGS[path][0], headers={"if-match": seen})).status_code == 200

    await conflicts(admin, path, await admin.patch(path, json=SETTINGS[path][1], headers={"if-match": seen}))


async def test_a_price_that_somebody_else_set_is_not_ended(admin: httpx.AsyncClient) -> None:
    path = "/admin/models/alpha/m"
    price = {"provider": "alpha", "model": "m", "prices": {"input": "1", "output": "2"}}
    await admin.post("/admin/models", json=price)
    seen = (await admin.get(path)).headers["etag"]
    await admin.post("/admin/models", json=price)

    await conflicts(admin, path, await admin.delete(path, headers={"if-match": seen}))


async def test_what_somebody_else_said_of_a_model_is_not_overwritten(admin: httpx.AsyncClient) -> None:
    path = "/admin/models/alpha/m"
    await admin.patch(path, json={"context_window": 1000})
    seen = (await admin.get(path)).headers["etag"]
    await admin.patch(path, json={"context_window": 2000})

    await conflicts(admin, path, await admin.patch(path, json={"context_window": 3000}, headers={"if-match": seen}))
    now = (await admin.get(path)).headers["etag"]
    assert (await admin.patch(path, json={"successor": "n"}, headers={"if-match": now})).status_code == 200


async def test_an_action_is_refused_with_the_object_as_it_is(admin: httpx.AsyncClient) -> None:
    path = await made(admin, "/admin/keys/{key_id}")
    seen = (await admin.get(path)).headers["etag"]
    await admin.patch(path, json={"name": "b"})

    await conflicts(admin, path, await admin.post(f"{path}/rotate", headers={"if-match": seen}))
    assert "secret" not in (await admin.get(path)).text


@pytest.mark.parametrize("form", ['W/"{}"', '"{}-gzip"', "{}", '"old", "{}"', "*"])
async def test_what_proxies_and_scripts_make_of_a_tag_is_understood(admin: httpx.AsyncClient, form: str) -> None:
    path = await made(admin, "/admin/tenants/{tenant_id}")
    tag = (await admin.get(path)).headers["etag"].strip('"')

    answer = await admin.patch(path, json={"name": "b"}, headers={"if-match": form.format(tag)})

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/admin/keys", "/me/keys"])
async def test_a_foreign_object_answers_as_none_whatever_is_expected(
    admin: httpx.AsyncClient, ben: httpx.AsyncClient, path: str
) -> None:
    """S-04."""
    tenant = (await admin.post("/admin/tenants", json={"name": "Other"})).json()["id"]
    foreign = (await admin.post("/admin/keys", json={"name": "k", "tenant_id": tenant})).json()["id"]

    answers = [
        await ben.patch(f"{path}/{id_}", json={"name": "x"}, headers={"if-match": '"stale"'})
        for id_ in (foreign, "none_0198")
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    messages = [answer.json()["error"]["message"].replace(foreign, "none_0198") for answer in answers]
    assert messages[0] == messages[1]
    assert "etag" not in answers[0].headers


async def test_using_a_key_is_no_change_of_it(app: AdminApp, admin: httpx.AsyncClient) -> None:
    path = await made(admin, "/admin/keys/{key_id}")
    seen = (await admin.get(path)).headers["etag"]
    async with app.fakes.store.write() as unit:
        await unit.virtual_keys.used({path.rpartition("/")[2]: app.fakes.clock.now()})

    assert (await admin.get(path)).json()["last_used_at"] is not None
    assert (await admin.patch(path, json={"name": "b"}, headers={"if-match": seen})).status_code == 200
