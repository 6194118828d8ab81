"""Contract 8, audit: each write of the admin API is one entry in its own transaction, and reading them."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from application.admin.config_write import READ_OF, SECTION_OF
from domain.audit import AuditFilter
from domain.authority import Right
from domain.configuration import Section
from entrypoints.http.authorization import MATRIX
from tests.integration.admin_app import AdminApp

CANARY = "canary-upstream-secret-0123456789"


@pytest.fixture
async def app() -> AdminApp:
    return await AdminApp.make()


@pytest.fixture
async def http(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client() as client:
        yield client


async def entries(http: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    answer = await http.get("/admin/audit", params=query)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


ALPHA: dict[str, object] = {"id": "alpha", "base_url": "https://alpha.example/v1"}
TAG: dict[str, object] = {"kind": "tag", "id": "batch"}
WEBHOOK: dict[str, object] = {"kind": "webhook", "url": "https://alerts.example/hook"}
ALERT: dict[str, object] = {"event": "provider_down", "channels": ["CHANNEL"]}
PRICE: dict[str, object] = {"provider": "alpha", "model": "m", "prices": {"input": "1", "output": "2"}}

WRITES: list[tuple[str, str, dict[str, object] | None, str, str]] = [
    ("POST", "/admin/providers", ALPHA, "create", "provider"),
    ("PATCH", "/admin/providers/{provider_id}", {"priority": 3}, "update", "provider"),
    ("POST", "/admin/providers/{provider_id}/keys", {"secret": CANARY}, "create", "provider_key"),
    ("PATCH", "/admin/providers/{provider_id}/keys/{key_id}", {"label": "x"}, "update", "provider_key"),
    ("POST", "/admin/providers/{provider_id}/keys/{key_id}/retry", None, "retry", "provider_key"),
    ("POST", "/admin/providers/{provider_id}/retry", None, "retry", "provider"),
    ("POST", "/admin/models", PRICE, "set", "price"),
    ("PATCH", "/admin/models/{provider}/{model}", {"context_window": 1000}, "update", "model"),
    ("DELETE", "/admin/models/{provider}/{model}", None, "end", "price"),
    ("DELETE", "/admin/providers/{provider_id}/keys/{key_id}", None, "delete", "provider_key"),
    ("DELETE", "/admin/providers/{provider_id}", None, "delete", "provider"),
    ("POST", "/admin/limits", {"subject": TAG, "rpm": 5}, "create", "limit"),
    ("PATCH", "/admin/limits/{limit_id}", {"rpm": 6}, "update", "limit"),
    ("DELETE", "/admin/limits/{limit_id}", None, "delete", "limit"),
    ("POST", "/admin/budgets", {"subject": TAG, "limit_usd": "5"}, "create", "budget"),
    ("PATCH", "/admin/budgets/{budget_id}", {"limit_usd": "6"}, "update", "budget"),
    ("DELETE", "/admin/budgets/{budget_id}", None, "delete", "budget"),
    ("POST", "/admin/keys", {"name": "notebook"}, "create", "virtual_key"),
    ("PATCH", "/admin/keys/{key_id}", {"name": "other"}, "update", "virtual_key"),
    ("POST", "/admin/keys/{key_id}/rotate", None, "rotate", "virtual_key"),
    ("POST", "/admin/keys/{key_id}/revoke", None, "revoke", "virtual_key"),
    ("DELETE", "/admin/keys/{key_id}", None, "delete", "virtual_key"),
    ("POST", "/admin/tokens", {"name": "CI", "scopes": ["read"]}, "create", "admin_token"),
    ("PATCH", "/admin/tokens/{token_id}", {"scopes": ["usage"]}, "update", "admin_token"),
    ("DELETE", "/admin/tokens/{token_id}", None, "delete", "admin_token"),
    ("POST", "/admin/tenants", {"name": "Research"}, "create", "tenant"),
    ("PATCH", "/admin/tenants/{tenant_id}", {"name": "R"}, "update", "tenant"),
    ("POST", "/admin/users", {"email": "ann@example.org"}, "create", "user"),
    ("PATCH", "/admin/users/{user_id}", {"name": "Ann"}, "update", "user"),
    ("POST", "/admin/users/{user_id}/invite", None, "create", "invite"),
    ("POST", "/admin/tenants/{tenant_id}/members", {"email": "ann@example.org"}, "create", "member"),
    ("PATCH", "/admin/tenants/{tenant_id}/members/{user_id}", {"role": "admin"}, "update", "member"),
    ("DELETE", "/admin/tenants/{tenant_id}/members/{user_id}", None, "delete", "member"),
    ("DELETE", "/admin/tenants/{tenant_id}", None, "delete", "tenant"),
    ("POST", "/admin/model-groups", {"name": "fast", "patterns": ["m"]}, "create", "model_group"),
    ("PATCH", "/admin/model-groups/{name}", {"patterns": ["n"]}, "update", "model_group"),
    ("DELETE", "/admin/model-groups/{name}", None, "delete", "model_group"),
    ("POST", "/admin/routes", {"alias": "fast", "targets": [{"model": "m"}]}, "create", "route"),
    ("PATCH", "/admin/routes/{alias}", {"affinity": True}, "update", "route"),
    ("DELETE", "/admin/routes/{alias}", None, "delete", "route"),
    ("PATCH", "/admin/settings/default-models", {"models": ["m"]}, "set", "setting"),
    ("PATCH", "/admin/settings/rate-limits", {"key": {"rpm": 5}}, "set", "setting"),
    ("PATCH", "/admin/settings/routing", {"priority": "cost"}, "set", "setting"),
    ("POST", "/admin/alerts/channels", WEBHOOK, "create", "alert_channel"),
    ("PATCH", "/admin/alerts/channels/{channel_id}", {"name": "on call"}, "update", "alert_channel"),
    ("POST", "/admin/alerts/rules", ALERT, "create", "alert_rule"),
    ("PATCH", "/admin/alerts/rules/{alert_rule_id}", {"cooldown_seconds": 60}, "update", "alert_rule"),
    ("DELETE", "/admin/alerts/rules/{alert_rule_id}", None, "delete", "alert_rule"),
    ("DELETE", "/admin/alerts/channels/{channel_id}", None, "delete", "alert_channel"),
    ("PATCH", "/admin/settings/budgets", {"key": [{"limit_usd": "5", "period": "day"}]}, "set", "setting"),
]
"""In an order in which each finds what it needs; a key's id is that of the key made last."""


async def write(http: httpx.AsyncClient, method: str, path: str, body: object, known: dict[str, str]) -> httpx.Response:
    if body is ALERT:
        body = ALERT | {"channels": [known["channel_id"]]}
    answer = await http.request(method, path.format(**known), json=body)
    if answer.status_code == 201 and path.endswith(
        ("keys", "limits", "budgets", "tokens", "tenants", "users", "channels")
    ):
        known[f"{path.rpartition('/')[2][:-1]}_id"] = answer.json()["id"]
    if answer.status_code == 201 and path.endswith("alerts/rules"):
        known["alert_rule_id"] = answer.json()["id"]
    return answer


async def test_each_write_is_one_entry(http: httpx.AsyncClient) -> None:
    """S-38."""
    known = {"provider_id": "alpha", "provider": "alpha", "model": "m", "name": "fast", "alias": "fast"}
    found: list[dict[str, Any]] = []
    for number, (method, path, body, action, kind) in enumerate(WRITES, 1):
        answer = await write(http, method, path, body, known)
        assert answer.is_success, answer.text

        found = await entries(http, limit="200")
        assert len(found) == number
        assert (found[0]["action"], found[0]["object"]["kind"], found[0]["outcome"]) == (action, kind, "ok")
        assert found[0]["request_id"] == answer.headers["x-request-id"]
        assert found[0]["actor"] == {"kind": "admin_token", "id": "platform", "name": "platform admin token"}
        assert found[0]["address"] == "127.0.0.1"
    assert CANARY not in json.dumps(found)


async def test_a_write_whose_entry_fails_is_undone_and_answered_503(app: AdminApp, http: httpx.AsyncClient) -> None:
    """S-38, P-10."""
    known = {"provider_id": "alpha", "provider": "alpha", "model": "m", "name": "fast", "alias": "fast"}
    for method, path, body, _, _ in WRITES:
        before = await state(app)
        app.fakes.store.audit_broken = True
        refused = await write(http, method, path, body, dict(known))
        app.fakes.store.audit_broken = False

        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_unavailable"), path
        assert await state(app) == before
        assert (await write(http, method, path, body, known)).is_success


NO_CHANGE = {
    ("POST", "/admin/sign-in-links"),  # `test_sign_in_api.py` has it: it is for the first user
    ("POST", "/admin/providers/{provider_id}/test"),  # asks a provider, and changes nothing
    ("POST", "/admin/alerts/deliveries/{delivery_id}/resend"),  # needs one that failed: `test_alerts_api.py`
    ("POST", "/admin/alerts/channels/{channel_id}/test"),  # sends a message, and changes nothing
    ("POST", "/admin/routes/{alias}/explain"),  # tries a request dry, and changes nothing
    ("POST", "/admin/routes/{alias}/backtest"),  # reads what was decided, and changes nothing
    ("POST", "/admin/config/plan"),  # says what a document would change, and changes nothing
    ("POST", "/admin/config/apply"),  # by the use cases above, each with its own entry: `test_sent_documents.py`
    ("DELETE", "/admin/users/{user_id}"),  # two entries: the personal tenant goes with its user
}


def test_every_write_of_the_administration_is_tried() -> None:
    """A new one has no row above until it is given one."""
    placeholders = {"rule_id": ("limit_id", "budget_id", "alert_rule_id")}
    tried = {(method, path) for method, path, *_ in WRITES}
    for (method, path), row in MATRIX.items():
        if isinstance(row, Right) and method != "GET" and (method, path) not in NO_CHANGE:
            forms = [path] + [path.replace("rule_id", other) for other in placeholders["rule_id"]]
            assert any((method, form) in tried for form in forms), (method, path)


async def state(app: AdminApp) -> list[object]:
    async with app.fakes.store.read() as unit:
        return [
            await unit.providers.list_all(),
            await unit.keys.list_all(),
            await unit.prices.list_current(),
            await unit.config_versions.load(),
            await unit.audit.page(AuditFilter(), 1000, None),
        ]


def test_every_object_of_the_configuration_can_be_read_for_its_entry() -> None:
    assert READ_OF.keys() == SECTION_OF.keys()
    assert set(SECTION_OF.values()) == set(Section)


async def test_a_change_says_old_and_new(http: httpx.AsyncClient) -> None:
    made = (await http.post("/admin/keys", json={"name": "a"})).json()
    await http.patch(f"/admin/keys/{made['id']}", json={"name": "b", "allowed_models": ["m"]})
    await http.post(f"/admin/keys/{made['id']}/rotate")

    rotated, changed, _ = await entries(http, object_id=made["id"])
    assert changed["changes"] == [
        {"field": "name", "old": "a", "new": "b"},
        {"field": "allowed_models", "old": None, "new": ["m"]},
    ]
    assert changed["tenant_id"] == "ten_default"
    assert rotated["changes"] == [{"field": "secret", "old": "changed", "new": "changed"}]


async def test_what_goes_with_a_provider_is_told(http: httpx.AsyncClient) -> None:
    await http.post("/admin/providers", json=ALPHA)
    key_id = (await http.post("/admin/providers/alpha/keys", json={"secret": CANARY})).json()["id"]
    await http.patch("/admin/providers/alpha", json={"base_url": "https://elsewhere.example/v1"})

    moved = (await entries(http))[0]
    assert {"field": "keys", "old": [key_id], "new": []} in moved["changes"]


async def test_a_refusal_is_an_entry_that_says_who_wanted_what(app: AdminApp, http: httpx.AsyncClient) -> None:
    async with app.client("omg-admin-wrong") as stranger:
        await stranger.post("/admin/keys/key_1/revoke")
    await app.fakes.refusals.write_down()

    (entry,) = await entries(http, outcome="refused")
    assert (entry["actor"]["kind"], entry["action"]) == ("anonymous", "refuse")
    assert entry["object"] == {"kind": "operation", "id": "POST /admin/keys/{key_id}/revoke"}
    assert entry["changes"] == [{"field": "code", "old": None, "new": "invalid_api_key"}]
    assert entry["address"] == "127.0.0.1"


async def test_every_admin_operation_that_refuses_is_noted(app: AdminApp, http: httpx.AsyncClient) -> None:
    asked = {route for route, access in MATRIX.items() if isinstance(access, Right)}
    async with app.client(None) as stranger:
        for method, path in sorted(asked):
            await stranger.request(method, re.sub(r"{\w+}", "x", path))
    for _ in range(len(asked)):
        await app.fakes.refusals.write_down()

    noted = {tuple(entry["object"]["id"].split(" ")) for entry in await entries(http, outcome="refused", limit="200")}
    assert len(noted) >= 20
    assert noted <= asked | {("various",)}


async def test_whoever_takes_a_file_away_is_noted_first(app: AdminApp, http: httpx.AsyncClient) -> None:
    """S-38: each export there is, with what was asked for; a page of a list is none."""
    files = ["/admin/audit", "/admin/usage", "/admin/requests"]
    for path in files:
        assert (await http.get(path)).status_code == 200
        assert (await http.get(path, params={"format": "json"})).status_code == 200
        assert (await http.get(path, params={"format": "csv", "from": "2026-11-01"})).status_code == 200
    found = await entries(http, action="export")
    app.fakes.store.audit_broken = True
    refused = [await http.get(path, params={"format": "csv"}) for path in files]
    app.fakes.store.audit_broken = False

    assert [entry["object"]["id"] for entry in found] == [f"GET {path}" for path in reversed(files)]
    assert {json.dumps(entry["changes"]) for entry in found} == {
        json.dumps([{"field": "query", "old": None, "new": {"format": "csv", "from": "2026-11-01"}}])
    }
    assert {answer.status_code for answer in refused} == {503}


async def test_the_trail_is_read_in_pages_and_by_filters(http: httpx.AsyncClient) -> None:
    for number in range(5):
        await http.post("/admin/keys", json={"name": f"k{number}"})
    await http.post("/admin/providers", json=ALPHA)

    first = (await http.get("/admin/audit?limit=4")).json()
    second = (await http.get(f"/admin/audit?limit=4&cursor={first['next_cursor']}")).json()

    assert [len(first["data"]), len(second["data"]), second["next_cursor"]] == [4, 2, None]
    assert len({entry["id"] for entry in first["data"] + second["data"]}) == 6
    assert len(await entries(http, object_kind="provider")) == 1
    assert len(await entries(http, actor="platform", action="create", tenant_id="ten_default")) == 5
    assert await entries(http, actor="nobody") == []
    assert await entries(http, to="2026-11-20") == []
    assert len(await entries(http, **{"from": "2026-11-21", "to": "2026-11-21"})) == 6


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=-1", "from=yesterday", "from=2026-11-22&to=2026-11-20", "format=xml", "outcome=maybe"]
)
async def test_a_question_that_makes_no_sense_is_refused(http: httpx.AsyncClient, query: str) -> None:
    assert (await http.get(f"/admin/audit?{query}")).status_code == 400


async def test_a_wrong_question_is_no_half_file(http: httpx.AsyncClient) -> None:
    assert (await http.get("/admin/audit?format=csv&from=yesterday")).status_code == 400


async def test_the_export_has_every_entry_and_runs_nothing(http: httpx.AsyncClient) -> None:
    """S-20: a name that a spreadsheet would run is text."""
    for number in range(3):
        await http.post("/admin/keys", json={"name": f"=cmd{number}"})

    answer = await http.get("/admin/audit?format=csv&limit=1")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    assert [row["action"] for row in rows] == ["export", *["create"] * 3]
    assert json.loads(rows[0]["changes"])
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
