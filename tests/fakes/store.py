"""A store in memory that keeps the contract of the real ones: isolation, rollback, and the same errors."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from copy import copy
from datetime import datetime

import msgspec
from typing_extensions import override

from domain.admin_tokens import AdminToken
from domain.alerts import AlertChannel, AlertDelivery, AlertRule
from domain.audit import AuditEntry
from domain.availability import KeyState, ProviderRest
from domain.errors import Conflict, NotFound, StoreUnavailable
from domain.issuers import Identity
from domain.keys import ProviderKey, VirtualKey
from domain.model_facts import ModelFacts
from domain.model_groups import ModelGroup
from domain.ports.repositories import (
    KeyRepository,
    ProviderRepository,
    Store,
    UnitOfWork,
)
from domain.price_catalogs import StoredCatalog
from domain.prices import PriceRow
from domain.providers import Offering, Provider
from domain.quotas import QuotaCount, QuotaFinding
from domain.routes import Route
from domain.sign_in import OneTimeToken, Preferences, Session
from domain.subject_limits import StoredRule
from domain.tenants import Membership, Tenant
from domain.users import User
from tests.builders import NOW
from tests.fakes.admin_tokens import MemoryAdminTokens
from tests.fakes.alerts import MemoryAlertConfig, MemoryAlertLog, Told
from tests.fakes.audit import MemoryAudit
from tests.fakes.identities import MemoryIdentities
from tests.fakes.model_facts import MemoryModelFacts, MemoryPrices
from tests.fakes.people import MemoryMemberships, MemoryModelGroups, MemoryTenants, MemoryUsers
from tests.fakes.routes import MemoryRoutes
from tests.fakes.rules import MemoryRules
from tests.fakes.sign_in import MemoryOneTimeTokens, MemoryPasswords, MemoryPreferences, MemorySessions
from tests.fakes.state import MemoryAvailability, MemoryConfigVersions, MemoryFacts, MemoryOfferings
from tests.fakes.virtual_keys import MemoryVirtualKeys


class Rows:
    """Everything stored. Rows are frozen, so a copy of the dictionaries is a copy of the database."""

    def __init__(self) -> None:
        self.providers: dict[str, Provider] = {}
        self.keys: dict[str, ProviderKey] = {}
        self.virtual_keys: dict[str, VirtualKey] = {}
        self.admin_tokens: dict[str, AdminToken] = {}
        self.tenants: dict[str, Tenant] = {}
        self.users: dict[str, User] = {}
        self.memberships: dict[tuple[str, str], Membership] = {}
        self.model_groups: dict[str, ModelGroup] = {}
        self.routes: dict[str, Route] = {}
        self.states: dict[str, KeyState] = {}
        self.rests: dict[tuple[str, str, str], ProviderRest] = {}
        self.quota_counts: dict[tuple[str, str, int], QuotaCount] = {}
        self.quota_findings: dict[tuple[str, str], QuotaFinding] = {}
        self.offerings: dict[str, tuple[datetime, tuple[Offering, ...]]] = {}
        self.facts: dict[str, str] = {}
        self.config_versions: dict[str, int] = {}
        self.prices: dict[str, PriceRow] = {}
        self.price_catalogs: dict[str, StoredCatalog] = {}
        self.model_facts: dict[tuple[str, str], ModelFacts] = {}
        self.rules: dict[str, StoredRule] = {}
        self.audit: list[AuditEntry] = []
        self.sessions: dict[str, Session] = {}
        self.one_time_tokens: dict[bytes, OneTimeToken] = {}
        self.passwords: dict[str, str] = {}
        self.identities: dict[tuple[str, str], Identity] = {}
        self.preferences: dict[str, Preferences] = {}
        self.alert_channels: dict[str, AlertChannel] = {}
        self.alert_rules: dict[str, AlertRule] = {}
        self.alert_marks: dict[tuple[str, str, float], Told] = {}
        self.alert_deliveries: dict[str, AlertDelivery] = {}

    def forget_states(self, key_id: str) -> None:
        """Of a key, and of it with each model."""
        for state in [state for state in self.states.values() if state.key_id == key_id]:
            del self.states[state.id]
        self.forget_quotas(key_id)

    def forget_quotas(self, owner_id: str) -> None:
        """Of a key, or of a provider."""
        for count in [count for count in self.quota_counts if count[0] == owner_id]:
            del self.quota_counts[count]
        for finding in [finding for finding in self.quota_findings if finding[0] == owner_id]:
            del self.quota_findings[finding]

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
        self._rows.forget_states(f"keyless:{provider_id}")
        self._rows.forget_quotas(f"provider:{provider_id}")
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
            found, label=key.label, weight=key.weight, quota=key.quota, secret=key.secret, updated_at=key.updated_at
        )

    @override
    async def delete(self, key_id: str) -> bool:
        self._rows.forget_states(key_id)
        return self._rows.keys.pop(key_id, None) is not None

    @override
    async def delete_for(self, provider_id: str) -> int:
        gone = [key.id for key in await self.list_for(provider_id)]
        return sum([await self.delete(key_id) for key_id in gone])

    @override
    async def reencrypt_all(self) -> int:
        return 0  # nothing is encrypted here


class MemoryUnit(UnitOfWork):
    """Every repository over the same rows."""

    def __init__(self, rows: Rows, store: "MemoryStore") -> None:
        self._providers = MemoryProviders(rows)
        self._keys = MemoryKeys(rows)
        self._virtual_keys = MemoryVirtualKeys(rows)
        self._admin_tokens = MemoryAdminTokens(rows.admin_tokens)
        self._tenants = MemoryTenants(rows)
        self._users = MemoryUsers(rows)
        self._memberships = MemoryMemberships(rows)
        self._model_groups = MemoryModelGroups(rows)
        self._routes = MemoryRoutes(rows.routes)
        self._availability = MemoryAvailability(rows)
        self._offerings = MemoryOfferings(rows)
        self._prices = MemoryPrices(rows.prices, rows.price_catalogs)
        self._model_facts = MemoryModelFacts(rows.model_facts)
        self._rules = MemoryRules(rows.rules, rows.tenants, rows.users, rows.memberships, rows.virtual_keys)
        self._facts = MemoryFacts(rows)
        self._config_versions = MemoryConfigVersions(rows)
        self._sessions = MemorySessions(rows)
        self._one_time_tokens = MemoryOneTimeTokens(rows)
        self._passwords = MemoryPasswords(rows)
        self._identities = MemoryIdentities(rows)
        self._preferences = MemoryPreferences(rows)
        self._alert_config = MemoryAlertConfig(rows)
        self._alert_log = MemoryAlertLog(rows)
        self._audit = MemoryAudit(rows.audit, store.now, broken=store.audit_broken)

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
    def admin_tokens(self) -> MemoryAdminTokens:
        return self._admin_tokens

    @property
    @override
    def tenants(self) -> MemoryTenants:
        return self._tenants

    @property
    @override
    def users(self) -> MemoryUsers:
        return self._users

    @property
    @override
    def memberships(self) -> MemoryMemberships:
        return self._memberships

    @property
    @override
    def model_groups(self) -> MemoryModelGroups:
        return self._model_groups

    @property
    @override
    def routes(self) -> MemoryRoutes:
        return self._routes

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
    def rules(self) -> MemoryRules:
        return self._rules

    @property
    @override
    def prices(self) -> MemoryPrices:
        return self._prices

    @property
    @override
    def model_facts(self) -> MemoryModelFacts:
        return self._model_facts

    @property
    @override
    def facts(self) -> MemoryFacts:
        return self._facts

    @property
    @override
    def config_versions(self) -> MemoryConfigVersions:
        return self._config_versions

    @property
    @override
    def sessions(self) -> MemorySessions:
        return self._sessions

    @property
    @override
    def identities(self) -> MemoryIdentities:
        return self._identities

    @property
    @override
    def one_time_tokens(self) -> MemoryOneTimeTokens:
        return self._one_time_tokens

    @property
    @override
    def passwords(self) -> MemoryPasswords:
        return self._passwords

    @property
    @override
    def preferences(self) -> MemoryPreferences:
        return self._preferences

    @property
    @override
    def alert_config(self) -> MemoryAlertConfig:
        return self._alert_config

    @property
    @override
    def alert_log(self) -> MemoryAlertLog:
        return self._alert_log

    @property
    @override
    def audit(self) -> MemoryAudit:
        return self._audit


class MemoryStore(Store):
    """`Store` in memory. Set `broken` and it cannot be asked, `audit_broken` and no audit entry can be written; `units`
    counts the units opened. `now` stamps audit entries.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: NOW) -> None:
        self.now = now
        self.audit_broken = False
        self._rows = Rows()
        self._writing = asyncio.Lock()
        self.broken = False
        self.units = 0

    @override
    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        await self.ping()
        self.units += 1
        yield MemoryUnit(self._rows.snapshot(), self)

    @override
    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        await self.ping()
        async with self._writing:
            self.units += 1
            draft = self._rows.snapshot()
            yield MemoryUnit(draft, self)
            self._rows = draft

    def remember(self) -> Rows:
        """Everything that is stored now, for `go_back`."""
        return self._rows.snapshot()

    def go_back(self, rows: Rows) -> None:
        """To what was stored then."""
        self._rows = rows.snapshot()

    @override
    async def ping(self) -> None:
        if self.broken:
            raise StoreUnavailable("The store was broken by the test.")

    @override
    async def aclose(self) -> None:
        """Nothing is held."""
