"""Providers as an admin sees and changes them."""

from datetime import datetime

import msgspec
from msgspec import UNSET

from application.admin.config_write import config_write
from application.admin.ownership import declared, no_such_provider, preset_of, read_only, refuse_declared
from application.admin.paging import Page, page_of
from application.admin.provider_changes import NewProvider, ProviderChange, check_settings, check_url, origin_of
from application.admin.standing import key_ids_of, standing_of
from application.catalog import ModelDirectory
from application.snapshot import GatewayState, LiveProvider
from domain.availability import ProviderStatus
from domain.errors import Conflict
from domain.ports.policies import AvailabilityPolicy
from domain.ports.providers import ProviderRegistry
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock
from domain.providers import Provider, check_provider_id

DEFAULT_PRIORITY = 100
KEYS_REMOVED = (
    "Its stored keys were removed: a key is bound to the origin it was entered for, and base_url leads to another one. "
    "Add the keys for the new origin."
)


class ProviderView(msgspec.Struct, frozen=True):
    """A provider with where it stands: `base_url` is the one in use, `keys` their count, `notice` a side effect."""

    provider: Provider
    base_url: str | None
    status: ProviderStatus
    available_at: datetime | None
    reason: str
    capabilities: tuple[str, ...]
    keys: int
    notice: str | None = None


class ProviderAdmin:
    """Lists, creates, changes and deletes providers. Every write bumps the configuration's version in its own unit."""

    def __init__(
        self,
        store: Store,
        state: GatewayState,
        registry: ProviderRegistry,
        availability: AvailabilityPolicy,
        directory: ModelDirectory,
        clock: Clock,
    ) -> None:
        self._store = store
        self._state = state
        self._registry = registry
        self._availability = availability
        self._directory = directory
        self._clock = clock

    async def list_page(self, limit: int, cursor: str | None) -> Page[ProviderView]:
        """By priority, then id; the disabled ones too."""
        await self._state.reload_if_changed()
        everything = sorted(
            self._state.current.by_id.values(), key=lambda live: (live.provider.priority, live.provider.id)
        )
        page = page_of(everything, limit, cursor, lambda live: live.provider.id)
        return Page(tuple(self._view(live) for live in page.data), page.next_cursor)

    async def get(self, provider_id: str) -> ProviderView:
        """Raises `NotFound` (`provider_not_found`)."""
        await self._state.reload_if_changed()
        return self._view(self._live(provider_id))

    async def create(self, new: NewProvider) -> ProviderView:
        """Raises `RequestInvalid`, and `Conflict` where the id is taken."""
        check_provider_id(new.id)
        owner = declared(self._state, new.id)
        if owner is not None:
            raise read_only(f"Provider '{new.id}' exists already: it", owner.owner, preset_of(self._state, new.id))
        provider = self._filled(new)
        self._check(provider)
        async with config_write(self._store) as unit:
            await unit.providers.add(provider)
            # Keys that outlived an earlier provider of this id were entered for another origin (S-07).
            await unit.keys.delete_for(provider.id)
        await self._state.reload()
        return self._view(self._live(provider.id))

    async def update(self, provider_id: str, change: ProviderChange) -> ProviderView:
        """Raises `NotFound`, `RequestInvalid`, and `Conflict` for a provider that is declared elsewhere.

        A change that leads to another origin removes the stored keys in the same transaction (S-07).
        """
        async with config_write(self._store) as unit:
            before = await unit.providers.get(provider_id)
            if before is None:
                refuse_declared(self._state, provider_id)
            after = self._changed(before, change)
            self._check(after)
            await unit.providers.update(after)
            removed = await self._remove_keys(unit, before, after)
        await self._state.reload()
        for key_id in removed:
            self._availability.forget_key(key_id)
        live = self._live(provider_id)
        if (before.kind, before.base_url, before.settings) != (after.kind, after.base_url, after.settings):
            self._directory.forget(provider_id)
            self._availability.retry_provider(provider_id, [key_ids_of(live)[-1]])
        return self._view(live, KEYS_REMOVED if removed else None)

    async def delete(self, provider_id: str) -> None:
        """With its keys. Raises `NotFound`, and `Conflict` for a provider that is declared elsewhere."""
        async with config_write(self._store) as unit:
            keys = [key.id for key in await unit.keys.list_for(provider_id)]
            if not await unit.providers.delete(provider_id):
                refuse_declared(self._state, provider_id)
        await self._state.reload()
        self._availability.retry_provider(provider_id, [*keys, f"keyless:{provider_id}"])
        self._directory.forget(provider_id)

    async def retry(self, provider_id: str) -> ProviderView:
        """Whatever was learned against this provider is forgotten; the next request may ask it. Raises `NotFound`."""
        await self._state.reload_if_changed()
        live = self._live(provider_id)
        self._availability.retry_provider(provider_id, key_ids_of(live))
        return self._view(live)

    def _live(self, provider_id: str) -> LiveProvider:
        live = self._state.current.by_id.get(provider_id)
        if live is None:
            raise no_such_provider(provider_id)
        return live

    def _view(self, live: LiveProvider, notice: str | None = None) -> ProviderView:
        standing = standing_of(live, self._availability, self._clock)
        client = live.client
        return ProviderView(
            provider=live.provider,
            base_url=self._url_in_use(live.provider),
            status=standing.status,
            available_at=standing.available_at,
            reason=standing.reason,
            capabilities=client.capabilities.names() if client is not None else (),
            keys=len(live.keys),
            notice=notice,
        )

    def _filled(self, new: NewProvider) -> Provider:
        """The new provider with what it leaves out taken from its preset."""
        now = self._clock.now()
        bare = Provider(
            id=new.id,
            kind=new.kind or "openai",
            name=new.name or new.id,
            base_url=new.base_url,
            priority=DEFAULT_PRIORITY if new.priority is None else new.priority,
            enabled=new.enabled,
            settings=new.settings,
            owner="database",
            version=1,
            created_at=now,
            updated_at=now,
        )
        preset = self._registry.preset_for(bare)
        if preset is None:
            return bare
        return msgspec.structs.replace(
            bare,
            kind=new.kind or preset.kind,
            name=new.name or (preset.name if preset.id == new.id else new.id),
            priority=preset.priority if new.priority is None else new.priority,
        )

    def _changed(self, before: Provider, change: ProviderChange) -> Provider:
        fields = {
            name: value
            for name in ("kind", "name", "base_url", "priority", "enabled")
            if (value := getattr(change, name)) is not UNSET
        }
        settings = before.settings if change.settings is UNSET else change.settings.over(before.settings)
        return msgspec.structs.replace(
            before, **fields, settings=settings, version=before.version + 1, updated_at=self._clock.now()
        )

    def _check(self, provider: Provider) -> None:
        if provider.base_url is not None:
            check_url(provider.base_url)
        check_settings(provider.settings)
        self._registry.check(provider)

    async def _remove_keys(self, unit: UnitOfWork, before: Provider, after: Provider) -> list[str]:
        """The ids of the keys that were removed, because they are bound to the origin of before."""
        if origin_of(self._url_in_use(before)) == origin_of(self._url_in_use(after)):
            return []
        for key in self._state.declared.keys:
            if key.provider_id == before.id:
                raise Conflict(
                    f"Provider '{before.id}' has a key that is declared by the {key.owner} and bound to its present "
                    "origin. Remove that key there and restart, then change base_url.",
                    code="read_only",
                    param="base_url",
                )
        keys = [key.id for key in await unit.keys.list_for(before.id)]
        if keys:
            await unit.keys.delete_for(before.id)
        return keys

    def _url_in_use(self, provider: Provider) -> str | None:
        if provider.base_url is not None:
            return provider.base_url
        preset = self._registry.preset_for(provider)
        return preset.base_url if preset else None
