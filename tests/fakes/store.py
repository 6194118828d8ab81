"""A store in memory that keeps the contract of the real ones: isolation, rollback, and the same errors."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import copy
from datetime import datetime

import msgspec
from typing_extensions import override

from domain.availability import KeyCondition, KeyState
from domain.errors import Conflict, NotFound, StoreUnavailable
from domain.keys import ProviderKey, Tenant, VirtualKey
from domain.ports.prices import PriceRepository
from domain.ports.repositories import (
    AvailabilityRepository,
    FactRepository,
    KeyRepository,
    OfferingRepository,
    ProviderRepository,
    Store,
    TenantRepository,
    UnitOfWork,
    VirtualKeyRepository,
)
from domain.prices import ADMIN, PriceRow
from domain.providers import Offering, Provider


class Rows:
    """Everything stored. Rows are frozen, so a copy of the dictionaries is a copy of the database."""

    def __init__(self) -> None:
        self.providers: dict[str, Provider] = {}
        self.keys: dict[str, ProviderKey] = {}
        self.virtual_keys: dict[str, VirtualKey] = {}
        self.tenants: dict[str, Tenant] = {}
        self.states: dict[str, KeyState] = {}
        self.offerings: dict[str, tuple[datetime, tuple[Offering, ...]]] = {}
        self.facts: dict[str, str] = {}
        self.prices: dict[str, PriceRow] = {}

    def snapshot(self) -> "Rows":
        other = Rows()
        for name, table in vars(self).items():
            setattr(other, name, copy(table))
        return other


class MemoryProviders(ProviderRepository):
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @override
    async def get(self, provider_id: str) -> Provider | None:
        return self._rows.providers.get(provider_id)

    @override
    async def list_all(self) -> Sequence[Provider]:
        return sorted(self._rows.providers.values(), key=lambda provider: (provider.priority, provider.id))

    @override
    async def add(self, provider: Provider) -> None:
        if provider.id in self._rows.providers:
            raise Conflict(f"A provider '{provider.id}' exists already.", param="id")
        self._rows.providers[provider.id] = provider

    @override
    async def update(self, provider: Provider) -> None:
        if provider.id not in self._rows.providers:
            raise NotFound(f"There is no provider '{provider.id}'.", code="provider_not_found")
        self._rows.providers[provider.id] = provider

    @override
    async def delete(self, provider_id: str) -> bool:
        await MemoryKeys(self._rows).delete_for(provider_id)
        self._rows.states.pop(f"keyless:{provider_id}", None)
        self._rows.offerings.pop(provider_id, None)
        return self._rows.providers.pop(provider_id, None) is not None


class MemoryKeys(KeyRepository):
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @override
    async def get(self, key_id: str) -> ProviderKey | None:
        return self._rows.keys.get(key_id)

    @override
    async def list_for(self, provider_id: str) -> Sequence[ProviderKey]:
        return [key for key in await self.list_all() if key.provider_id == provider_id]

    @override
    async def list_all(self) -> Sequence[ProviderKey]:
        return sorted(self._rows.keys.values(), key=lambda key: (key.created_at, key.id))

    @override
    async def add(self, key: ProviderKey) -> None:
        if key.id in self._rows.keys:
            raise Conflict(f"A provider key '{key.id}' exists already.", param="id")
        self._rows.keys[key.id] = key

    @override
    async def update(self, key: ProviderKey) -> None:
        found = self._rows.keys.get(key.id)
        if found is None:
            raise NotFound(f"There is no provider key '{key.id}'.")
        self._rows.keys[key.id] = msgspec.structs.replace(
            found, label=key.label, weight=key.weight, secret=key.secret, updated_at=key.updated_at
        )

    @override
    async def delete(self, key_id: str) -> bool:
        self._rows.states.pop(key_id, None)
        return self._rows.keys.pop(key_id, None) is not None

    @override
    async def delete_for(self, provider_id: str) -> int:
        gone = [key.id for key in await self.list_for(provider_id)]
        return sum([await self.delete(key_id) for key_id in gone])

    @override
    async def reencrypt_all(self) -> int:
        return 0  # nothing is encrypted here


class MemoryVirtualKeys(VirtualKeyRepository):
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @override
    async def find(self, digests: Sequence[bytes]) -> VirtualKey | None:
        return next((key for key in self._rows.virtual_keys.values() if key.digest in digests), None)

    @override
    async def get(self, key_id: str) -> VirtualKey | None:
        return self._rows.virtual_keys.get(key_id)

    @override
    async def list_page(self, limit: int, after: str | None) -> Sequence[VirtualKey]:
        newest_first = sorted(self._rows.virtual_keys.values(), key=lambda key: key.id, reverse=True)
        return [key for key in newest_first if after is None or key.id < after][:limit]

    @override
    async def add(self, key: VirtualKey) -> None:
        if key.id in self._rows.virtual_keys:
            raise Conflict(f"A virtual key '{key.id}' exists already.", param="id")
        self._put(key)

    @override
    async def update(self, key: VirtualKey) -> None:
        if key.id not in self._rows.virtual_keys:
            raise NotFound(f"There is no virtual key '{key.id}'.")
        self._put(key)

    @override
    async def delete(self, key_id: str) -> bool:
        return self._rows.virtual_keys.pop(key_id, None) is not None

    def _put(self, key: VirtualKey) -> None:
        if key.tenant_id not in self._rows.tenants:
            raise NotFound(f"There is no tenant '{key.tenant_id}'.", param="tenant_id")
        if any(other.digest == key.digest and other.id != key.id for other in self._rows.virtual_keys.values()):
            raise Conflict("Another virtual key has the same secret.")
        self._rows.virtual_keys[key.id] = key


class MemoryTenants(TenantRepository):
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @override
    async def get(self, tenant_id: str) -> Tenant | None:
        return self._rows.tenants.get(tenant_id)

    @override
    async def add(self, tenant: Tenant) -> None:
        if tenant.id in self._rows.tenants:
            raise Conflict(f"A tenant '{tenant.id}' exists already.", param="id")
        self._rows.tenants[tenant.id] = tenant


class MemoryAvailability(AvailabilityRepository):
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @override
    async def load(self) -> Sequence[KeyState]:
        return sorted(self._rows.states.values(), key=lambda state: state.key_id)

    @override
    async def save(self, states: Sequence[KeyState]) -> None:
        for state in states:
            if state.condition is KeyCondition.AVAILABLE and state.strikes == 0:
                self._rows.states.pop(state.key_id, None)
            else:
                self._rows.states[state.key_id] = state


class MemoryOfferings(OfferingRepository):
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @override
    async def load(self) -> Sequence[tuple[str, datetime, Sequence[Offering]]]:
        return [(provider_id, *row) for provider_id, row in sorted(self._rows.offerings.items())]

    @override
    async def replace(self, provider_id: str, listed_at: datetime, offerings: Sequence[Offering]) -> None:
        self._rows.offerings[provider_id] = (listed_at, tuple(offerings))


class MemoryPrices(PriceRepository):
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @override
    async def list_current(self) -> Sequence[PriceRow]:
        rows = [row for row in self._rows.prices.values() if row.source == ADMIN and row.superseded_at is None]
        return sorted(rows, key=lambda row: (row.provider_id, row.model))

    @override
    async def get(self, price_id: str) -> PriceRow | None:
        return self._rows.prices.get(price_id)

    @override
    async def supersede(self, row: PriceRow) -> None:
        for old in await self.list_current():
            if (old.provider_id, old.model) == (row.provider_id, row.model):
                await self.end(old.id, row.effective_from)
        self._rows.prices[row.id] = row

    @override
    async def end(self, price_id: str, at: datetime) -> bool:
        row = self._rows.prices.get(price_id)
        if row is None or row.superseded_at is not None:
            return False
        self._rows.prices[price_id] = msgspec.structs.replace(row, superseded_at=at)
        return True

    @override
    async def keep(self, rows: Sequence[PriceRow]) -> None:
        for row in rows:
            self._rows.prices.setdefault(row.id, row)


class MemoryFacts(FactRepository):
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @override
    async def get(self, name: str) -> str | None:
        return self._rows.facts.get(name)

    @override
    async def put(self, name: str, value: str) -> None:
        self._rows.facts[name] = value

    @override
    async def bump(self, name: str) -> int:
        value = int(self._rows.facts.get(name, "0")) + 1
        self._rows.facts[name] = str(value)
        return value


class MemoryUnit(UnitOfWork):
    """Every repository over the same rows."""

    def __init__(self, rows: Rows) -> None:
        self._providers = MemoryProviders(rows)
        self._keys = MemoryKeys(rows)
        self._virtual_keys = MemoryVirtualKeys(rows)
        self._tenants = MemoryTenants(rows)
        self._availability = MemoryAvailability(rows)
        self._offerings = MemoryOfferings(rows)
        self._prices = MemoryPrices(rows)
        self._facts = MemoryFacts(rows)

    @property
    @override
    def providers(self) -> MemoryProviders:
        return self._providers

    @property
    @override
    def keys(self) -> MemoryKeys:
        return self._keys

    @property
    @override
    def virtual_keys(self) -> MemoryVirtualKeys:
        return self._virtual_keys

    @property
    @override
    def tenants(self) -> MemoryTenants:
        return self._tenants

    @property
    @override
    def availability(self) -> MemoryAvailability:
        return self._availability

    @property
    @override
    def offerings(self) -> MemoryOfferings:
        return self._offerings

    @property
    @override
    def prices(self) -> MemoryPrices:
        return self._prices

    @property
    @override
    def facts(self) -> MemoryFacts:
        return self._facts


class MemoryStore(Store):
    """`Store` in memory. Set `broken` and it cannot be asked; `units` counts the units opened."""

    def __init__(self) -> None:
        self._rows = Rows()
        self._writing = asyncio.Lock()
        self.broken = False
        self.units = 0

    @override
    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        await self.ping()
        self.units += 1
        yield MemoryUnit(self._rows.snapshot())

    @override
    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        await self.ping()
        async with self._writing:
            self.units += 1
            draft = self._rows.snapshot()
            yield MemoryUnit(draft)
            self._rows = draft

    @override
    async def ping(self) -> None:
        if self.broken:
            raise StoreUnavailable("The store was broken by the test.")

    @override
    async def aclose(self) -> None:
        """Nothing is held."""
