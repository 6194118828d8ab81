"""Further admin tokens as the platform's admin makes and ends them. A secret is returned once (P-21)."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from application.admin.allowances import Name
from application.admin.config_write import Change, config_write
from application.admin.paging import Page, first_of
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.admin_tokens import AdminToken, check_scopes, tenants_in
from domain.authority import EVERYWHERE, Right, require
from domain.errors import NotFound, RequestInvalid
from domain.keys import ADMIN_TOKEN_PREFIX, generate_key
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock, IdFactory
from domain.ports.security import KeyHasher
from domain.secrets import Secret

Moment = Annotated[datetime, Meta(tz=True)]
AdminScopes = Annotated[tuple[Annotated[str, Meta(max_length=160)], ...], Meta(max_length=50)]


class NewAdminToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A token to create.

    `scopes`: `all` is what the platform's admin may, `read` sees everything but secrets and changes nothing, `usage`
    reads usage and cost alone, `tenant:<id>` is an admin of that tenant. Several add up.
    """

    scopes: AdminScopes
    name: Name = ""
    expires_at: Moment | None = None


class AdminTokenChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields to change: what is absent stays, null for `expires_at` lets it never end."""

    name: Name | UnsetType = UNSET
    scopes: AdminScopes | UnsetType = UNSET
    expires_at: Moment | UnsetType | None = UNSET


class AdminTokenAdmin:
    """Creates, lists, changes and deletes admin tokens. All of it is the platform's: who has less gives none (S-01).

    A token is looked up whenever it is used, so that what is changed or deleted holds for the next request everywhere.
    """

    def __init__(self, store: Store, state: GatewayState, hasher: KeyHasher, clock: Clock, ids: IdFactory) -> None:
        self._store = store
        self._state = state
        self._hasher = hasher
        self._clock = clock
        self._ids = ids

    async def list_page(self, limit: int, cursor: str | None) -> Page[AdminToken]:
        """Newest first, expired ones too."""
        async with self._store.read() as unit:
            found = await unit.admin_tokens.list_page(limit + 1, cursor)
        return first_of(found, limit, lambda token: token.id)

    async def get(self, token_id: str) -> AdminToken:
        """Raises `NotFound`."""
        async with self._store.read() as unit:
            return await _found(unit, token_id)

    async def create(self, actor: Actor, new: NewAdminToken) -> tuple[AdminToken, Secret]:
        """The token and, this once, its secret. Raises `PermissionDenied`, `RequestInvalid`."""
        require(actor, Right.PLATFORM_WRITE, "")
        check_scopes(new.scopes)
        secret, now = generate_key(ADMIN_TOKEN_PREFIX), self._clock.now()
        token = AdminToken(
            id=self._ids.new("tok"),
            name=new.name,
            digest=self._hasher.digest(secret.reveal()),
            last4=secret.last4,
            scopes=new.scopes,
            expires_at=_utc(new.expires_at),
            created_at=now,
            updated_at=now,
        )
        async with config_write(self._store, self._state, actor, Change("create", "admin_token", token.id)) as unit:
            await _check_tenants(unit, token)
            await unit.admin_tokens.add(token)
        return token, secret

    async def update(self, actor: Actor, token_id: str, change: AdminTokenChange) -> AdminToken:
        """Raises `NotFound`, `PermissionDenied`, `RequestInvalid`."""
        require(actor, Right.PLATFORM_WRITE, "")
        given = {name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not UNSET}
        if change.expires_at is not UNSET:
            given["expires_at"] = _utc(change.expires_at)
        async with config_write(self._store, self._state, actor, Change("update", "admin_token", token_id)) as unit:
            token = await _found(unit, token_id)
            changed = msgspec.structs.replace(token, version=token.version + 1, updated_at=self._clock.now(), **given)
            check_scopes(changed.scopes)
            await _check_tenants(unit, changed)
            await unit.admin_tokens.update(changed)
        return changed

    async def delete(self, actor: Actor, token_id: str) -> None:
        """It ends at once. Raises `NotFound`, `PermissionDenied`."""
        require(actor, Right.PLATFORM_WRITE, "")
        async with config_write(self._store, self._state, actor, Change("delete", "admin_token", token_id)) as unit:
            await _found(unit, token_id)
            await unit.admin_tokens.delete(token_id)


async def _found(unit: UnitOfWork, token_id: str) -> AdminToken:
    token = await unit.admin_tokens.get(token_id)
    if token is None:
        raise NotFound(f"There is no admin token '{token_id}'. GET /admin/tokens lists them.")
    return token


async def _check_tenants(unit: UnitOfWork, token: AdminToken) -> None:
    for tenant_id in tenants_in(token.scopes):
        if await unit.tenants.get(tenant_id, EVERYWHERE) is None:
            raise RequestInvalid(f"There is no tenant '{tenant_id}'.", param="scopes")


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment is not None else None
