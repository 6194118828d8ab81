"""Clients' keys as an admin sees and changes them. A secret is returned once and only its digest is kept (P-21)."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from application.admin.config_write import config_write
from application.admin.paging import Page, first_of
from application.admission.authentication import DEFAULT_TENANT_ID, Authenticator
from application.snapshot import GatewayState
from domain.errors import Conflict, NotFound, RequestInvalid
from domain.keys import VIRTUAL_KEY_PREFIX, VirtualKey, generate_key
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock, IdFactory
from domain.ports.security import KeyHasher
from domain.secrets import Secret

KeyName = Annotated[str, Meta(max_length=200)]
ModelPatterns = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=512)], ...], Meta(max_length=1000)]
ProviderIds = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=63)], ...], Meta(max_length=1000)]
Moment = Annotated[datetime, Meta(tz=True)]


class NewVirtualKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key to create. Null or absent grants mean all of them.

    `allowed_models` holds model ids, `provider/model`, `provider/*` or `*`; `allowed_providers` provider ids.
    For a `strict` key a parameter that a provider could only drop is refused with 400.
    """

    name: KeyName = ""
    tenant_id: str | None = None
    allowed_models: ModelPatterns | None = None
    allowed_providers: ProviderIds | None = None
    expires_at: Moment | None = None
    strict: bool = False


class VirtualKeyChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields to change: what is absent stays, null lifts the restriction."""

    name: KeyName | UnsetType = UNSET
    allowed_models: ModelPatterns | UnsetType | None = UNSET
    allowed_providers: ProviderIds | UnsetType | None = UNSET
    expires_at: Moment | UnsetType | None = UNSET
    strict: bool | UnsetType = UNSET


class VirtualKeyAdmin:
    """Creates, lists, changes, rotates, revokes and deletes virtual keys.

    Every write bumps the configuration's version, by which other processes learn within a second that their
    cached keys are old; in this process the key is forgotten before the admin is answered (S-09, P-11).
    """

    def __init__(
        self,
        store: Store,
        state: GatewayState,
        authenticator: Authenticator,
        hasher: KeyHasher,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._store = store
        self._state = state
        self._authenticator = authenticator
        self._hasher = hasher
        self._clock = clock
        self._ids = ids

    async def list_page(self, limit: int, cursor: str | None) -> Page[VirtualKey]:
        """Newest first, revoked and expired ones too."""
        async with self._store.read() as unit:
            found = await unit.virtual_keys.list_page(limit + 1, cursor)
        return first_of(found, limit, lambda key: key.id)

    async def get(self, key_id: str) -> VirtualKey:
        """Raises `NotFound`."""
        async with self._store.read() as unit:
            return await _found(unit, key_id)

    async def create(self, new: NewVirtualKey) -> tuple[VirtualKey, Secret]:
        """The key and, this once, its secret. Raises `RequestInvalid` for a tenant that is not there."""
        secret = generate_key(VIRTUAL_KEY_PREFIX)
        now = self._clock.now()
        key = VirtualKey(
            id=self._ids.new("key"),
            tenant_id=new.tenant_id or DEFAULT_TENANT_ID,
            name=new.name,
            digest=self._hasher.digest(secret.reveal()),
            last4=secret.last4,
            allowed_models=new.allowed_models,
            allowed_providers=new.allowed_providers,
            expires_at=_utc(new.expires_at),
            revoked_at=None,
            version=1,
            created_at=now,
            updated_at=now,
            strict=new.strict,
        )
        async with config_write(self._store) as unit:
            if await unit.tenants.get(key.tenant_id) is None:
                raise RequestInvalid(f"There is no tenant '{key.tenant_id}'.", param="tenant_id")
            await unit.virtual_keys.add(key)
        await self._took_effect(key.id)
        return key, secret

    async def update(self, key_id: str, change: VirtualKeyChange) -> VirtualKey:
        """Raises `NotFound`. Requests under way keep the rights they were let in with."""
        async with config_write(self._store) as unit:
            key = await _found(unit, key_id)
            changed = await self._store_change(
                unit,
                key,
                name=key.name if change.name is UNSET else change.name,
                allowed_models=key.allowed_models if change.allowed_models is UNSET else change.allowed_models,
                allowed_providers=(
                    key.allowed_providers if change.allowed_providers is UNSET else change.allowed_providers
                ),
                expires_at=key.expires_at if change.expires_at is UNSET else _utc(change.expires_at),
                strict=key.strict if change.strict is UNSET else change.strict,
            )
        await self._took_effect(key_id)
        return changed

    async def revoke(self, key_id: str) -> VirtualKey:
        """For good, and at once. A key that is revoked already stays as it is. Raises `NotFound`."""
        async with config_write(self._store) as unit:
            key = await _found(unit, key_id)
            if key.revoked_at is None:
                key = await self._store_change(unit, key, revoked_at=self._clock.now())
        await self._took_effect(key_id)
        return key

    async def rotate(self, key_id: str) -> tuple[VirtualKey, Secret]:
        """A new secret for the same key; the old one ends at once. Raises `NotFound`, and `Conflict` if revoked."""
        secret = generate_key(VIRTUAL_KEY_PREFIX)
        async with config_write(self._store) as unit:
            key = await _found(unit, key_id)
            if key.revoked_at is not None:
                raise Conflict(f"Key '{key_id}' is revoked, and that is for good. Create a new one.", code="revoked")
            changed = await self._store_change(
                unit, key, digest=self._hasher.digest(secret.reveal()), last4=secret.last4
            )
        await self._took_effect(key_id)
        return changed, secret

    async def delete(self, key_id: str) -> None:
        """Raises `NotFound`."""
        async with config_write(self._store) as unit:
            if not await unit.virtual_keys.delete(key_id):
                raise _no_such_key(key_id)
        await self._took_effect(key_id)

    async def _store_change(self, unit: UnitOfWork, key: VirtualKey, **changes: object) -> VirtualKey:
        changed = msgspec.structs.replace(key, **changes, version=key.version + 1, updated_at=self._clock.now())
        await unit.virtual_keys.update(changed)
        return changed

    async def _took_effect(self, key_id: str) -> None:
        self._authenticator.forget(key_id)
        await self._state.reload()


async def _found(unit: UnitOfWork, key_id: str) -> VirtualKey:
    key = await unit.virtual_keys.get(key_id)
    if key is None:
        raise _no_such_key(key_id)
    return key


def _no_such_key(key_id: str) -> NotFound:
    return NotFound(f"There is no key '{key_id}'. GET /admin/keys lists them.")


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment is not None else None
