"""How the gateway is, for its admin: database, providers, breakers, version."""

from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import msgspec

from application.admin.providers import standing_of
from application.admin.store_watch import StoreWatch
from application.snapshot import GatewayState, LiveProvider
from domain.availability import KeyCondition, ProviderStatus
from domain.errors import StoreUnavailable
from domain.ports.idempotency import IdempotencyStore, KeptTotals
from domain.ports.ledger import LedgerBacklog, LedgerHealth
from domain.ports.limits import CountersPlace, LimitStore
from domain.ports.policies import AvailabilityPolicy
from domain.ports.runtime import Clock

DISTRIBUTION = "open-model-gateway"


class DatabaseHealth(msgspec.Struct, frozen=True):
    status: Literal["ok", "away"]


class LimitsHealth(msgspec.Struct, frozen=True):
    """Where limits are counted. While it is `away`, each process counts its own share of them."""

    store: CountersPlace
    status: Literal["ok", "away"]


class ProviderHealth(msgspec.Struct, frozen=True):
    """`keys_available` of `keys` may be asked now. `breaker` is `open` while too many calls in a row have failed."""

    id: str
    status: ProviderStatus
    available_at: datetime | None
    reason: str
    breaker: Literal["closed", "open"]
    keys: int
    keys_available: int


class Health(msgspec.Struct, frozen=True):
    """`ok` while the database answers and what counts limits does, usage is written down and a provider is available,
    else `degraded`.

    `idempotency` is what is kept for keys of idempotency, of all processes; null while the database is away.
    """

    status: Literal["ok", "degraded"]
    version: str
    uptime_seconds: float
    config_version: int
    database: DatabaseHealth
    usage: LedgerHealth
    limits: LimitsHealth
    idempotency: KeptTotals | None
    providers: tuple[ProviderHealth, ...]


class HealthReport:
    """Reports from memory, one cached ping and one sum: it calls no provider (R-38)."""

    def __init__(
        self,
        watch: StoreWatch,
        state: GatewayState,
        availability: AvailabilityPolicy,
        ledger: LedgerBacklog,
        limits: LimitStore,
        kept: IdempotencyStore,
        clock: Clock,
    ) -> None:
        self._watch = watch
        self._state = state
        self._availability = availability
        self._ledger = ledger
        self._limits = limits
        self._kept = kept
        self._clock = clock
        self._started = clock.monotonic()
        self.version = gateway_version()

    def get_usage(self) -> LedgerHealth:
        """From memory."""
        return self._ledger.health()

    async def answers(self) -> bool:
        """Asked at most once a second."""
        return await self._watch.answers()

    async def report(self) -> Health:
        database = await self._watch.answers()
        counted = await self._limits.answers()
        usage = self._ledger.health()
        snapshot = self._state.current
        order = sorted(snapshot.by_id.values(), key=lambda live: (live.provider.priority, live.provider.id))
        providers = tuple(self.get_provider(live) for live in order)
        serving = any(provider.status is ProviderStatus.AVAILABLE for provider in providers)
        return Health(
            status="ok" if database and counted and usage.writable and serving else "degraded",
            version=self.version,
            uptime_seconds=round(self._clock.monotonic() - self._started, 3),
            config_version=self._state.version,
            database=DatabaseHealth("ok" if database else "away"),
            usage=usage,
            limits=LimitsHealth(self._limits.place, "ok" if counted else "away"),
            idempotency=await self._totals() if database else None,
            providers=providers,
        )

    async def _totals(self) -> KeptTotals | None:
        try:
            return await self._kept.totals()
        except StoreUnavailable:
            return None

    def get_provider(self, live: LiveProvider) -> ProviderHealth:
        """From memory."""
        standing = standing_of(live, self._availability, self._clock)
        states = [self._availability.key_state(key.id) for key in live.keys]
        return ProviderHealth(
            id=live.provider.id,
            status=standing.status,
            available_at=standing.available_at,
            reason=standing.reason,
            breaker="closed" if self._availability.unhealthy_until(live.provider.id) is None else "open",
            keys=len(live.keys),
            keys_available=sum(state.condition is KeyCondition.AVAILABLE for state in states),
        )


def gateway_version() -> str:
    """Of the installed distribution."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "unknown"
