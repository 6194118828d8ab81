"""Stored objects. Repositories live inside a `UnitOfWork`; all raise `StoreUnavailable` if they cannot ask."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from domain.availability import KeyState
from domain.keys import ProviderKey, Tenant, VirtualKey
from domain.ports.prices import PriceRepository
from domain.providers import Offering, Provider


class ProviderRepository(Protocol):
    """Providers, by slug."""

    async def get(self, provider_id: str) -> Provider | None: ...

    async def list_all(self) -> Sequence[Provider]:
        """By priority, then id."""
        ...

    async def add(self, provider: Provider) -> None:
        """Raises `Conflict` where the id is taken."""
        ...

    async def update(self, provider: Provider) -> None:
        """Replaces the row of the same id. Raises `NotFound`."""
        ...

    async def delete(self, provider_id: str) -> bool:
        """With its keys, their states and its offerings. False where there was none."""
        ...


class KeyRepository(Protocol):
    """Provider keys. Secrets are encrypted at rest, bound to their row (P-20)."""

    async def get(self, key_id: str) -> ProviderKey | None: ...

    async def list_for(self, provider_id: str) -> Sequence[ProviderKey]:
        """Oldest first."""
        ...

    async def list_all(self) -> Sequence[ProviderKey]: ...

    async def add(self, key: ProviderKey) -> None:
        """Raises `Conflict` where the id is taken. The provider may be one that is declared elsewhere."""
        ...

    async def update(self, key: ProviderKey) -> None:
        """Label, weight and secret of an existing key. Raises `NotFound`."""
        ...

    async def delete(self, key_id: str) -> bool:
        """With its state. False where there was none."""
        ...

    async def delete_for(self, provider_id: str) -> int: ...

    async def reencrypt_all(self) -> int:
        """Write every secret again under the newest master key; return how many changed."""
        ...


class VirtualKeyRepository(Protocol):
    """Clients' keys, found by the keyed digest of their secret."""

    async def find(self, digests: Sequence[bytes]) -> VirtualKey | None:
        """The key with one of these digests (one per pepper version), revoked and expired ones included."""
        ...

    async def get(self, key_id: str) -> VirtualKey | None: ...

    async def list_page(self, limit: int, after: str | None) -> Sequence[VirtualKey]:
        """Newest first, up to `limit` keys whose id sorts before `after`."""
        ...

    async def add(self, key: VirtualKey) -> None:
        """Raises `Conflict` where the id or the digest is taken, `NotFound` where there is no such tenant."""
        ...

    async def update(self, key: VirtualKey) -> None:
        """Replaces the key of the same id. Raises `NotFound`, and like `add`."""
        ...

    async def delete(self, key_id: str) -> bool: ...


class TenantRepository(Protocol):
    """Tenants."""

    async def get(self, tenant_id: str) -> Tenant | None: ...

    async def add(self, tenant: Tenant) -> None:
        """Raises `Conflict` where the id is taken."""
        ...


class AvailabilityRepository(Protocol):
    """Key states, so that a restart does not ask a key that said no."""

    async def load(self) -> Sequence[KeyState]: ...

    async def save(self, states: Sequence[KeyState]) -> None:
        """Insert or replace by key id; a state that is plainly available (and has no strikes) is deleted."""
        ...


class OfferingRepository(Protocol):
    """The model lists providers gave last."""

    async def load(self) -> Sequence[tuple[str, datetime, Sequence[Offering]]]:
        """(provider id, when it was listed, its models)."""
        ...

    async def replace(self, provider_id: str, listed_at: datetime, offerings: Sequence[Offering]) -> None: ...


class FactRepository(Protocol):
    """Single named values: the admin token's digest, the configuration version."""

    async def get(self, name: str) -> str | None: ...

    async def put(self, name: str, value: str) -> None: ...

    async def bump(self, name: str) -> int:
        """Add one to a counter, atomically, and return it."""
        ...


class UnitOfWork(Protocol):
    """Repositories in one transaction."""

    @property
    def providers(self) -> ProviderRepository: ...

    @property
    def keys(self) -> KeyRepository: ...

    @property
    def virtual_keys(self) -> VirtualKeyRepository: ...

    @property
    def tenants(self) -> TenantRepository: ...

    @property
    def availability(self) -> AvailabilityRepository: ...

    @property
    def offerings(self) -> OfferingRepository: ...

    @property
    def prices(self) -> PriceRepository: ...

    @property
    def facts(self) -> FactRepository: ...


class Store(Protocol):
    """Opens units of work. No unit is ever open during an upstream call (R-14)."""

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit that only reads."""
        ...

    def write(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit that commits when left, and rolls back on an exception."""
        ...

    async def ping(self) -> None:
        """Raises `StoreUnavailable` where the database does not answer within a second."""
        ...

    async def aclose(self) -> None: ...
