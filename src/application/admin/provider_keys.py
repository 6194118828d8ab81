"""A provider's keys as an admin sees and changes them: secrets go in and never come out (S-25)."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from application.admin.config_write import (
    Change,
    config_write,
    declared,
    no_such_provider,
    preset_of,
    read_only,
    record_change,
)
from application.admin.paging import Page, page_of
from application.admin.providers import Standing, quotas_of_key, standing_of_key
from application.catalog import ModelDirectory
from application.configuration.new_providers import checked_secret
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.availability import KeyCondition, KeyState, ProviderStatus
from domain.errors import Conflict, NotFound, RequestInvalid
from domain.keys import ProviderKey
from domain.ports.policies import AvailabilityPolicy
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock, IdFactory
from domain.quotas import Quotas, QuotaStanding
from domain.secrets import Secret

MAX_KEYS_OF_A_PROVIDER = 200


class ProviderKeyView(msgspec.Struct, frozen=True):
    """A key with where it stands. What is shown of the secret is its last four characters and its fingerprint."""

    key: ProviderKey
    standing: Standing
    resting_models: tuple[KeyState, ...] = ()  # those that are not available with this key though others may be
    quotas: tuple[QuotaStanding, ...] = ()


class ProviderKeyAdmin:
    """Lists, adds, changes, deletes and retries the keys of one provider."""

    def __init__(
        self,
        store: Store,
        state: GatewayState,
        availability: AvailabilityPolicy,
        directory: ModelDirectory,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._store = store
        self._state = state
        self._availability = availability
        self._directory = directory
        self._clock = clock
        self._ids = ids

    async def list_page(self, provider_id: str, limit: int, cursor: str | None) -> Page[ProviderKeyView]:
        """Declared ones first, then oldest first. Raises `NotFound`."""
        await self._state.reload_if_changed()
        page = page_of(self._keys(provider_id), limit, cursor, lambda key: key.id)
        return Page(tuple(self._view(key) for key in page.data), page.next_cursor)

    async def get(self, provider_id: str, key_id: str) -> ProviderKeyView:
        """Raises `NotFound`."""
        await self._state.reload_if_changed()
        return self._view(self._key(provider_id, key_id))

    async def add(
        self,
        actor: Actor,
        provider_id: str,
        *,
        secret: Secret,
        label: str,
        weight: int,
        quota: Quotas | None = None,
    ) -> ProviderKeyView:
        """To a declared provider too. Raises `NotFound`, `RequestInvalid`, and `Conflict` for a secret stored twice."""
        now = self._clock.now()
        checked = checked_secret(secret)
        key = ProviderKey(
            id=self._ids.new("pk"),
            provider_id=provider_id,
            label=label,
            secret=checked,
            weight=weight,
            owner="database",
            created_at=now,
            updated_at=now,
            quota=quota,
        )
        async with config_write(self._store, self._state, actor, Change("create", "provider_key", key.id)) as unit:
            if await unit.providers.get(provider_id) is None and declared(self._state, provider_id) is None:
                raise no_such_provider(provider_id)
            known = await unit.keys.list_for(provider_id)
            _refuse_more(known, checked)
            await unit.keys.add(key)
        return self._view(key)

    async def update(
        self,
        actor: Actor,
        provider_id: str,
        key_id: str,
        *,
        secret: Secret | UnsetType = UNSET,
        label: str | UnsetType = UNSET,
        weight: int | UnsetType = UNSET,
        quota: Quotas | UnsetType | None = UNSET,
    ) -> ProviderKeyView:
        """A changed secret starts afresh, whatever was learned of the old one.

        Raises `NotFound`, `RequestInvalid`, and `Conflict` for a key that is declared elsewhere.
        """
        async with config_write(self._store, self._state, actor, Change("update", "provider_key", key_id)) as unit:
            before = await self._stored(unit, provider_id, key_id)
            after = msgspec.structs.replace(
                before,
                secret=before.secret if secret is UNSET else checked_secret(secret),
                label=before.label if label is UNSET else label,
                weight=before.weight if weight is UNSET else weight,
                quota=before.quota if quota is UNSET else quota,
                updated_at=self._clock.now(),
            )
            await unit.keys.update(after)
        if after.secret != before.secret:
            if self._availability.key_state(key_id).condition is KeyCondition.INVALID:
                self._directory.forget(provider_id)  # its list could not be read with the old one
            self._availability.forget_key(key_id)
        return self._view(after)

    async def delete(self, actor: Actor, provider_id: str, key_id: str) -> None:
        """Raises `NotFound`, and `Conflict` for a key that is declared elsewhere."""
        async with config_write(self._store, self._state, actor, Change("delete", "provider_key", key_id)) as unit:
            key = await self._stored(unit, provider_id, key_id)
            await unit.keys.delete(key.id)
        self._availability.forget_key(key_id)

    async def retry(self, actor: Actor, provider_id: str, key_id: str) -> ProviderKeyView:
        """The key may be asked again from now on, whatever it last said. Raises `NotFound`."""
        await self._state.reload_if_changed()
        key = self._key(provider_id, key_id)
        await record_change(self._store, actor, Change("retry", "provider_key", key_id))
        self._availability.retry_key(key.id)
        return self._view(key)

    async def _stored(self, unit: UnitOfWork, provider_id: str, key_id: str) -> ProviderKey:
        key = await unit.keys.get(key_id)
        if key is not None and key.provider_id == provider_id:
            return key
        other = self._key(provider_id, key_id)
        if other.owner != "database":
            raise read_only(f"Key '{key_id}'", other.owner, preset_of(self._state, provider_id))
        raise _no_such_key(provider_id, key_id)

    def _keys(self, provider_id: str) -> tuple[ProviderKey, ...]:
        live = self._state.current.by_id.get(provider_id)
        if live is None:
            raise no_such_provider(provider_id)
        return live.keys

    def _key(self, provider_id: str, key_id: str) -> ProviderKey:
        for key in self._keys(provider_id):
            if key.id == key_id:
                return key
        raise _no_such_key(provider_id, key_id)

    def _view(self, key: ProviderKey) -> ProviderKeyView:
        standing = standing_of_key(self._availability.key_state(key.id))
        failing = self._availability.key_unhealthy_until(key.id)
        if failing is not None and standing.status is ProviderStatus.AVAILABLE and len(self._keys(key.provider_id)) > 1:
            standing = Standing(ProviderStatus.UNHEALTHY, failing, "Too many calls in a row with it failed.")
        resting = tuple(self._availability.resting_models(key.id))
        return ProviderKeyView(key, standing, resting, quotas_of_key(key.id, self._availability))


def _no_such_key(provider_id: str, key_id: str) -> NotFound:
    return NotFound(f"Provider '{provider_id}' has no key '{key_id}'. GET /admin/providers/{provider_id}/keys lists.")


def _refuse_more(known: Sequence[ProviderKey], secret: Secret) -> None:
    if len(known) >= MAX_KEYS_OF_A_PROVIDER:
        raise RequestInvalid(f"A provider has at most {MAX_KEYS_OF_A_PROVIDER} keys.")
    twin = next((key for key in known if key.secret == secret), None)
    if twin is not None:
        raise Conflict(f"This secret is stored already, as key '{twin.id}'.", param="secret")
