"""The configuration in force: an immutable snapshot, swapped whole, and the connections that belong to it."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

import msgspec

from domain.errors import GatewayError, StoreUnavailable
from domain.keys import ProviderKey
from domain.ports.providers import ProviderClient, ProviderRegistry
from domain.ports.repositories import Store
from domain.providers import Provider, ProviderPreset
from domain.timeouts import Timeouts

log = logging.getLogger(__name__)

CONFIG_VERSION = "config_version"
"""The fact every configuration write bumps in its own unit of work."""


class DeclaredConfig(msgspec.Struct, frozen=True):
    """Providers and keys that the environment, the file or the demo declares: read-only in the admin API."""

    providers: tuple[Provider, ...] = ()
    keys: tuple[ProviderKey, ...] = ()


class ClientLease:
    """One provider version's client, closed when it is retired and its last user is done (R-12)."""

    def __init__(self, client: ProviderClient, closing: set[asyncio.Task[None]]) -> None:
        self.client = client
        self._closing = closing
        self._users = 0
        self._retired = False

    def acquire(self) -> ProviderClient:
        """Use the client; every call is paired with one `release`."""
        self._users += 1
        return self.client

    def release(self) -> None:
        self._users -= 1
        self._close_if_done()

    def retire(self) -> None:
        """No new users will come."""
        self._retired = True
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._retired and self._users == 0:
            task = asyncio.get_running_loop().create_task(self.client.aclose())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


class LiveProvider(msgspec.Struct, frozen=True):
    """A provider with its keys and its client. `lease` is None where `problem` says why none could be built."""

    provider: Provider
    keys: tuple[ProviderKey, ...]
    lease: ClientLease | None
    requires_key: bool
    preset: ProviderPreset | None
    problem: str = ""

    @property
    def client(self) -> ProviderClient | None:
        return self.lease.client if self.lease else None


class Snapshot(msgspec.Struct, frozen=True):
    """All providers at one moment. `live` holds the enabled ones that have a client, by priority."""

    version: int
    live: tuple[LiveProvider, ...]
    by_id: Mapping[str, LiveProvider]


class GatewayState:
    """Holds the snapshot and makes a new one when the stored configuration changes."""

    def __init__(self, store: Store, registry: ProviderRegistry, declared: DeclaredConfig, timeouts: Timeouts) -> None:
        self._store = store
        self._registry = registry
        self._declared = declared
        self._timeouts = timeouts
        self._reloading = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        self._stored_version = -1
        self._listeners: list[Callable[[], None]] = []
        self.generation = 0
        self.current = Snapshot(0, (), {})

    @property
    def declared(self) -> DeclaredConfig:
        return self._declared

    def on_foreign_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever another process turns out to have changed the configuration."""
        self._listeners.append(listener)

    async def reload(self) -> None:
        """Read the configuration and swap the snapshot. Raises `StoreUnavailable` and keeps the old one."""
        async with self._reloading:
            async with self._store.read() as unit:
                version = int(await unit.facts.get(CONFIG_VERSION) or 0)
                stored = await unit.providers.list_all()
                keys = await unit.keys.list_all()
            self._swap(version, stored, keys)

    async def reload_if_changed(self) -> None:
        """Reload where another process changed the configuration. A store that is away changes nothing."""
        try:
            async with self._store.read() as unit:
                version = int(await unit.facts.get(CONFIG_VERSION) or 0)
            if version != self._stored_version:
                await self.reload()
                for listener in self._listeners:
                    listener()
        except StoreUnavailable:
            log.warning("configuration not checked: the store is away")

    async def aclose(self) -> None:
        """Retire every client and wait until each is closed."""
        for live in self.current.by_id.values():
            if live.lease:
                live.lease.retire()
        self.current = Snapshot(self.current.version, (), {})
        if self._closing:
            await asyncio.wait(self._closing, timeout=5)

    def _swap(self, version: int, stored: Sequence[Provider], stored_keys: Sequence[ProviderKey]) -> None:
        providers = {p.id: p for p in self._declared.providers} | {p.id: p for p in stored}
        keys: dict[str, list[ProviderKey]] = {}
        for key in (*self._declared.keys, *stored_keys):
            keys.setdefault(key.provider_id, []).append(key)
        before = self.current.by_id
        by_id = {p.id: self._live(p, tuple(keys.get(p.id, ())), before.get(p.id)) for p in providers.values()}
        order = sorted(by_id.values(), key=lambda live: (live.provider.priority, live.provider.id))
        live = tuple(entry for entry in order if entry.provider.enabled and entry.lease)
        self._stored_version = version
        self.generation += 1
        self.current = Snapshot(version, live, by_id)
        for provider_id, old in before.items():
            new = by_id.get(provider_id)
            if old.lease and (new is None or new.lease is not old.lease):
                old.lease.retire()

    def _live(self, provider: Provider, keys: tuple[ProviderKey, ...], before: LiveProvider | None) -> LiveProvider:
        requires_key = self._registry.requires_key(provider)
        preset = self._registry.preset_for(provider)
        if before is not None and before.provider == provider and before.lease:
            return LiveProvider(provider, keys, before.lease, requires_key, preset)
        try:
            lease = ClientLease(self._registry.build(provider, self._timeouts), self._closing)
        except GatewayError as error:
            log.warning("provider cannot be used", extra={"provider": provider.id, "reason": error.message})
            return LiveProvider(provider, keys, None, requires_key, preset, error.message)
        return LiveProvider(provider, keys, lease, requires_key, preset)
