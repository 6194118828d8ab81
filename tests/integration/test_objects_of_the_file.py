"""Objects that `omg.yaml` declares, and those of its `bootstrap:`, at a start of the whole application."""

from pathlib import Path

import httpx
import pytest

from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX, generate_key
from entrypoints.app import GatewayProcess, create_app
from entrypoints.settings.loading import load_settings
from entrypoints.settings.model import Settings, SettingsError

TOKEN = generate_key(ADMIN_TOKEN_PREFIX).reveal()
CI_KEY, FIRST_KEY = generate_key(VIRTUAL_KEY_PREFIX).reveal(), generate_key(VIRTUAL_KEY_PREFIX).reveal()
ADMIN = {"authorization": f"Bearer {TOKEN}"}

DECLARED = """
tenants: [{name: Research, limits: {rpm: 5}}]
model_groups: [{name: fast, patterns: ["groq/*"]}]
keys: [{name: ci, tenant: Research, secret: "env:CI_KEY"}]
settings: {rate_limits: {key: {rpm: 60}}, budgets: {}, default_models: {models: ["@fast"]}, routing: {priority: cost}}
alerts:
  channels: [{name: ops, kind: webhook, url: "https://hooks.example/x"}]
  rules: [{event: provider_down, channels: [ops]}]
"""
SETTINGS = ("rate-limits", "budgets", "default-models", "routing")
BOOTSTRAP = """
bootstrap:
  tenants: [{name: Acme, budgets: [{limit_usd: "10"}]}]
  users:
    - email: ann@example.org
      platform_role: admin
      password: env:PASSWORD
      memberships: [{tenant: Acme, role: owner}]
  keys: [{name: first, tenant: Acme, secret: "env:FIRST_KEY", limits: {rpm: 7}}]
"""


def settings_of(folder: Path, document: str, **more: str) -> Settings:
    (folder / "omg.yaml").write_text(document, encoding="utf-8")
    environ = {"OMG_DATA_DIR": str(folder / "data"), "OMG_ADMIN_TOKEN": TOKEN, "CI_KEY": CI_KEY, "FIRST_KEY": FIRST_KEY}
    return load_settings(environ=environ | {"PASSWORD": "a long and unusual phrase"} | more, folder=folder)


def client_of(app: GatewayProcess) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # ASGI
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


async def test_what_the_file_declares_is_there_and_is_changed_there_alone(tmp_path: Path) -> None:
    async with create_app(settings_of(tmp_path, DECLARED)).running() as app, client_of(app) as client:
        works = await client.get("/v1/models", headers={"authorization": f"Bearer {CI_KEY}"})
        tenants = (await client.get("/admin/tenants", headers=ADMIN)).json()["data"]
        tenant = next(each for each in tenants if each["name"] == "Research")
        (channel,) = (await client.get("/admin/alerts/channels", headers=ADMIN)).json()["data"]
        (rule,) = (await client.get("/admin/alerts/rules", headers=ADMIN)).json()["data"]
        key = next(
            each for each in (await client.get("/admin/keys", headers=ADMIN)).json()["data"] if each["name"] == "ci"
        )
        other_paths = [f"/admin/alerts/rules/{rule['id']}", *(f"/admin/settings/{name}" for name in SETTINGS)]
        paths = [
            f"/admin/tenants/{tenant['id']}",
            f"/admin/keys/{key['id']}",
            f"/admin/alerts/channels/{channel['id']}",
        ]
        refused = [await client.patch(path, headers=ADMIN, json={"name": "other"}) for path in paths]
        refused += [await client.delete(path, headers=ADMIN) for path in (*paths, "/admin/model-groups/fast")]
        shown = [
            (await client.get(path, headers=ADMIN)).json()["owner"]
            for path in (*paths, *other_paths, "/admin/model-groups/fast")
        ]
        shown += [each["owner"] for each in tenants if each["name"] != "Research"]
        own = await client.post("/admin/tenants", headers=ADMIN, json={"name": "Mine"})
        mine = await client.patch(f"/admin/tenants/{own.json()['id']}", headers=ADMIN, json={"name": "Still mine"})

    assert works.status_code == 200
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in refused] == [(409, "read_only")] * 7
    assert all("omg.yaml" in answer.json()["error"]["message"] for answer in refused)
    assert rule["owner"] == "file"
    assert shown == ["file"] * (4 + len(other_paths)) + ["database"] * (len(tenants) - 1)
    assert mine.json()["owner"] == "database"
    assert (own.status_code, mine.status_code) == (201, 200)


async def test_a_key_of_the_file_that_leaked_can_be_revoked_and_stays_so(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, DECLARED)
    async with create_app(settings).running() as app, client_of(app) as client:
        key = next(
            each for each in (await client.get("/admin/keys", headers=ADMIN)).json()["data"] if each["name"] == "ci"
        )
        revoked = await client.post(f"/admin/keys/{key['id']}/revoke", headers=ADMIN)
    async with create_app(settings).running() as app, client_of(app) as client:
        after = await client.get("/v1/models", headers={"authorization": f"Bearer {CI_KEY}"})

    assert (revoked.status_code, after.status_code) == (200, 401)


async def test_a_changed_file_is_taken_up_at_the_next_start_and_an_unchanged_one_writes_nothing(tmp_path: Path) -> None:
    async with create_app(settings_of(tmp_path, DECLARED)).running() as app, client_of(app) as client:
        first = (await client.get("/admin/audit?limit=200", headers=ADMIN)).json()["data"]
    async with create_app(settings_of(tmp_path, DECLARED)).running() as app, client_of(app) as client:
        second = (await client.get("/admin/audit?limit=200", headers=ADMIN)).json()["data"]
    changed = DECLARED.replace("rpm: 5", "rpm: 6")
    async with create_app(settings_of(tmp_path, changed)).running() as app, client_of(app) as client:
        third = (await client.get("/admin/audit?limit=200", headers=ADMIN)).json()["data"]

    assert second == first
    assert len(third) == len(first) + 1
    assert [(change["field"], change["old"], change["new"]) for change in third[0]["changes"]] == [("limits.rpm", 5, 6)]


async def test_bootstrap_is_for_an_empty_database_and_its_objects_are_ordinary(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, BOOTSTRAP)
    async with create_app(settings).running() as app, client_of(app) as client:
        works = await client.get("/v1/models", headers={"authorization": f"Bearer {FIRST_KEY}"})
        signed_in = await client.post(
            "/auth/login", json={"email": "ann@example.org", "password": "a long and unusual phrase"}
        )
        acme = next(
            each
            for each in (await client.get("/admin/tenants", headers=ADMIN)).json()["data"]
            if each["name"] == "Acme"
        )
        members = (await client.get(f"/admin/tenants/{acme['id']}/members", headers=ADMIN)).json()["data"]
        renamed = await client.patch(f"/admin/tenants/{acme['id']}", headers=ADMIN, json={"name": "Acme Ltd"})
    async with create_app(settings).running() as app, client_of(app) as client:
        names = {each["name"] for each in (await client.get("/admin/tenants", headers=ADMIN)).json()["data"]}

    assert (works.status_code, signed_in.status_code, renamed.status_code) == (200, 200, 200)
    assert [(member["email"], member["role"]) for member in members] == [("ann@example.org", "owner")]
    assert "Acme Ltd" in names
    assert "Acme" not in names


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ('keys: [{name: k, secret: "env:ABSENT"}]', "ABSENT"),
        ("bootstrap: {tenants: [{name: A, colour: red}]}", "colour"),
    ],
)
async def test_an_object_that_cannot_be_made_ends_the_start_with_one_line(
    tmp_path: Path, document: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=said) as raised:
        async with create_app(settings_of(tmp_path, document)).running():
            pass

    assert "omg.yaml" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("document", "said"),
    [("bootstrap: [a]", "bootstrap"), ("bootstrap: {keyz: []}", "keys"), ("tenant: []", "tenants")],
)
def test_a_section_that_is_not_known_is_told_with_the_nearest(tmp_path: Path, document: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        settings_of(tmp_path, document)
