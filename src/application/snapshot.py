"""The configuration in force: an immutable snapshot, swapped whole, and the connections that belong to it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from typing import Final

import msgspec

from application.configuration.precedence import merged
from domain.configuration import Learned, Section
from domain.errors import GatewayError, StoreUnavailable
from domain.keys import ProviderKey
from domain.model_facts import StoredModelFacts
from domain.ports.providers import ProviderClient, ProviderRegistry
from domain.ports.repositories import Store, UnitOfWork
from domain.prices import PriceRow
from domain.providers import Provider, ProviderPreset
from domain.routes import Mock, Route
from domain.timeouts import Timeouts

log = logging.getLogger(__name__)

Topic = Section | Learned

MAX_MOCKS: Final = 1_000
"""Mocks that are kept ready: those of routes that are gone are forgotten with the others."""

Reload = Callable[[UnitOfWork], Awaitable[None]]
"""Reads one section anew and swaps what it had, or raises `StoreUnavailable` and keeps it."""


class DeclaredConfig(msgspec.Struct, frozen=True):
    """What the environment, the file or the demo declares: read-only in the admin API."""

    providers: tuple[Provider, ...] = ()
    keys: tuple[ProviderKey, ...] = ()
    routes: tuple[Route, ...] = ()
    prices: tuple[PriceRow, ...] = ()
    facts: tuple[StoredModelFacts, ...] = ()
    references: Mapping[str, str] = {}  # by a key's id: where its secret is, which may change there


class ClientLease:
    """One provider version's client, closed when it is retired and its last user is done (R-12)."""

    def __init__(self, client: ProviderClient, closing: set[asyncio.Task[None]]) -> None:
        self.client = client
        self._closing = closing
        self._users = 0
        self._retired = False

    @property
    def idle(self) -> bool:
        """Whether nobody uses the client now."""
        return self._users == 0

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

    live: tuple[LiveProvider, ...]
    by_id: Mapping[str, LiveProvider]


class _Followed(msgspec.Struct, frozen=True):
    reload: Reload
    only_foreign: bool = False


class GatewayState:
    """Holds the snapshot of providers and makes a new one when they change; tells other sections when theirs did.

    A section is followed by calls of `follow`: from then on it is read at `reload`, and again whenever its version in
    the store is another than that of the last read, whoever wrote it. The others are left alone.
    """

    def __init__(self, store: Store, registry: ProviderRegistry, declared: DeclaredConfig, timeouts: Timeouts) -> None:
        self._store = store
        self._registry = registry
        self._declared = declared
        self._timeouts = timeouts
        self._reloading = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        self._versions: dict[Topic, int] = {}
        self._away = False
        self._followed: dict[Topic, tuple[_Followed, ...]] = {Section.PROVIDERS: (_Followed(self._reload_providers),)}
        self._mocks: dict[Mock, ClientLease] = {}
        self.generation = 0
        self.current = Snapshot((), {})
        self.owned_by_file: Mapping[tuple[str, str], str] = {}
        """By kind and id, as the audit names objects: the file that declares one, where it alone is changed."""
        self.resting: frozenset[str] = frozenset()
        """Stored providers that the settings file declares too: its declaration holds, and theirs rests."""

    def mock(self, mock: Mock) -> ClientLease:
        """What answers in a provider's place, made when it is first asked."""
        lease = self._mocks.get(mock)
        if lease is None:
            if len(self._mocks) >= MAX_MOCKS:
                self._mocks.clear()  # they hold nothing that would have to be closed
            lease = self._mocks[mock] = ClientLease(self._registry.mock(mock), self._closing)
        return lease

    @property
    def declared(self) -> DeclaredConfig:
        return self._declared

    @property
    def version(self) -> int:
        """How often the configuration had been changed when it was last read."""
        return sum(version for topic, version in self._versions.items() if isinstance(topic, Section))

    @property
    def followed(self) -> frozenset[Topic]:
        return frozenset(self._followed)

    async def declare(self, declared: DeclaredConfig) -> None:
        """What is declared has changed, such as a key's secret. Raises `StoreUnavailable`: nothing changes then."""
        before, self._declared = self._declared, declared
        try:
            await self._read({Section.PROVIDERS}, also_unchanged=True)
        except StoreUnavailable:
            self._declared = before
            raise

    def follow(self, section: Topic, reload: Reload, *, only_foreign: bool = False) -> None:
        """Call `reload` when `section` changed. With `only_foreign` not for changes that this process made itself."""
        self._followed[section] = (*self._followed.get(section, ()), _Followed(reload, only_foreign))

    async def reload(self) -> None:
        """Read every section. Raises `StoreUnavailable` and keeps the old ones."""
        await self._read(set(self._followed), also_unchanged=True)

    async def reload_if_changed(self) -> bool:
        """Read the sections that another process changed; whether the store answered. One that is away changes
        nothing, and is told once.
        """
        try:
            async with self._store.read() as unit:
                versions = await unit.config_versions.load()
            changed = {name for name in self._followed if versions.get(name, 0) != self._versions.get(name, 0)}
            if changed:
                await self._read(changed)
        except StoreUnavailable:
            if not self._away:
                log.warning("configuration not checked: the store is away")
            self._away = True
            return False
        if self._away:
            log.warning("configuration is checked again")
        self._away = False
        return True

    async def written(self, section: Topic, version: int) -> None:
        """This process has changed a section, which has `version` now. Raises `StoreUnavailable`: it is read later."""
        if not all(follower.only_foreign for follower in self._followed[section]):
            await self._read({section}, also_unchanged=True, own={section: version})
        elif self._versions.get(section, 0) == version - 1:
            self._versions[section] = version  # else another process changed it too, and the next check finds that

    async def _read(
        self, sections: Set[Topic], *, also_unchanged: bool = False, own: Mapping[Topic, int] | None = None
    ) -> None:
        """The versions first: what is committed after them is read again. `own` are those this process has written."""
        async with self._reloading, self._store.read() as unit:
            versions = await unit.config_versions.load()
            for section in sorted(sections):
                version, known = versions.get(section, 0), self._versions.get(section, 0)
                if also_unchanged or version != known:
                    foreign = (own or {}).get(section) != version or version != known + 1
                    for follower in self._followed[section]:
                        if foreign or not follower.only_foreign:
                            await follower.reload(unit)
                    self._versions[section] = version

    async def _reload_providers(self, unit: UnitOfWork) -> None:
        self._swap(await unit.providers.list_all(), await unit.keys.list_all())

    async def aclose(self) -> None:
        """Retire every client and wait until each is closed."""
        for live in self.current.by_id.values():
            if live.lease:
                live.lease.retire()
        self.current = Snapshot((), {})
        if self._closing:
            await asyncio.wait(self._closing, timeout=5)

    def _swap(self, stored: Sequence[Provider], stored_keys: Sequence[ProviderKey]) -> None:
        found = merged(self._declared.providers, self._declared.keys, stored, stored_keys, self._registry)
        keys: dict[str, list[ProviderKey]] = {}
        for key in found.keys:
            keys.setdefault(key.provider_id, []).append(key)
        for provider_id in sorted(found.resting - self.resting):
            log.warning("the settings file declares a provider that is stored too: the stored one rests",
                        extra={"provider": provider_id})  # fmt: skip
        self.resting = found.resting
        before = self.current.by_id
        by_id = {p.id: self._live(p, tuple(keys.get(p.id, ())), before.get(p.id)) for p in found.providers}
        order = sorted(by_id.values(), key=lambda live: (live.provider.priority, live.provider.id))
        live = tuple(entry for entry in order if entry.provider.enabled and entry.lease)
        self.generation += 1
        self.current = Snapshot(live, by_id)
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
