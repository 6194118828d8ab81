"""How things stand at this moment, for `/metrics`: what each process knows by itself, and what is the same for all."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from application.admin.health import HealthReport
from application.admin.subject_rules import ListedBudget, RuleAdmin
from application.snapshot import GatewayState, LiveProvider
from domain.actors import SYSTEM
from domain.availability import ProviderStatus
from domain.errors import GatewayError, StoreUnavailable
from domain.metrics import (
    BREAKER,
    BUDGET_HELD,
    BUDGET_LEFT,
    BUDGET_LEFT_RATIO,
    BUILD,
    IN_FLIGHT,
    KEYS_AVAILABLE,
    LOG_DROPPED,
    PROVIDER_AVAILABLE,
    QUOTA_LEFT,
    SPOOL_BYTES,
    SPOOL_LAG,
    SPOOL_LOST,
    SPOOL_WAITING,
    SPOOL_WRITABLE,
    STORE_UP,
    WORKERS,
    Cells,
    Readings,
    folded,
)
from domain.money import NANO_PER_USD
from domain.ports.limits import LimitStore
from domain.ports.policies import AvailabilityPolicy
from domain.ports.runtime import Clock
from domain.quotas import QuotaStanding, provider_owner_id

BUDGETS_SECONDS: Final = 15.0
"""For how long what is left of budgets is told again without looking."""

BUDGETS_TIMEOUT_SECONDS: Final = 3.0

Count = Callable[[], int]


class GatewayGauges:
    """`own` is of this process, from memory. `shared` asks the stores, and tells what it can where they are away."""

    def __init__(
        self,
        health: HealthReport,
        state: GatewayState,
        availability: AvailabilityPolicy,
        rules: RuleAdmin,
        limits: LimitStore,
        clock: Clock,
        in_flight: Count,
        lines_dropped: Count,
        more: Callable[[], Readings],
        *,
        subjects: bool,
    ) -> None:
        self._health = health
        self._state = state
        self._availability = availability
        self._rules = rules
        self._limits = limits
        self._clock = clock
        self._in_flight = in_flight
        self._lines_dropped = lines_dropped
        self._more = more
        self._subjects = subjects
        self._budgets: Readings = {}
        self._budgets_at: float | None = None

    def own(self) -> Readings:
        usage = self._health.get_usage()
        readings: Readings = {
            WORKERS.name: {(): [1.0]},
            IN_FLIGHT.name: {(): [float(self._in_flight())]},
            LOG_DROPPED.name: {(): [float(self._lines_dropped())]},
            SPOOL_LAG.name: {(): [usage.lag_seconds]},
            SPOOL_WAITING.name: {(): [float(usage.waiting_records)]},
            SPOOL_BYTES.name: {(): [float(usage.spool_bytes)]},
            SPOOL_WRITABLE.name: {(): [float(usage.writable)]},
            SPOOL_LOST.name: {("torn",): [float(usage.torn_records)], ("no_room",): [float(usage.dropped_records)]},
        }
        return readings | self._providers() | self._more()

    async def shared(self) -> Readings:
        database = await self._health.answers()
        stores: Cells = {("database",): [float(database)]}
        if self._limits.place != "memory":
            stores["limits",] = [float(await self._limits.answers())]
        if database:
            await self._read_budgets()
        readings: Readings = {STORE_UP.name: stores, BUILD.name: {(self._health.version,): [1.0]}}
        return readings | self._budgets

    def _providers(self) -> Readings:
        available: Cells = {}
        breakers: Cells = {}
        keys: Cells = {}
        quotas: list[Readings] = []
        for live in self._state.current.by_id.values():
            if not live.provider.enabled:
                continue
            health = self._health.get_provider(live)
            label = (health.id,)
            available[label] = [float(health.status is ProviderStatus.AVAILABLE)]
            breakers[label] = [float(health.breaker == "open")]
            keys[label] = [float(health.keys_available)]
            if self._availability.has_quotas:
                quotas.append({QUOTA_LEFT.name: self._quotas(live)})
        readings: Readings = {PROVIDER_AVAILABLE.name: available, BREAKER.name: breakers, KEYS_AVAILABLE.name: keys}
        return readings | folded(quotas)

    def _quotas(self, live: LiveProvider) -> Cells:
        provider_id, lowest = live.provider.id, dict[tuple[str, ...], list[float]]()
        standings: list[QuotaStanding] = []
        for place, key in enumerate(live.keys):
            standings += self._availability.quotas(key.id, key.id)
            if place == 0:  # what all keys take from
                standings += self._availability.quotas(key.id, provider_owner_id(provider_id))
        for standing in standings:
            if standing.limit and standing.remaining is not None:
                labels = (provider_id, standing.dimension, standing.window)
                share = max(0.0, standing.remaining / standing.limit)
                lowest[labels] = [min(share, lowest.get(labels, [share])[0])]
        return lowest

    async def _read_budgets(self) -> None:
        now = self._clock.monotonic()
        if self._budgets_at is not None and now - self._budgets_at < BUDGETS_SECONDS:
            return
        try:
            async with asyncio.timeout(BUDGETS_TIMEOUT_SECONDS):
                listed = await self._rules.list_budgets(SYSTEM)
        except (GatewayError, StoreUnavailable, TimeoutError):
            listed = []  # nothing is told rather than what was
        self._budgets_at = now
        self._budgets = self._of_budgets(listed)

    def _of_budgets(self, listed: Sequence[ListedBudget]) -> Readings:
        left: Cells = {}
        ratio: Cells = {}
        held: Cells = {}
        for each in listed:
            term = each.stands.term
            limit, remaining = term.limit_nano_usd, each.stands.remaining_nano_usd
            subject = f"{term.subject.kind}:{term.subject.id}" if self._subjects else ""
            labels = (term.subject.kind, term.period, subject)
            usd = remaining / NANO_PER_USD
            share = remaining / limit if limit else 0.0
            left[labels] = [min(usd, left.get(labels, [usd])[0])]
            ratio[labels] = [min(share, ratio.get(labels, [share])[0])]
            cell = held.setdefault(labels[:2], [0.0])
            cell[0] += each.stands.held_nano_usd / NANO_PER_USD
        return {BUDGET_LEFT.name: left, BUDGET_LEFT_RATIO.name: ratio, BUDGET_HELD.name: held}
