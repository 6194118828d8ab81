"""The unit of work of every admin write: it has an actor, a name and an audit entry, and other processes learn of it.

What the environment, the file or the demo declares is written there and nowhere else: here it is refused.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, Literal, NoReturn

import msgspec

from application.audit.differences import State, differences
from application.audit.versions import version_of
from application.pricing.book import catalogs_in_force
from application.snapshot import GatewayState
from domain.actors import CONFIGURATION, Actor
from domain.audit import AuditRecord
from domain.authority import EVERYWHERE
from domain.configuration import SETTING, Section
from domain.errors import Conflict, NotFound, StoreUnavailable, VersionConflict
from domain.ports.repositories import Store, UnitOfWork
from domain.provider_headers import is_hidden
from domain.providers import Owner, Provider, ProviderPreset, ProviderSettings
from domain.secrets import Secret

log = logging.getLogger(__name__)

Action = Literal["create", "update", "delete", "retry", "revoke", "rotate", "set", "end"]
ObjectKind = Literal[
    "provider",
    "provider_key",
    "virtual_key",
    "price",
    "price_catalog",
    "model",
    "limit",
    "budget",
    "tenant",
    "user",
    "member",
    "model_group",
    "route",
    "setting",
    "admin_token",
    "alert_channel",
    "alert_rule",
    "alert_delivery",
]

SECTION_OF: Final[Mapping[ObjectKind, Section]] = {
    "provider": Section.PROVIDERS,
    "provider_key": Section.PROVIDERS,
    "virtual_key": Section.VIRTUAL_KEYS,
    "price": Section.PRICES,
    "price_catalog": Section.PRICES,
    "model": Section.PRICES,
    "limit": Section.LIMITS,
    "budget": Section.LIMITS,
    "tenant": Section.TENANTS,
    "user": Section.PEOPLE,
    "member": Section.PEOPLE,
    "model_group": Section.TENANTS,
    "route": Section.ROUTES,
    "setting": Section.TENANTS,
    "admin_token": Section.PEOPLE,
    "alert_channel": Section.ALERTS,
    "alert_rule": Section.ALERTS,
    "alert_delivery": Section.ALERTS,
}


SECTION_OF_SETTING: Final[Mapping[str, Section]] = {
    "rate-limits": Section.LIMITS,
    "budgets": Section.LIMITS,
    "routing": Section.ROUTES,
}
"""Of settings that are read with another section than the rest."""

Read = Callable[[UnitOfWork, str], Awaitable[State]]


async def _provider(unit: UnitOfWork, provider_id: str) -> State:
    """With the ids of its keys: they go with it."""
    provider = await unit.providers.get(provider_id)
    if provider is None:
        return None
    fields = msgspec.structs.asdict(provider) | {"keys": [key.id for key in await unit.keys.list_for(provider_id)]}
    fields["settings"] = msgspec.structs.asdict(provider.settings) | _hidden(provider.settings)
    return fields


def _hidden(settings: ProviderSettings) -> dict[str, object]:
    """Those of the settings that may hold a credential, as what the trail shows no value of."""
    headers = {name: Secret(value) if is_hidden(name, value) else value for name, value in settings.headers.items()}
    return {"headers": headers} | ({} if settings.proxy is None else {"proxy": Secret(settings.proxy)})


async def _model(unit: UnitOfWork, object_id: str) -> State:
    """Of `provider/model`, the price in force and what else was set of it."""
    provider_id, _, model = object_id.partition("/")
    rows = await unit.prices.list_current()
    price = next((row for row in rows if (row.provider_id, row.model) == (provider_id, model)), None)
    facts = await unit.model_facts.get(provider_id, model)
    if facts is None:
        return price
    of_price: dict[str, object] = msgspec.structs.asdict(price) if price is not None else {}
    return of_price | msgspec.structs.asdict(facts)


async def _price_catalog(unit: UnitOfWork, _: str) -> State:
    """The version in force; none of those that were taken in is the release's."""
    in_force = await catalogs_in_force(unit)
    return {"in_force": in_force[-1] if in_force else ""}


async def _member(unit: UnitOfWork, object_id: str) -> State:
    """Of `tenant/user`."""
    tenant_id, _, user_id = object_id.partition("/")
    return await unit.memberships.get(tenant_id, user_id, EVERYWHERE)


async def _setting(unit: UnitOfWork, name: str) -> State:
    value = await unit.facts.get(SETTING + name)
    return None if value is None else {"value": msgspec.json.decode(value)}


async def _alert_delivery(unit: UnitOfWork, delivery_id: str) -> State:
    """What becomes of it: what it tells stays as it is."""
    found = await unit.alert_log.get(delivery_id)
    return None if found is None else {"status": found.status, "attempts": found.attempts, "error": found.error}


READ_OF: Final[Mapping[ObjectKind, Read]] = {
    "provider": _provider,
    "provider_key": lambda unit, object_id: unit.keys.get(object_id),
    "virtual_key": lambda unit, object_id: unit.virtual_keys.get(object_id, EVERYWHERE),
    "price": _model,
    "price_catalog": _price_catalog,
    "model": _model,
    "limit": lambda unit, object_id: unit.rules.get(object_id),
    "budget": lambda unit, object_id: unit.rules.get(object_id),
    "tenant": lambda unit, object_id: unit.tenants.get(object_id, EVERYWHERE),
    "user": lambda unit, object_id: unit.users.get(object_id),
    "member": _member,
    "model_group": lambda unit, object_id: unit.model_groups.get(object_id),
    "route": lambda unit, object_id: unit.routes.get(object_id),
    "setting": _setting,
    "admin_token": lambda unit, object_id: unit.admin_tokens.get(object_id),
    "alert_channel": lambda unit, object_id: unit.alert_config.get_channel(object_id),
    "alert_rule": lambda unit, object_id: unit.alert_config.get_rule(object_id),
    "alert_delivery": _alert_delivery,
}
"""How an object is read before and after its change: the audit entry is what differs."""


class Change(msgspec.Struct, frozen=True):
    """What a use case does, as the audit names it: `Change("revoke", "virtual_key", "key_0198")`."""

    action: Action
    object_kind: ObjectKind
    object_id: str


@asynccontextmanager
async def config_write(store: Store, state: GatewayState, actor: Actor, change: Change) -> AsyncIterator[UnitOfWork]:
    """Bumps the version of the object's section before anything is read, and reads the section after the commit.

    The bump holds that row until the unit commits, so of two changes to one object, in whatever processes,
    the second reads what the first wrote: a key revoked by one is not revived by the other's rename.
    """
    section = _section_of(change)
    async with store.write() as unit:
        version = await unit.config_versions.bump(section)
        before = await READ_OF[change.object_kind](unit, change.object_id) if actor.seen else None
        async with audited(unit, actor, change):
            yield unit
        _check_seen(actor, change, before)
        _check_owner(state, actor, change)
    log_change(actor, change)
    await state.written(section, version)


def _check_seen(actor: Actor, change: Change, before: State) -> None:
    """Last, so that nobody learns of an object that they may not see or change. Raises `VersionConflict`."""
    if actor.seen and change.action != "create" and version_of(before) not in actor.seen:
        raise VersionConflict(
            "Somebody else has changed this since it was read. Look at 'current', and send the change again with the "
            "ETag of this answer as If-Match; without If-Match the last change wins."
        )


def _check_owner(state: GatewayState, actor: Actor, change: Change) -> None:
    """Last, for the same reason. A key that leaked can be revoked, whosever it is. Raises `Conflict`."""
    file = state.owned_by_file.get((change.object_kind, change.object_id))
    if file is not None and actor != CONFIGURATION and change.action != "revoke":
        what = change.object_kind.replace("_", " ").capitalize()
        raise Conflict(
            f"{what} '{change.object_id}' is declared by {file}: change it there and restart.", code="read_only"
        )


@asynccontextmanager
async def audited(unit: UnitOfWork, actor: Actor, change: Change) -> AsyncIterator[None]:
    """Writes the audit entry of what is done inside, in the same unit: either both are there or neither (P-10, S-38).

    Raises `StoreUnavailable` where the entry cannot be written, whatever the reason.
    """
    read = READ_OF[change.object_kind]
    before = await read(unit, change.object_id)
    yield
    try:
        after = await read(unit, change.object_id)
        await unit.audit.append(
            AuditRecord(
                actor=actor,
                action=change.action,
                object_kind=change.object_kind,
                object_id=change.object_id,
                tenant_id=_tenant_of(change, before if after is None else after),
                changes=differences(before, after),
            )
        )
    except StoreUnavailable:
        raise
    except Exception as error:
        log.exception("the audit entry could not be written")
        raise StoreUnavailable("The audit entry could not be written, so nothing was changed.") from error


def _section_of(change: Change) -> Section:
    section = SECTION_OF[change.object_kind]
    return SECTION_OF_SETTING.get(change.object_id, section) if change.object_kind == "setting" else section


def _tenant_of(change: Change, state: State) -> str | None:
    return change.object_id if change.object_kind == "tenant" else getattr(state, "tenant_id", None)


async def record_change(store: Store, actor: Actor, change: Change) -> None:
    """The audit entry of what is changed in memory alone, such as a retry: written first. Raises `StoreUnavailable`."""
    async with store.write() as unit, audited(unit, actor, change):
        pass
    log_change(actor, change)


def log_change(actor: Actor, change: Change) -> None:
    """Says who changed what, once it is in force."""
    log.info(
        "changed by an admin",
        extra={
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "action": change.action,
            "object_kind": change.object_kind,
            "object_id": change.object_id,
        },
    )


def no_such_provider(provider_id: str) -> NotFound:
    return NotFound(
        f"There is no provider '{provider_id}'. GET /admin/providers lists them.", code="provider_not_found"
    )


def read_only(what: str, owner: Owner, preset: ProviderPreset | None) -> Conflict:
    """The refusal, with the owner and the place where the change can be made."""
    if owner == "environment":
        variable = f" ({preset.env[0]})" if preset and preset.env else ""
        where = f"the environment{variable}: change it there, or declare it in the settings file, and restart"
    elif owner == "file":
        where = "the settings file: change it there and restart"
    else:
        where = "the demo: start without --demo to be rid of it"
    return Conflict(f"{what} is declared by {where}.", code="read_only")


def declared(state: GatewayState, provider_id: str) -> Provider | None:
    """The provider of this id that is not the database's, if there is one."""
    return next((provider for provider in state.declared.providers if provider.id == provider_id), None)


def preset_of(state: GatewayState, provider_id: str) -> ProviderPreset | None:
    live = state.current.by_id.get(provider_id)
    return live.preset if live else None


def refuse_declared(state: GatewayState, provider_id: str) -> NoReturn:
    """Raises `Conflict` for a declared provider, `NotFound` for one that is nowhere."""
    provider = declared(state, provider_id)
    if provider is None:
        raise no_such_provider(provider_id)
    raise read_only(f"Provider '{provider_id}'", provider.owner, preset_of(state, provider_id))
