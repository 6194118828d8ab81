"""Keeps what was learned of provider keys, and what was used of their quotas, across restarts and processes.

Which quotas a key is under is said here too: an admin's, else what the registry takes its account to have.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, get_args

import msgspec

from application.inference.calls import key_id_of
from application.snapshot import GatewayState, LiveProvider
from domain.availability import KeyState, ProviderRest, change_after, state_to_keep
from domain.configuration import Learned, Section
from domain.free_tiers import FreeTier, Quota, is_outdated
from domain.ports.policies import AvailabilityPolicy
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock
from domain.quotas import UNITS, Dimension, QuotaChanges, QuotaRule, Window, provider_owner_id, rule_of

MAX_ID_LENGTH: Final = 128
MAX_MODEL_LENGTH: Final = 256
"""Of what the store takes. A longer name of a model is a client's mistake, and nobody needs to be told of it."""

QUOTAS_SECONDS: Final = 0.5
"""How often what other processes used of quotas is read."""


class AvailabilityKeeper:
    """Carries key states, rests and counts between the policy, which decides in memory, and the store.

    Where other processes use the same keys, what they learn is taken up too. The request never waits for it: `flush`
    runs beside it, and a store that is away leaves each process with what it knows itself.
    """

    def __init__(self, store: Store, policy: AvailabilityPolicy, clock: Clock, *, shared: bool = False) -> None:
        """`shared`: other processes may use the same keys."""
        self._store = store
        self._policy = policy
        self._clock = clock
        self._shared = shared
        self._unsaved: dict[str, KeyState] = {}
        self._unsaved_rests: dict[tuple[str, str, str], ProviderRest] = {}
        self._uncounted = QuotaChanges()
        self._quotas_read_at = 0.0
        self._busy = asyncio.Lock()  # between what was drained and what is stored nothing may be taken up

    async def restore(self) -> None:
        """Take up what is stored, before the first request."""
        now = self._clock.now()
        async with self._store.read() as unit:
            states = await unit.availability.load()
            counts, findings = await unit.availability.load_quotas(self._second())
            rests = await unit.availability.load_rests(now) if self._shared else ()
        self._policy.restore({state.id: state for state in states})
        self._policy.restore_quotas(counts, findings)
        if rests:
            self._policy.follow({state.id: state for state in states}, rests)

    async def flush(self) -> None:
        """Store what changed. What a failed write could not store is tried again with the next.

        What other processes have used meanwhile is taken up, where there are quotas.
        """
        async with self._busy:
            await self._flush()

    async def _flush(self) -> None:
        for state in self._policy.drain_changes():
            if is_storable(state.id, MAX_ID_LENGTH):
                change = msgspec.structs.replace(state, reason=state.reason.replace("\0", " "))
                self._unsaved[state.id] = change_after(self._unsaved.get(state.id), change)
        for rest in self._policy.drain_rests():
            if self._shared and is_storable(rest.model, MAX_MODEL_LENGTH):
                self._unsaved_rests[rest.id] = msgspec.structs.replace(rest, reason=rest.reason.replace("\0", " "))
        self._uncounted = _storable(self._policy.drain_quotas()).after(self._uncounted)
        if self._unsaved or self._unsaved_rests or not self._uncounted.empty:
            await self._save()
        if self._shared and self._policy.has_quotas:
            if self._clock.monotonic() - self._quotas_read_at < QUOTAS_SECONDS:
                return
            async with self._store.read() as unit:
                stored = await unit.availability.load_quotas(self._second())
            self._quotas_read_at = self._clock.monotonic()
            self._policy.restore_quotas(*stored)

    async def _save(self) -> None:
        now = self._clock.now()
        async with self._store.write() as unit:
            if self._unsaved or self._unsaved_rests:
                if self._shared:
                    await unit.config_versions.bump(Learned.AVAILABILITY)  # first: others save after this unit
                await unit.availability.save(tuple(self._unsaved.values()), now)
            if self._unsaved_rests:
                await unit.availability.save_rests(tuple(self._unsaved_rests.values()), now)
            if not self._uncounted.empty:
                await unit.availability.save_quotas(self._uncounted, self._second())
        self._unsaved, self._unsaved_rests, self._uncounted = {}, {}, QuotaChanges()

    async def take_up(self, unit: UnitOfWork) -> None:
        """What other processes have stored. What this one could not store yet goes before it."""
        async with self._busy:
            now = self._clock.now()
            states = {state.id: state for state in await unit.availability.load()}
            rests = {rest.id: rest for rest in await unit.availability.load_rests(now)}
            for id_, change in self._unsaved.items():
                states[id_] = state_to_keep(states.get(id_), change, now)
            rests |= self._unsaved_rests
            self._policy.follow(
                {id_: state for id_, state in states.items() if not state.is_plain},
                [rest for rest in rests.values() if rest.until is not None],
            )

    def follow(self, state: GatewayState) -> None:
        """Plan quotas by this configuration now, and whenever its providers change; and hear of other processes."""

        async def plan(_: UnitOfWork) -> None:
            self._plan(state)

        state.follow(Section.PROVIDERS, plan)
        self._plan(state)
        if self._shared:
            state.follow(Learned.AVAILABILITY, self.take_up)

    def _plan(self, state: GatewayState) -> None:
        self._policy.plan_quotas(quota_plans(state.current.by_id.values(), self._clock.now().date()))

    def _second(self) -> int:
        return int(self._clock.now().timestamp())


def is_storable(name: str, most: int) -> bool:
    """Whether a store takes a name that a client may have made up. One that it does not take would stand before all
    that is to be stored with it, and again with each next time.
    """
    return len(name) <= most and "\0" not in name


def _storable(changes: QuotaChanges) -> QuotaChanges:
    used = tuple(count for count in changes.used if is_storable(count.name, MAX_ID_LENGTH))
    findings = tuple(found for found in changes.findings if is_storable(found.name, MAX_ID_LENGTH))
    return msgspec.structs.replace(changes, used=used, findings=findings)


Plan = tuple[tuple[str, QuotaRule], ...]

_DIMENSIONS: Final[dict[str, Dimension]] = {name: name for name in get_args(Dimension)}
_WINDOWS: Final[dict[str, Window]] = {name: name for name in get_args(Window)}


def quota_plans(providers: Iterable[LiveProvider], today: date) -> Mapping[str, Plan]:
    """By key id, those that have any: each rule with whom it counts for."""
    plans = {key_id: plan for live in providers for key_id, plan in _plans_of(live, today).items()}
    return {key_id: plan for key_id, plan in plans.items() if plan}


def _plans_of(live: LiveProvider, today: date) -> Mapping[str, Plan]:
    provider = live.provider
    shared: Plan = tuple((provider_owner_id(provider.id), rule_of(quota)) for quota in provider.settings.quota)
    known: tuple[QuotaRule, ...] | None = None
    plans: dict[str, Plan] = {}
    for key in live.keys:
        if key.quota is not None:
            rules = tuple(map(rule_of, key.quota))
        else:
            known = registry_rules(live.preset.free_tier, today) if known is None and live.preset else known or ()
            rules = known
        plans[key.id] = (*((key.id, rule) for rule in rules), *shared)
    if shared and not live.keys:
        plans[key_id_of(provider.id, None)] = shared
    return plans


def registry_rules(tier: FreeTier, today: date) -> tuple[QuotaRule, ...]:
    """What of a free tier can be counted. Nothing is firm that is not the provider's own word, or is outdated."""
    return tuple(rule for quota in tier.resolved() if (rule := _registry_rule(quota, tier, today)) is not None)


def _registry_rule(quota: Quota, tier: FreeTier, today: date) -> QuotaRule | None:
    dimension, window = _DIMENSIONS.get(quota.dimension), _WINDOWS.get(quota.window)
    if quota.limit is None or dimension is None or window is None:
        return None
    return QuotaRule(
        dimension,
        quota.limit * UNITS.get(dimension, 1),
        window,
        "registry",
        quota.reset,
        quota.pool,
        quota.models or tier.models,
        shared=quota.pool is not None,
        firm=quota.firm and quota.confidence == "official" and not is_outdated(quota.as_of, today),
        as_of=quota.as_of,
    )
