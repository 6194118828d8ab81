"""The fields that the API promises, resource by resource: given at first, shown, listed, and changed by PATCH."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx
import pytest

from tests.builders import NOW, a_request_record
from tests.integration.admin_app import AdminApp

LIMITS = {"rpm": 9, "rpd": 9, "tpm": 9, "tpd": 9, "itpm": 9, "otpm": 9, "parallel": 9}
BUDGETS = [
    {
        "limit_usd": "25.00",
        "period": "month",
        "timezone": "Europe/Berlin",
        "warn_at": [0.8],
        "on_exceeded": "block",
        "downgrade_to": None,
        "hold": "elastic",
        "models": ["openai/*"],
        "unpriced": "allow",
    }
]
UNSET = object()


class Resource(NamedTuple):
    """`new` is what a POST to `path` takes; `shown` what its answers have besides; `once` what only that answer has."""

    path: str
    new: dict[str, Any]
    shown: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()  # of `new`
    fixed: tuple[str, ...] = ()  # of `new`: it cannot be changed
    once: tuple[str, ...] = ()
    id_field: str = "id"
    first: tuple[tuple[str, dict[str, Any]], ...] = ()  # what must be there
    address: str = ""  # of one of them, where it is not the path and its id


PROVIDER: tuple[str, dict[str, Any]] = ("/admin/providers", {"id": "openai", "base_url": "https://api.openai.com/v1"})
MEMBER: tuple[str, dict[str, Any]] = ("/admin/users", {"email": "ann@example.org"})
RESOURCES = {
    "providers": Resource(
        "/admin/providers",
        {"id": "mine", "kind": "openai", "name": "Mine", "base_url": "https://a.example/v1", "priority": 3,
         "enabled": True, "settings": {}},
        shown=("status", "available_at", "capabilities", "keys"),
        fixed=("id", "kind"),
    ),
    "provider keys": Resource(
        "/admin/providers/openai/keys",
        {"label": "first", "secret": "sk-first-0123456789", "weight": 2,
         "quota": [{"dimension": "requests", "limit": 1000, "window": "day", "reset": "00:00 UTC", "pool": "all"}]},
        shown=("status", "last4", "fingerprint", "quotas"),
        hidden=("secret",),
        first=(PROVIDER,),
    ),
    "models": Resource(
        "/admin/models",
        {"provider": "openai", "model": "m", "prices": {"input": "1.25", "output": "10.00"},
         "units": {"image": {"*": "0.04"}}, "context_window": 1000, "strengths": {"coding": 0.82},
         "data_policy": {"regions": ["eu"], "retention_days": 30, "trains": False}, "deprecated_at": "2027-01-01",
         "retired_at": "2027-02-01", "successor": "n"},
        shown=("capabilities", "source", "effective_from", "latency_ms", "ttft_ms", "tokens_per_second"),
        fixed=("provider", "model", "prices", "units"),  # what it costs is set anew by POST
        id_field="model",
        first=(PROVIDER,),
        address="/admin/models/openai/m",
    ),
    "tenants": Resource(
        "/admin/tenants",
        {"name": "Research", "kind": "shared", "status": "active", "allowed_models": ["openai/*"],
         "allowed_providers": ["openai"], "limits": LIMITS, "budgets": BUDGETS, "tags": ["a"],
         "cidrs": ["10.0.0.0/8"], "external_id": "42"},
        fixed=("kind",),
    ),
    "members": Resource(
        "/admin/tenants/ten_default/members",
        {"email": "ann@example.org", "role": "member", "limits": LIMITS, "budgets": BUDGETS},
        shown=("user_id", "managed_by"),
        fixed=("email",),
        id_field="user_id",
        first=(MEMBER,),
    ),
    "users": Resource(
        "/admin/users",
        {"email": "bob@example.org", "name": "Bob", "platform_role": "none", "limits": LIMITS, "budgets": BUDGETS},
        shown=("status", "personal_tenant_id", "last_seen_at"),
        once=("invite_url",),
    ),
    "keys": Resource(
        "/admin/keys",
        {"name": "first", "tenant_id": "ten_default", "owner_id": None, "allowed_models": ["openai/*", "!openai/*-pro"],
         "allowed_providers": ["openai"], "allowed_endpoints": ["chat.completions"], "scopes": ["inference"],
         "cidrs": ["10.0.0.0/8"], "tags": ["a"], "metadata": {"a": "b"}, "limits": LIMITS, "budgets": BUDGETS,
         "strict": True, "expires_at": "2027-06-01T00:00:00Z"},
        shown=("last_used_at", "last4"),
        fixed=("tenant_id", "owner_id"),
        once=("secret",),
    ),
    "admin tokens": Resource(
        "/admin/tokens",
        {"name": "ci", "scopes": ["read"], "expires_at": "2027-06-01T00:00:00Z"},
        shown=("last4",),
        fixed=("name", "scopes", "expires_at"),
        once=("secret",),
    ),
    "limits": Resource(
        "/admin/limits", {"subject": {"kind": "tag", "id": "a"}} | LIMITS, fixed=("subject",)
    ),
    "budgets": Resource(
        "/admin/budgets",
        {"subject": {"kind": "model", "id": "openai/*"}} | BUDGETS[0],
        shown=("spent_usd", "held_usd", "remaining_usd", "period_start", "period_end"),
        fixed=("subject",),
    ),
    "model groups": Resource(
        "/admin/model-groups", {"name": "fast", "patterns": ["*-mini"]}, fixed=("name",), id_field="name"
    ),
    "alert channels": Resource(
        "/admin/alerts/channels",
        {"kind": "webhook", "url": "https://hooks.example.org/x"},
        fixed=("kind",),
        once=("secret",),
    ),
    "alert rules": Resource(
        "/admin/alerts/rules",
        {"event": "budget_threshold", "threshold": 0.8, "cooldown_seconds": 60, "channels": ["CHANNEL"]},
        fixed=("event",),
        first=(("/admin/alerts/channels", {"kind": "webhook", "url": "https://hooks.example.org/x"}),),
    ),
}  # fmt: skip


@pytest.fixture
async def app() -> AdminApp:
    return await AdminApp.make()


@pytest.fixture
async def http(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client() as client:
        yield client


async def created(http: httpx.AsyncClient, resource: Resource) -> dict[str, Any]:
    new = dict(resource.new)
    for path, body in resource.first:
        made = await http.post(path, json=body)
        assert made.status_code == 201, made.text
        if new.get("channels"):
            new["channels"] = [made.json()["id"]]
    answer = await http.post(resource.path, json=new)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert {name: found.get(name, UNSET) for name in new if name not in resource.hidden} == {
        name: value for name, value in new.items() if name not in resource.hidden
    }
    return found


@pytest.mark.parametrize("name", RESOURCES)
async def test_every_field_is_taken_and_shown_and_can_be_changed_alone(http: httpx.AsyncClient, name: str) -> None:
    resource = RESOURCES[name]
    made = await created(http, resource)
    fields = {*resource.new, *resource.shown} - {*resource.hidden}

    assert {*resource.shown, *resource.once} - {*made} == set()
    assert {*resource.hidden} & {*made} == set()
    listed = (await http.get(resource.path, params={"limit": 200})).json()
    assert {*listed} >= {"data", "next_cursor"}
    shown = [next(each for each in listed["data"] if each.get(resource.id_field) == made[resource.id_field])]
    address = resource.address or f"{resource.path}/{made[resource.id_field]}"
    answer = await http.get(address)
    assert answer.headers["etag"]
    shown.append(answer.json())
    for each in shown:
        assert fields - {*each} == set()
        assert {*resource.once, *resource.hidden} & {*each} == set()
    for field in resource.new:
        if field not in resource.fixed:
            value = made.get(field, resource.new[field])
            answer = await http.patch(address, json={field: value})
            assert (field, answer.status_code) == (field, 200), answer.text
            assert field in resource.hidden or answer.json()[field] == value


SETTINGS: dict[str, dict[str, Any]] = {
    "rate-limits": {"key": LIMITS, "tenant": LIMITS},
    "budgets": {"key": BUDGETS, "tenant": BUDGETS, "personal_tenant": BUDGETS},
    "default-models": {"models": ["openai/*"]},
}


@pytest.mark.parametrize("name", SETTINGS)
async def test_settings_are_read_and_changed(http: httpx.AsyncClient, name: str) -> None:
    path, wanted = f"/admin/settings/{name}", SETTINGS[name]
    assert {*wanted} - {*(await http.get(path)).json()} == set()

    changed = await http.patch(path, json=wanted)

    assert changed.status_code == 200, changed.text
    assert (await http.get(path)).json() == changed.json()


READ: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "usage": (
        "/admin/usage?group_by=model&stats=true",
        "data",
        ("model", "requests", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
         "reasoning_tokens", "cost_usd", "estimated_requests", "unpriced_requests", "error_requests",
         "refused_requests", "latency_ms", "ttft_ms"),
    ),
    "cost explained": (
        "/admin/usage/explain",
        "rows",
        ("provider", "model", "meter", "quantity", "price_usd", "price_source", "price_since", "cost_usd"),
    ),
    "request log": (
        "/admin/requests",
        "data",
        ("id", "created_at", "tenant_id", "key_id", "endpoint", "requested_model", "provider", "model", "status",
         "outcome", "error_code", "stream", "attempts", "input_tokens", "output_tokens", "cost_usd", "usage_source",
         "latency_ms", "ttft_ms", "user_id", "tags", "end_user", "session", "device", "refused_by", "would_refuse"),
    ),
    "audit": (
        "/admin/audit",
        "data",
        ("id", "created_at", "actor", "address", "request_id", "action", "object", "tenant_id", "changes", "outcome"),
    ),
    "limits explained": (
        "/admin/limits/explain?key_id=KEY",
        "limits",
        ("subject", "limit", "used", "held", "remaining", "unit", "period_end"),
    ),
    "budgets explained": (
        "/admin/limits/explain?key_id=KEY",
        "budgets",
        ("subject", "limit", "used", "held", "remaining", "unit", "period_end"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
async def test_what_can_only_be_read_has_its_fields(app: AdminApp, http: httpx.AsyncClient, name: str) -> None:
    address, place, fields = READ[name]
    app.fakes.usage.records.append(a_request_record(created_at=NOW))
    key = await created(http, RESOURCES["keys"])

    answer = (await http.get(address.replace("KEY", key["id"]))).json()

    assert answer[place]
    assert [sorted({*fields} - {*row}) for row in answer[place]] == [[]] * len(answer[place])
