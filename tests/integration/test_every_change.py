"""Whatever of an object can be changed is changed by PATCH and read back, field by field, and null does what it says.

The fields come from the entities: one that a change model, an answer or the page of the API forgot fails by its name.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args

import httpx
import msgspec
import pytest

from application.admin.members import MemberChange, NewMember
from application.admin.price_lists import NewPrices
from application.admin.provider_changes import ProviderChange, SettingsChange
from application.admin.tenants import NewTenant, TenantChange
from application.admin.users import NewUser, UserChange
from application.admin.virtual_keys import NewVirtualKey, VirtualKeyChange
from application.configuration.new_providers import DeclaredKey, DeclaredProvider, NewProvider
from domain.keys import ProviderKey, VirtualKey
from domain.prices import Prices
from domain.providers import Provider, ProviderSettings
from domain.secrets import Secret
from domain.tenants import Membership, Tenant
from domain.users import User
from entrypoints.http.admin.members import MemberResponse
from entrypoints.http.admin.provider_keys import NewProviderKey, ProviderKeyChange, ProviderKeyResponse
from entrypoints.http.admin.providers import ProviderResponse
from entrypoints.http.admin.tenants import TenantResponse
from entrypoints.http.admin.users import UserResponse
from entrypoints.http.admin.virtual_keys import VirtualKeyResponse
from tests.integration.admin_app import AdminApp
from tests.other_values import other_value

Struct = type[msgspec.Struct]

DECIDED_BY_THE_GATEWAY = {"id", "owner", "version", "created_at", "updated_at"}
OF_A_SECRET = {"digest", "last4", "previous_digest", "previous_until"}
FIXED: dict[Struct, set[str]] = {
    Provider: DECIDED_BY_THE_GATEWAY,
    ProviderSettings: set(),
    ProviderKey: DECIDED_BY_THE_GATEWAY | {"provider_id"},
    VirtualKey: DECIDED_BY_THE_GATEWAY | OF_A_SECRET | {"tenant_id", "revoked_at", "owner_id", "last_used_at"},
    Tenant: DECIDED_BY_THE_GATEWAY | {"kind"},
    User: DECIDED_BY_THE_GATEWAY | {"personal_tenant_id", "last_seen_at"},
    Membership: DECIDED_BY_THE_GATEWAY | {"tenant_id", "user_id", "managed_by"},
    Prices: {"units"},  # beside the prices
}
"""What of an entity no one changes by PATCH; everything else can be."""

CHANGES: dict[Struct, Struct] = {
    Provider: ProviderChange,
    ProviderSettings: SettingsChange,
    ProviderKey: ProviderKeyChange,
    VirtualKey: VirtualKeyChange,
    Tenant: TenantChange,
    User: UserChange,
    Membership: MemberChange,
}

WRITTEN: list[tuple[Struct, Struct, set[str]]] = [
    (Provider, NewProvider, {"id"}),
    (Provider, DeclaredProvider, {"id", "keys"}),
    (ProviderKey, NewProviderKey, set()),
    (ProviderKey, DeclaredKey, set()),
    (VirtualKey, NewVirtualKey, {"tenant_id", "owner_id"}),
    (Prices, NewPrices, set()),
    (Tenant, NewTenant, {"kind"}),
    (User, NewUser, set()),
    (Membership, NewMember, {"user_id", "email"}),
]
"""What is written at first, for the entity that becomes of it, with what it says besides what can be changed."""

SHOWN: list[tuple[Struct, Struct, set[str]]] = [
    (Provider, ProviderResponse, {"version"}),
    (ProviderKey, ProviderKeyResponse, {"secret"}),
    (VirtualKey, VirtualKeyResponse, {"version", "digest", "previous_digest"}),
    (Tenant, TenantResponse, {"version"}),
    (User, UserResponse, {"version"}),
    (Membership, MemberResponse, set()),
]
"""What is shown, of which entity, and what of that is hidden."""

PAGE = Path(__file__).parents[2] / "docs" / "admin-api.md"


def names(type_: Struct) -> set[str]:
    return {field.name for field in msgspec.structs.fields(type_)}


def changeable(entity: Struct) -> set[str]:
    return names(entity) - FIXED[entity]


@pytest.mark.parametrize("entity", CHANGES)
def test_everything_that_is_not_fixed_can_be_changed(entity: Struct) -> None:
    assert names(CHANGES[entity]) == changeable(entity)


@pytest.mark.parametrize(("entity", "new", "besides"), WRITTEN)
def test_everything_that_can_be_changed_can_be_given_at_first(entity: Struct, new: Struct, besides: set[str]) -> None:
    assert names(new) == changeable(entity) | besides


@pytest.mark.parametrize(("entity", "answer", "hidden"), SHOWN)
def test_everything_that_is_not_hidden_is_shown(entity: Struct, answer: Struct, hidden: set[str]) -> None:
    assert names(entity) - names(answer) == hidden


@pytest.mark.parametrize("entity", [Provider, ProviderSettings])
def test_the_page_of_the_api_names_every_field_of_a_provider(entity: Struct) -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = page.partition("## Providers")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", "".join(line for line in table.splitlines() if line.startswith("|"))))

    assert changeable(entity) - named == set()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = await AdminApp.make()
    async with app.client() as client:
        yield client


CREATED: dict[Struct, tuple[str, dict[str, object]]] = {
    Provider: ("/admin/providers", {"id": "openrouter"}),
    ProviderSettings: ("/admin/providers", {"id": "openrouter"}),
    ProviderKey: ("/admin/providers/openrouter/keys", {"secret": "first-secret-0123456789"}),
    VirtualKey: ("/admin/keys", {"name": "first"}),
    Tenant: ("/admin/tenants", {"name": "first"}),
    User: ("/admin/users", {"email": "ann@example.org"}),
    Membership: ("/admin/tenants/ten_default/members", {"email": "ann@example.org"}),
}
BUDGET = {
    "limit_usd": "7.50",
    "period": "rolling_5h",
    "timezone": "Europe/Berlin",
    "warn_at": [0.5],
    "on_exceeded": "downgrade",
    "downgrade_to": "cheap",
    "hold": "worst_case",
    "unpriced": "allow",
    "models": ["openai/*"],
}
SPECIAL: dict[tuple[Struct, str], object] = {
    (Provider, "base_url"): "https://openrouter.example/other",
    (Provider, "settings"): {"models": ["m"]},
    (ProviderSettings, "preset"): "openrouter",
    (ProviderSettings, "on_disconnect"): "drain",
    (Tenant, "budgets"): [BUDGET],
    (Tenant, "cidrs"): ["10.0.0.0/8"],
    (User, "budgets"): [BUDGET],
    (User, "email"): "bob@example.org",
    (Membership, "budgets"): [BUDGET],
    (ProviderSettings, "proxy"): "http://proxy.example:3128",
    (ProviderSettings, "headers"): {"x-team": "research"},
    (VirtualKey, "allowed_endpoints"): ["chat.completions"],
    (VirtualKey, "cidrs"): ["10.0.0.0/8"],
    (VirtualKey, "expires_at"): "2027-01-01T00:00:00Z",
}


async def created(http: httpx.AsyncClient, entity: Struct) -> str:
    """The path of a new one."""
    if entity is ProviderKey:
        await created(http, Provider)
    path, body = CREATED[entity]
    answer = await http.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return f"{path}/{answer.json()['user_id' if entity is Membership else 'id']}"


def wrapped(entity: Struct, field: str, value: object) -> dict[str, object]:
    return {"settings": {field: value}} if entity is ProviderSettings else {field: value}


async def shown(http: httpx.AsyncClient, path: str, entity: Struct, field: str) -> Any:
    """The field as it is read; of a secret, its fingerprint; of a setting that has its default, None."""
    answer = (await http.get(path)).json()
    if entity is ProviderSettings:
        return answer["settings"].get(field)
    return answer["fingerprint" if field == "secret" else field]


def another(entity: Struct, field: str, before: object) -> Any:
    """A value for the field, as JSON has it."""
    type_ = next(found.type for found in msgspec.structs.fields(entity) if found.name == field)
    value = SPECIAL.get((entity, field)) or other_value(type_, before)
    return value.reveal() if isinstance(value, Secret) else msgspec.json.decode(msgspec.json.encode(value))


EACH = [(entity, field) for entity in CHANGES for field in sorted(changeable(entity))]


@pytest.mark.parametrize(("entity", "field"), EACH)
async def test_each_field_is_changed_and_read_back_and_null_undoes_it_or_is_refused(
    http: httpx.AsyncClient, entity: Struct, field: str
) -> None:
    path = await created(http, entity)
    before = await shown(http, path, entity, field)
    sent = another(entity, field, before)

    changed = await http.patch(path, json=wrapped(entity, field, sent))
    after = await shown(http, path, entity, field)
    undone = await http.patch(path, json=wrapped(entity, field, None))

    assert changed.status_code == 200, changed.text
    assert after != before
    assert after == (Secret(sent).fingerprint if field == "secret" else sent)
    change = next(found for found in msgspec.structs.fields(CHANGES[entity]) if found.name == field)
    takes_null = type(None) in get_args(change.type)
    assert undone.status_code == (200 if takes_null else 400), undone.text
    assert await shown(http, path, entity, field) == (before if takes_null else after)
