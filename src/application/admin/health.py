"""How the gateway is, for its admin: database, providers, breakers, version."""

from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import msgspec

from application.admin.standing import standing_of
from application.admin.store_watch import StoreWatch
from application.snapshot import GatewayState, LiveProvider
from domain.availability import KeyCondition, ProviderStatus
from domain.ports.ledger import LedgerBacklog, LedgerHealth
from domain.ports.policies import AvailabilityPolicy
from domain.ports.runtime import Clock

DISTRIBUTION = "open-model-gateway"


class DatabaseHealth(msgspec.Struct, frozen=True):
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
    """`ok` while the database answers, usage is written down and a provider is available, else `degraded`."""

    status: Literal["ok", "degraded"]
    version: str
    uptime_seconds: float
    config_version: int
    database: DatabaseHealth
    usage: LedgerHealth
    providers: tuple[ProviderHealth, ...]


class HealthReport:
    """Reports from memory and one cached ping: it calls no provider (R-38)."""

    def __init__(
        self,
        watch: StoreWatch,
        state: GatewayState,
        availability: AvailabilityPolicy,
        ledger: LedgerBacklog,
        clock: Clock,
    ) -> None:
        self._watch = watch
        self._state = state
        self._availability = availability
        self._ledger = ledger
        self._clock = clock
        self._started = clock.monotonic()
        self._version = _version()

    async def report(self) -> Health:
        database = await self._watch.answers()
        usage = self._ledger.health()
        snapshot = self._state.current
        order = sorted(snapshot.by_id.values(), key=lambda live: (live.provider.priority, live.provider.id))
        providers = tuple(self._provider(live) for live in order)
        serving = any(provider.status is ProviderStatus.AVAILABLE for provider in providers)
        return Health(
            status="ok" if database and usage.writable and serving else "degraded",
            version=self._version,
            uptime_seconds=round(self._clock.monotonic() - self._started, 3),
            config_version=snapshot.version,
            database=DatabaseHealth("ok" if database else "away"),
            usage=usage,
            providers=providers,
        )

    def _provider(self, live: LiveProvider) -> ProviderHealth:
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


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "unknown"
