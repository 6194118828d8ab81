"""Stored objects. Repositories live inside a `UnitOfWork`; all raise `StoreUnavailable` if they cannot ask."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from domain.authority import Reach
from domain.availability import KeyState, ProviderRest
from domain.configuration import Learned, Section
from domain.keys import IssuedKey, ProviderKey, VirtualKey
from domain.ports.admin_tokens import AdminTokenRepository
from domain.ports.alerts import AlertConfigRepository, AlertLogRepository
from domain.ports.audit import AuditRepository
from domain.ports.issuers import IdentityRepository
from domain.ports.models import ModelFactRepository
from domain.ports.people import MembershipRepository, ModelGroupRepository, TenantRepository, UserRepository
from domain.ports.prices import PriceRepository
from domain.ports.routes import RouteRepository
from domain.ports.rules import RuleRepository
from domain.ports.sign_in import OneTimeTokenRepository, PasswordRepository, PreferencesRepository, SessionRepository
from domain.providers import Offering, Provider
from domain.quotas import QuotaChanges, QuotaCount, QuotaFinding

StoredList = tuple[str, datetime, Sequence[Offering]]

FORGET_RESTS_SECONDS = 600.0
"""For so long the store remembers a rest that has ended: whoever asks first then is a probe."""


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
        """Label, weight, quota and secret of an existing key. Raises `NotFound`."""
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

    async def find(self, digests: Sequence[bytes]) -> IssuedKey | None:
        """The key with one of these digests (one per pepper version), now or before its last rotation.

        Revoked and expired ones are included, and so are secrets whose time after a rotation has ended.
        """
        ...

    async def get(self, key_id: str, reach: Reach) -> VirtualKey | None: ...

    async def list_page(
        self, reach: Reach, limit: int, after: str | None, query: str | None = None
    ) -> Sequence[VirtualKey]:
        """Newest first, up to `limit` whose id sorts before `after`, with `query` in id, name, end or owner."""
        ...

    async def used(self, moments: Mapping[str, datetime]) -> None:
        """Notes when keys were last used, by id; never back in time, and nothing for those that are gone."""
        ...

    async def add(self, key: VirtualKey) -> None:
        """Raises `Conflict` where the id or the digest is taken, `NotFound` where there is no such tenant."""
        ...

    async def update(self, key: VirtualKey) -> None:
        """Replaces the key of the same id. Raises `NotFound`, and like `add`."""
        ...

    async def exchange(self, key_id: str, old: bytes, new: bytes) -> bool:
        """Puts `new` in place of the digest `old`, in one statement. False where it is another one by now."""
        ...

    async def delete(self, key_id: str) -> bool: ...


class AvailabilityRepository(Protocol):
    """Key states, so that a restart does not ask a key that said no."""

    async def load(self) -> Sequence[KeyState]: ...

    async def save(self, states: Sequence[KeyState], now: datetime) -> None:
        """Keep each as `state_to_keep` says, beside what others have stored; one that is plain is deleted."""
        ...

    async def load_rests(self, now: datetime) -> Sequence[ProviderRest]:
        """Those that hold, and those that ended less than `FORGET_RESTS_SECONDS` ago."""
        ...

    async def save_rests(self, rests: Sequence[ProviderRest], now: datetime) -> None:
        """Of two of one id that which lasts longer is kept. One that is over ends what began no later than it."""
        ...

    async def load_quotas(self, now: int) -> tuple[Sequence[QuotaCount], Sequence[QuotaFinding]]:
        """What was used of every window that has not ended at that second, and all findings."""
        ...

    async def save_quotas(self, changes: QuotaChanges, now: int) -> None:
        """Add to what was used, replace findings, and delete what is forgotten or has ended."""
        ...


class OfferingRepository(Protocol):
    """The model lists providers gave last."""

    async def load(self, known: Mapping[str, datetime] | None = None) -> Sequence[StoredList]:
        """(provider id, when it was listed, its models); without those of which `known` has that very moment."""
        ...

    async def replace(self, provider_id: str, listed_at: datetime, offerings: Sequence[Offering]) -> None: ...


class ConfigVersionRepository(Protocol):
    """How often each section of the configuration was changed, by whatever process."""

    async def load(self) -> Mapping[str, int]:
        """By section, in one query. One that was never changed is not there; one of a newer version may be."""
        ...

    async def bump(self, section: Section | Learned) -> int:
        """Add one, atomically, and return it. Others that bump it wait until this unit has ended."""
        ...


class FactRepository(Protocol):
    """Single named values, such as the admin token's digest."""

    async def get(self, name: str) -> str | None: ...

    async def put(self, name: str, value: str) -> None: ...

    async def bump(self, name: str) -> int:
        """Add one to a counter, atomically, and return it."""
        ...

    async def forget(self, name: str) -> None:
        """Nothing has the name any more."""
        ...

    async def beginning_with(self, prefix: str, at_most: int) -> Mapping[str, str]:
        """Facts whose names begin so, in the order of their names."""
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
    def admin_tokens(self) -> AdminTokenRepository: ...

    @property
    def tenants(self) -> TenantRepository: ...

    @property
    def users(self) -> UserRepository: ...

    @property
    def memberships(self) -> MembershipRepository: ...

    @property
    def model_groups(self) -> ModelGroupRepository: ...

    @property
    def routes(self) -> RouteRepository: ...

    @property
    def availability(self) -> AvailabilityRepository: ...

    @property
    def offerings(self) -> OfferingRepository: ...

    @property
    def rules(self) -> RuleRepository: ...

    @property
    def prices(self) -> PriceRepository: ...

    @property
    def model_facts(self) -> ModelFactRepository: ...

    @property
    def config_versions(self) -> ConfigVersionRepository: ...

    @property
    def facts(self) -> FactRepository: ...

    @property
    def sessions(self) -> SessionRepository: ...

    @property
    def identities(self) -> IdentityRepository: ...

    @property
    def one_time_tokens(self) -> OneTimeTokenRepository: ...

    @property
    def passwords(self) -> PasswordRepository: ...

    @property
    def preferences(self) -> PreferencesRepository: ...

    @property
    def alert_config(self) -> AlertConfigRepository: ...

    @property
    def alert_log(self) -> AlertLogRepository: ...

    @property
    def audit(self) -> AuditRepository: ...


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
