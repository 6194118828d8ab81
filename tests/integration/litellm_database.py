"""A database as LiteLLM's own migrations make it, filled as a small company would have it."""

import base64
import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import litellm_proxy_extras
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.secret import SecretBox

SALT: Final = "sk-salt-1234"
KEYS: Final = {
    "ci": "sk-CiCiCiCiCiCiCiCiCiCiCi",
    "ann": "sk-AnnAnnAnnAnnAnnAnnAnn",
    "wild": "sk-WildWildWildWildWildWi",
    "blocked": "sk-BlockedBlockedBlocked",
    "old": "sk-OldOldOldOldOldOldOld",
    "rotated": "sk-RotatedRotatedRotated",
    "free": "sk-FreeFreeFreeFreeFree",
    "managing": "sk-ManagingManagingManag",
}
_BY: Final = {"created_by": "default_user_id", "updated_by": "default_user_id"}


def sha256(text: str) -> str:
    """What LiteLLM stores of a key."""
    return hashlib.sha256(text.encode()).hexdigest()


def boxed(text: str, salt: str = SALT) -> str:
    """What LiteLLM stores of a secret by default."""
    key = hashlib.sha256(salt.encode()).digest()
    return base64.urlsafe_b64encode(bytes(SecretBox(key).encrypt(text.encode()))).decode()


def sealed_by_gcm(text: str) -> str:
    """The same with `encryption_algorithm: aes-256-gcm`."""
    nonce = os.urandom(12)
    sealed = AESGCM(hashlib.sha256(SALT.encode()).digest()).encrypt(nonce, text.encode(), None)
    return "v2:gcm:" + base64.urlsafe_b64encode(nonce + sealed).decode()


async def make_litellm_database(url: str) -> None:
    """Every migration of LiteLLM in its order, then the rows."""
    connection = await asyncpg.connect(url)
    try:
        folder = Path(litellm_proxy_extras.__file__).parent / "migrations"
        for migration in sorted(path for path in folder.iterdir() if path.is_dir()):
            await connection.execute((migration / "migration.sql").read_text(encoding="utf-8"))
        for table, row in _rows():
            await _put(connection, table, row)
    finally:
        await connection.close()


async def _put(connection: Any, table: str, row: dict[str, Any]) -> None:
    values = [json.dumps(value) if _is_json(value) else value for value in row.values()]
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join(f"${number + 1}" for number in range(len(row)))
    await connection.execute(f'INSERT INTO "LiteLLM_{table}" ({names}) VALUES ({marks})', *values)


def _is_json(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _rows() -> Iterator[tuple[str, dict[str, Any]]]:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    soon = now + dt.timedelta(days=9)
    yield from _budgets(soon)
    yield from _teams(soon)
    yield from _users()
    yield from _keys(now, soon)
    yield from _models()
    yield (
        "EndUserTable",
        {"user_id": "customer-7", "alias": "Shop", "spend": 0.2, "budget_id": "end-b", "blocked": True},
    )
    yield "TagTable", {"tag_name": "ml", "models": ["smart"], "budget_id": "tag-b", "spend": 7.0}


def _budgets(soon: dt.datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in (
        {
            "budget_id": "org-b",
            "max_budget": 5000.0,
            "soft_budget": 4000.0,
            "budget_duration": "30d",
            "rpm_limit": 6000,
        },
        {"budget_id": "member-b", "max_budget": 10.0, "budget_duration": "7d", "tpm_limit": 20000},
        {"budget_id": "tag-b", "max_budget": 100.0, "budget_duration": "1mo", "budget_reset_at": soon},
        {"budget_id": "end-b", "max_budget": 1.0, "budget_duration": "24h", "rpm_limit": 10},
    ):
        yield "BudgetTable", row | _BY
    organization = {"organization_id": "org-1", "organization_alias": "Acme", "budget_id": "org-b", "metadata": {}}
    yield "OrganizationTable", organization | {"models": ["all-proxy-models"], "spend": 12.5} | _BY


def _teams(soon: dt.datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "ModelTable", {"id": 41, "aliases": {"gpt-alias": "smart"}} | _BY
    members = [
        {"role": "admin", "user_id": "u-ann", "user_email": "ann@example.org"},
        {"role": "user", "user_id": "u-bob", "user_email": None},
    ]
    yield (
        "TeamTable",
        {
            "team_id": "team-1",
            "team_alias": "ML",
            "organization_id": "org-1",
            "members": ["u-ann", "u-bob"],
            "admins": [],
            "members_with_roles": members,
            "metadata": {
                "tags": ["ml"],
                "model_rpm_limit": {"smart": 60},
                "guardrails": ["pii"],
                "team_member_budget_id": "member-b",
            },
            "max_budget": 300.0,
            "soft_budget": 200.0,
            "budget_duration": "30d",
            "budget_reset_at": soon,
            "spend": 41.25,
            "models": ["fast", "smart", "openai/*", "beta-models"],
            "tpm_limit": 100000,
            "rpm_limit": 600,
            "tpd_limit": 5000000,
            "max_parallel_requests": 20,
            "blocked": False,
            "model_id": 41,
            "model_max_budget": {"smart": {"budget_limit": 50, "time_period": "1d"}},
            "budget_limits": [
                {"budget_duration": "1h", "max_budget": 5.0, "reset_at": None},
                {"budget_duration": "7d", "max_budget": 90.0, "reset_at": None},
            ],
            "access_group_ids": ["ag-1"],
        },
    )
    frozen = {"team_id": "team-2", "team_alias": "Frozen", "members": [], "admins": [], "members_with_roles": {}}
    yield "TeamTable", frozen | {"metadata": {}, "models": [], "blocked": True}
    project = {
        "project_id": "proj-1",
        "project_alias": "Search",
        "team_id": "team-1",
        "metadata": {},
        "models": ["fast"],
    }
    yield "ProjectTable", project | {"model_rpm_limit": {"fast": 30}, "model_tpm_limit": {}} | _BY
    group = {"access_group_id": "ag-1", "access_group_name": "research", "access_model_names": ["smart"]}
    yield "AccessGroupTable", group | {"assigned_team_ids": ["team-1"]} | _BY


def _users() -> Iterator[tuple[str, dict[str, Any]]]:
    people: list[tuple[str, str | None, str, dict[str, Any]]] = [
        (
            "u-ann",
            "ann@example.org",
            "internal_user",
            {"max_budget": 20.0, "budget_duration": "30d", "teams": ["team-1"]},
        ),
        ("u-bob", "bob@example.org", "internal_user_viewer", {"models": ["fast"], "password": sha256("old")}),
        ("u-root", "root@example.org", "proxy_admin", {"sso_user_id": "00u1"}),
        ("u-aud", "aud@example.org", "proxy_admin_viewer", {}),
        ("u-noemail", None, "internal_user", {}),
    ]
    for user_id, email, role, more in people:
        yield "UserTable", {"user_id": user_id, "user_email": email, "user_role": role, "metadata": {}} | more
    yield "TeamMembership", {"user_id": "u-bob", "team_id": "team-1", "spend": 2.0, "budget_id": "member-b"}


def _keys(now: dt.datetime, soon: dt.datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    rows: dict[str, dict[str, Any]] = {
        "ci": {
            "team_id": "team-1",
            "models": ["all-team-models"],
            "metadata": {"service_account_id": "ci", "tags": ["ci"], "ticket": "OPS-7"},
            "tpm_limit": 1000,
            "rpm_limit": 10,
            "max_parallel_requests": 2,
            "max_budget": 5.0,
            "budget_duration": "1d",
            "spend": 1.5,
            "allowed_routes": ["llm_api_routes"],
            "auto_rotate": True,
        },
        "ann": {
            "user_id": "u-ann",
            "team_id": "team-1",
            "project_id": "proj-1",
            "models": ["smart", "beta-models"],
            "aliases": {"gpt-of-ann": "smart"},
            "metadata": {"model_rpm_limit": {"smart": 5}, "temp_budget_increase": 3},
            "expires": soon,
            "model_max_budget": {"smart": {"budget_limit": "2.0", "time_period": "1d"}},
        },
        "wild": {
            "user_id": "u-root",
            "models": ["openai/*", "*"],
            "metadata": {},
            "allowed_routes": ["/chat/completions", "/v1/models"],
        },
        "blocked": {"models": [], "metadata": {}, "blocked": True},
        "old": {"models": [], "metadata": {}, "expires": now - dt.timedelta(days=1)},
        "free": {"models": ["fast"], "metadata": {}, "budget_id": "member-b"},
        "managing": {"models": [], "metadata": {}, "allowed_routes": ["management_routes"]},
    }
    for name, row in rows.items():
        stored = {"token": sha256(KEYS[name]), "key_name": f"sk-...{KEYS[name][-4:]}", "key_alias": f"key {name}"}
        yield "VerificationToken", stored | row
    rotated = {"id": "d1", "token": sha256(KEYS["rotated"]), "active_token_id": sha256(KEYS["ci"]), "revoke_at": soon}
    yield "DeprecatedVerificationToken", rotated


def _models() -> Iterator[tuple[str, dict[str, Any]]]:
    credential = {"api_key": boxed("azure-secret-0123"), "api_base": boxed("https://acme.openai.azure.com")}
    named = {"credential_id": "c1", "credential_name": "azure-eu", "credential_values": credential}
    yield "CredentialsTable", named | {"credential_info": {"custom_llm_provider": "azure"}} | _BY
    smart = {"model": boxed("anthropic/claude-x"), "api_key": boxed("sk-ant-real-0123"), "rpm": 100}
    azure = {"model": boxed("azure/dep-1"), "litellm_credential_name": boxed("azure-eu"), "weight": 2}
    models: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        (
            "smart",
            smart | {"input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05},
            {"access_groups": ["beta-models"]},
        ),
        ("fast", {"model": sealed_by_gcm("groq/llama-x"), "api_key": sealed_by_gcm("os.environ/GROQ_API_KEY")}, {}),
        ("smart", azure | {"api_version": boxed("2025-01-01")}, {"base_model": "azure/gpt-x"}),
        ("openai/*", {"model": boxed("openai/*"), "api_key": boxed("gone", "another salt")}, {}),
    ]
    for number, (name, params, info) in enumerate(models):
        row = {"model_id": f"m{number}", "model_name": name, "litellm_params": params, "model_info": info}
        yield "ProxyModelTable", row | {"blocked": False} | _BY
    settings = {
        "fallbacks": [{"smart": ["fast"]}],
        "context_window_fallbacks": [{"fast": ["smart"]}],
        "model_group_alias": {"gpt-mini": "fast", "hid": {"model": "smart", "hidden": True}},
        "routing_strategy": "latency-based-routing",
        "num_retries": 2,
    }
    for name, value in {
        "router_settings": settings,
        "environment_variables": {"GROQ_API_KEY": boxed("gsk-real-0123")},
    }.items():
        yield "Config", {"param_name": name, "param_value": value}
