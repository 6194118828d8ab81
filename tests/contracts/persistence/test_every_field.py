"""Every field of everything that is stored comes back with the value it was stored with, and none with its default.

A new field without a column fails here by its name, in memory, on SQLite and on Postgres.
"""

from collections.abc import Awaitable, Callable
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from domain.admin_tokens import AdminToken
from domain.alerts import AlertChannel, AlertDelivery, AlertMark, AlertRule, ChannelLoad
from domain.audit import AuditEntry, AuditFilter, AuditRecord
from domain.authority import EVERYWHERE, Reach
from domain.availability import KeyCondition, KeyState, ProviderRest
from domain.issuers import Identity
from domain.keys import IssuedKey, ProviderKey, VirtualKey
from domain.limits import RateLimits
from domain.model_groups import ModelGroup
from domain.ports.repositories import Store, UnitOfWork
from domain.prices import PriceRow, Prices
from domain.providers import ModelPlace, Offering, Provider, ProviderSettings
from domain.quotas import QuotaChanges, QuotaCount, QuotaFinding
from domain.routes import Route
from domain.sign_in import OneTimeToken, Preferences, Session
from domain.subject_limits import StoredRule, Subject, SubjectRules
from domain.tenants import Membership, Tenant
from domain.timeouts import TimeoutOverrides
from domain.users import User
from tests.builders import (
    NOW,
    a_membership,
    a_provider,
    a_provider_key,
    a_tenant,
    a_user,
    a_virtual_key,
)
from tests.other_values import each_field_changed

Write = Callable[[UnitOfWork, Any], Awaitable[None]]
Read = Callable[[UnitOfWork, Any], Awaitable[Any]]


async def _add_provider(unit: UnitOfWork, provider: Provider) -> None:
    await unit.providers.add(provider)


async def _update_provider(unit: UnitOfWork, provider: Provider) -> None:
    await unit.providers.add(a_provider(provider.id))
    await unit.providers.update(provider)


async def _get_provider(unit: UnitOfWork, provider: Provider) -> Provider | None:
    return await unit.providers.get(provider.id)


async def _list_provider(unit: UnitOfWork, provider: Provider) -> Provider:
    return next(found for found in await unit.providers.list_all() if found.id == provider.id)


async def _add_key(unit: UnitOfWork, key: ProviderKey) -> None:
    await unit.keys.add(key)


async def _get_key(unit: UnitOfWork, key: ProviderKey) -> ProviderKey | None:
    return await unit.keys.get(key.id)


async def _list_key(unit: UnitOfWork, key: ProviderKey) -> ProviderKey:
    return next(found for found in await unit.keys.list_for(key.provider_id) if found.id == key.id)


async def _add_virtual_key(unit: UnitOfWork, key: VirtualKey) -> None:
    for tenant_id in {"ten_default", key.tenant_id}:
        if await unit.tenants.get(tenant_id, EVERYWHERE) is None:
            await unit.tenants.add(a_tenant(tenant_id))
    await unit.virtual_keys.add(key)


async def _update_virtual_key(unit: UnitOfWork, key: VirtualKey) -> None:
    await _add_virtual_key(unit, a_virtual_key(key.id, tenant_id=key.tenant_id))
    await unit.virtual_keys.update(key)


async def _get_virtual_key(unit: UnitOfWork, key: VirtualKey) -> VirtualKey | None:
    return await unit.virtual_keys.get(key.id, EVERYWHERE)


async def _find_virtual_key(unit: UnitOfWork, key: VirtualKey) -> VirtualKey | None:
    issued = await unit.virtual_keys.find([key.digest])
    return issued.key if issued is not None else None


async def _add_tenant(unit: UnitOfWork, tenant: Tenant) -> None:
    await unit.tenants.add(tenant)


async def _get_tenant(unit: UnitOfWork, tenant: Tenant) -> Tenant | None:
    return await unit.tenants.get(tenant.id, EVERYWHERE)


async def _update_tenant(unit: UnitOfWork, tenant: Tenant) -> None:
    await unit.tenants.add(a_tenant(tenant.id))
    await unit.tenants.update(tenant)


async def _list_tenant(unit: UnitOfWork, tenant: Tenant) -> Tenant:
    return next(found for found in await unit.tenants.list_page(EVERYWHERE, 500, None) if found.id == tenant.id)


async def _add_user(unit: UnitOfWork, user: User) -> None:
    await unit.users.add(user)


async def _update_user(unit: UnitOfWork, user: User) -> None:
    await unit.users.add(a_user(user.id))
    await unit.users.update(user)


async def _get_user(unit: UnitOfWork, user: User) -> User | None:
    return await unit.users.get(user.id)


async def _find_user(unit: UnitOfWork, user: User) -> User | None:
    return await unit.users.find(user.email or "")


async def _add_membership(unit: UnitOfWork, membership: Membership) -> None:
    await unit.tenants.add(a_tenant(membership.tenant_id))
    await unit.users.add(a_user(membership.user_id))
    await unit.memberships.add(membership)


async def _update_membership(unit: UnitOfWork, membership: Membership) -> None:
    await _add_membership(unit, a_membership(membership.tenant_id, membership.user_id))
    await unit.memberships.update(membership)


async def _get_membership(unit: UnitOfWork, membership: Membership) -> Membership | None:
    return await unit.memberships.get(membership.tenant_id, membership.user_id, EVERYWHERE)


async def _list_membership(unit: UnitOfWork, membership: Membership) -> Membership:
    return (await unit.memberships.list_of_tenant(membership.tenant_id, EVERYWHERE, 9, None))[0][0]


async def _put_group(unit: UnitOfWork, group: ModelGroup) -> None:
    await unit.model_groups.put(group)


async def _get_group(unit: UnitOfWork, group: ModelGroup) -> ModelGroup | None:
    return await unit.model_groups.get(group.name)


async def _save_state(unit: UnitOfWork, state: KeyState) -> None:
    await unit.availability.save([state], NOW)


async def _replace_state(unit: UnitOfWork, state: KeyState) -> None:
    await unit.availability.save([KeyState(state.key_id, KeyCondition.EXHAUSTED, model=state.model)], NOW)
    await unit.availability.save([state], NOW)


async def _load_state(unit: UnitOfWork, state: KeyState) -> KeyState:
    return next(found for found in await unit.availability.load() if found.id == state.id)


async def _replace_offering(unit: UnitOfWork, offering: Offering) -> None:
    await unit.offerings.replace("alpha", NOW, [offering])


async def _load_offering(unit: UnitOfWork, _: Offering) -> Offering:
    return (await unit.offerings.load())[0][2][0]


async def _add_rule(unit: UnitOfWork, rule: StoredRule) -> None:
    await unit.rules.add(rule)


async def _update_rule(unit: UnitOfWork, rule: StoredRule) -> None:
    await unit.rules.add(msgspec.structs.replace(RULE, id=rule.id))
    await unit.rules.update(rule)


async def _get_rule(unit: UnitOfWork, rule: StoredRule) -> StoredRule | None:
    return await unit.rules.get(rule.id)


async def _list_rule(unit: UnitOfWork, rule: StoredRule) -> StoredRule:
    return next(found for found in await unit.rules.list_all() if found.id == rule.id)


async def _keep_price(unit: UnitOfWork, price: PriceRow) -> None:
    await unit.prices.keep([price])


async def _set_price(unit: UnitOfWork, price: PriceRow) -> None:
    await unit.prices.supersede(price)


async def _get_price(unit: UnitOfWork, price: PriceRow) -> PriceRow | None:
    return await unit.prices.get(price.id)


WAYS: dict[str, tuple[type[msgspec.Struct], Write, Read]] = {
    "provider added": (Provider, _add_provider, _get_provider),
    "provider updated": (Provider, _update_provider, _get_provider),
    "provider listed": (Provider, _add_provider, _list_provider),
    "provider key added": (ProviderKey, _add_key, _get_key),
    "provider key listed": (ProviderKey, _add_key, _list_key),
    "virtual key added": (VirtualKey, _add_virtual_key, _get_virtual_key),
    "virtual key updated": (VirtualKey, _update_virtual_key, _get_virtual_key),
    "virtual key found": (VirtualKey, _add_virtual_key, _find_virtual_key),
    "tenant added": (Tenant, _add_tenant, _get_tenant),
    "tenant updated": (Tenant, _update_tenant, _list_tenant),
    "user added": (User, _add_user, _get_user),
    "user updated": (User, _update_user, _find_user),
    "membership added": (Membership, _add_membership, _get_membership),
    "membership updated": (Membership, _update_membership, _list_membership),
    "model group put": (ModelGroup, _put_group, _get_group),
    "key state saved": (KeyState, _save_state, _load_state),
    "key state replaced": (KeyState, _replace_state, _load_state),
    "offering listed": (Offering, _replace_offering, _load_offering),
    "rule added": (StoredRule, _add_rule, _get_rule),
    "rule updated": (StoredRule, _update_rule, _list_rule),
    "catalog price kept": (PriceRow, _keep_price, _get_price),
    "price set": (PriceRow, _set_price, _get_price),
}
"""What is written, how, and how it is read back by a unit that did not write it."""


def _numbered(entity: Any, number: int) -> Any:
    """The same under an id, and a digest, of its own: every changed field is a row beside the others."""
    identity = next((name for name in ("id", "key_id") if name in entity.__struct_fields__), None)
    if isinstance(entity, VirtualKey):
        entity = msgspec.structs.replace(entity, digest=entity.digest[:24] + number.to_bytes(8, "big"))
    if isinstance(entity, PriceRow):  # of a model, one is in force
        entity = msgspec.structs.replace(entity, model=f"{entity.model}_{number}")
    if isinstance(entity, Membership):
        return msgspec.structs.replace(entity, tenant_id=f"ten_{number}", user_id=f"usr_{number}")
    if isinstance(entity, User):
        entity = msgspec.structs.replace(entity, email=f"{number}{entity.email}")
    if identity is None:
        return entity
    return msgspec.structs.replace(entity, **{identity: f"{getattr(entity, identity)}_{number}"})


def _within(provider: Callable[[Any], Provider]) -> Callable[[Any, int], Provider]:
    return lambda part, number: msgspec.structs.replace(provider(part), id=f"alpha_{number}")


RULE = StoredRule("bud_1", Subject("tag", "batch"), RateLimits(), None, NOW, NOW)

PRICE = PriceRow("price_1", "alpha", "m", Prices(1, 2), "admin", NOW)

PARTS: dict[type[msgspec.Struct], tuple[tuple[msgspec.Struct, Callable[[Any, int], Any]], ...]] = {
    Provider: (
        (a_provider(), _numbered),
        (ProviderSettings(), _within(lambda settings: a_provider(settings=settings))),
        (TimeoutOverrides(), _within(lambda timeouts: a_provider(settings=ProviderSettings(timeouts=timeouts)))),
        (ModelPlace(), _within(lambda found: a_provider(settings=ProviderSettings(model_places={"m": found})))),
    ),
    ProviderKey: ((a_provider_key(), _numbered),),
    VirtualKey: ((a_virtual_key(), _numbered),),
    StoredRule: ((RULE, _numbered),),
    Tenant: (
        (a_tenant(), _numbered),
        (RateLimits(), lambda limits, number: _numbered(a_tenant(limits=limits), number)),
    ),
    User: ((a_user(), _numbered),),
    ModelGroup: (
        (ModelGroup("g", ("m",), NOW, NOW), lambda g, number: msgspec.structs.replace(g, name=f"{g.name}{number}")),
    ),
    Membership: ((a_membership(), _numbered),),
    KeyState: ((KeyState("pk_1", KeyCondition.INVALID, since=NOW, strikes=3), _numbered),),
    Offering: ((Offering("m"), _numbered),),
    PriceRow: (
        (PRICE, _numbered),
        (Prices(1, 2), lambda prices, number: _numbered(msgspec.structs.replace(PRICE, prices=prices), number)),
    ),
}
"""By what is written: entities with fields to change, and what is written with such a one in it."""


@pytest.mark.parametrize("name", WAYS)
async def test_every_field_comes_back(store: Store, name: str) -> None:
    written_type, write, read = WAYS[name]
    changes = [
        (f"{type(entity).__name__}.{field}", whole(changed, number))
        for entity, whole in PARTS[written_type]
        for number, (field, changed) in enumerate(each_field_changed(entity))
        if (written_type, field) != (KeyState, "replaces")  # which is of a change alone
    ]
    lost = []
    for number, (field, entity) in enumerate(changes):
        written = _numbered(entity, number)
        async with store.write() as unit:
            await write(unit, written)
        async with store.read() as unit:
            if await read(unit, written) != written:
                lost.append(field)

    assert lost == []


def test_everything_that_is_stored_is_asked() -> None:
    """A repository of a new entity has no row above until it is given one."""
    repositories = {
        get_type_hints(found.fget)["return"] for found in vars(UnitOfWork).values() if hasattr(found, "fget")
    }
    entities = {
        entity
        for repository in repositories
        for method in vars(repository).values()
        if callable(method)
        for hint in get_type_hints(method).values()
        for entity in _structs_of(hint)
        if entity.__module__ not in {"domain.model_facts", "domain.price_catalogs"}  # `test_model_facts`, `test_prices`
    }

    of_fields = {SubjectRules}  # the fields of keys, members, users and tenants, which have rows of their own
    of_alerts = {AlertChannel, AlertDelivery, AlertMark, AlertRule, ChannelLoad}  # `test_alerts.py` has them
    of_quotas = {QuotaChanges, QuotaCount, QuotaFinding}  # `test_quotas.py` has them
    of_others = {AdminToken, Route, ProviderRest}  # `test_admin_tokens.py`, `test_routes.py`, `test_rests.py` do
    of_the_trail = {AuditEntry, AuditFilter, AuditRecord}  # `test_audit.py` has it
    of_sign_in = {Session, OneTimeToken, Preferences, Identity}  # `test_sign_in.py`, `test_identities.py` have them
    elsewhere = of_fields | of_alerts | of_quotas | of_others | {IssuedKey, Reach} | of_the_trail | of_sign_in
    assert entities - elsewhere == set(PARTS)


def _structs_of(hint: Any) -> set[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return {hint}
    return {found for inner in get_args(hint) for found in _structs_of(inner)}


UPDATED = {"label", "weight", "secret", "quota", "updated_at"}
"""What an update of a provider key changes; the rest is what the key is."""


async def test_every_field_of_a_provider_key_is_changed_or_stays_by_an_update(store: Store) -> None:
    async with store.write() as unit:
        await unit.keys.add(a_provider_key())
    wrong = []

    for field, changed in each_field_changed(a_provider_key(), id="pk_1"):
        async with store.write() as unit:
            await unit.keys.update(changed)
        async with store.write() as unit:
            expected = changed if field in UPDATED else a_provider_key()
            if await unit.keys.get("pk_1") != expected:
                wrong.append(field)
            await unit.keys.update(a_provider_key())

    assert wrong == []
