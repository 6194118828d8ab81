"""Recorded decisions under another policy: who would have been asked, and what that would have cost (contract 11).

A decision that was made by the very policy is taken as it was recorded, chance and all. Under any other policy the
conditions and the strategies are the router's own, over what the record knows: the prompt's tokens, who asked and when,
what the same tokens cost at each. What could not be asked then, could not be asked here either.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from typing_extensions import override

from application.decisions.reading import considered
from application.routing.conditions import Condition
from application.routing.strategies import Ordering
from domain.decisions import DecisionNote
from domain.measurements import NEVER_MEASURED, Measured, RecentSpeed
from domain.ports.models import Measurements
from domain.ports.prices import PriceBook
from domain.ports.runtime import Clock
from domain.prices import PriceRow, Prices
from domain.providers import Provider, ProviderSettings
from domain.records import RequestRecord
from domain.routes import MOCK_PROVIDER, Route, RoutePolicy
from domain.routing import Candidate, TaskReading
from domain.savings import could_serve
from domain.tasks import Task
from domain.timeouts import Timeouts

Deployment = tuple[str, str]
"""Provider and model."""

Deployments = Callable[[str, str], Sequence[Deployment]]
"""What a target's provider, or "", and its model mean now."""

Cost = Callable[[RequestRecord, Deployment], int | None]
Latency = Callable[[Deployment], float | None]

_MILLION: Final = 1_000_000
_TASKS: Final = {task.value: task for task in Task}


def actual(record: RequestRecord, note: DecisionNote) -> Deployment | None:
    """Who was chosen."""
    found = [each for each in considered(note, record.attempts) if each.chosen]
    return (found[0].provider, found[0].model) if found else None


class Recorded:
    """The `Circumstances` of a request as they were written down. A task that nobody read is none."""

    def __init__(self, record: RequestRecord, note: DecisionNote) -> None:
        self.now = record.created_at
        self.tenant_id = record.tenant_id
        self.key_id = record.key_id
        self.tags = frozenset(record.attribution.tags)
        self.tokens = note.prompt_tokens or 0
        self.reading = TaskReading(_TASKS.get(note.task), note.task_confidence, "request")


class Replay:
    """One policy over the decisions of a time, oldest first: targets whose turns it is take them as live.

    `prices` None: by what the tokens of each request `cost` at each target, else by these, as the router would.
    """

    def __init__(
        self,
        policy: RoutePolicy,
        live: Route | None,
        deployments: Deployments,
        cost: Cost,
        latency: Latency,
        prices: PriceBook | None = None,
    ) -> None:
        self._policy = policy
        self._live = live
        self._clock = _Steps()
        self._costs = _NotedCosts(cost)
        self._candidates, self._conditions = _compiled(policy, deployments, self._clock.now())
        book = self._costs if prices is None else prices
        # A chance of 1 is that of no trial: a target is asked where its figures have it asked.
        self._ordering = Ordering(policy.strategy, self._candidates, _Recent(latency), book, self._clock, lambda: 1.0)

    def chosen(self, record: RequestRecord, note: DecisionNote) -> Deployment | None:
        """Who would have been; None where no target is left."""
        live = self._live
        if live is not None and self._policy == live.policy and note.version == live.version:
            return actual(record, note)
        order = self.order(record, note)
        excluded = {(each.provider_id, each.model) for each in note.candidates if each.excluded_by}
        failed = {(each.provider_id, each.model) for each in record.attempts if each.outcome not in ("ok", "cancelled")}
        return next((each for each in order if each not in excluded | failed), order[0] if order else None)

    def order(self, record: RequestRecord, note: DecisionNote) -> Sequence[Deployment]:
        """The targets that could have served, in the order to try them."""
        self._clock.at = record.created_at
        self._costs.record, self._costs.tokens = record, note.prompt_tokens or 0
        asked = Recorded(record, note)
        ruled_out = {(each.provider_id, each.model) for each in note.candidates if not could_serve(each)}
        places = [
            place
            for place, condition in enumerate(self._conditions)
            if (condition is None or condition.unmet(asked) is None) and _key(self._candidates[place]) not in ruled_out
        ]
        order = self._ordering.order(places, lambda: asked.tokens)
        return list(dict.fromkeys(_key(self._candidates[place]) for place in order))


def _compiled(
    policy: RoutePolicy, deployments: Deployments, at: datetime
) -> tuple[Sequence[Candidate], Sequence[Condition | None]]:
    """As the router compiles a route: of several targets without a condition that are one, the first counts."""
    candidates: list[Candidate] = []
    conditions: list[Condition | None] = []
    seen: set[Deployment] = set()
    for target in policy.targets:
        condition = Condition(target.when) if target.when is not None else None
        mocked = ((MOCK_PROVIDER, target.model),)
        for key in mocked if target.mock is not None else deployments(target.provider, target.model):
            if key not in seen:
                seen |= {key} if condition is None else set()
                candidates.append(Candidate(_named(key[0], at), key[1], Timeouts(), weight=target.weight))
                conditions.append(condition)
    return candidates, conditions


def _named(provider_id: str, at: datetime) -> Provider:
    """Whoever it is: of a provider an order depends on its id alone, and it may be gone."""
    return Provider(provider_id, "", "", None, 0, True, ProviderSettings(), "database", 1, at, at)


def _key(candidate: Candidate) -> Deployment:
    return candidate.provider.id, candidate.model


class _Steps(Clock):
    """The time of the record; so much passes between two that nothing looked up for one is kept for the next."""

    def __init__(self) -> None:
        self.at = datetime(1970, 1, 1, tzinfo=UTC)
        self._passed = 0.0

    @override
    def now(self) -> datetime:
        return self.at

    @override
    def monotonic(self) -> float:
        self._passed += 1.0
        return self._passed


class _NotedCosts(PriceBook):
    """What the tokens of one request cost at each deployment, as a price of its prompt, or else of its answer."""

    def __init__(self, cost: Cost) -> None:
        self._cost = cost
        self.record: RequestRecord | None = None
        self.tokens = 0

    @override
    def find(self, provider_id: str, model: str) -> PriceRow | None:
        return self.look_up(provider_id, model)

    @override
    def look_up(self, provider_id: str, model: str) -> PriceRow | None:
        cost = self._cost(self.record, (provider_id, model)) if self.record is not None else None
        if cost is None or self.record is None:
            return None
        prices = Prices(cost * _MILLION // self.tokens, 0) if self.tokens else Prices(0, cost * _MILLION)
        return PriceRow("", provider_id, model, prices, "", self.record.created_at)


class _Recent(Measurements):
    """How long each deployment took on average in the time that is replayed."""

    def __init__(self, latency: Latency) -> None:
        self._latency = latency

    @override
    def measured(self, provider_id: str, model: str) -> Measured | None:
        return None

    @override
    def recent(self, provider_id: str, model: str) -> RecentSpeed:
        took = self._latency((provider_id, model))
        return NEVER_MEASURED if took is None else msgspec.structs.replace(NEVER_MEASURED, latency_ms=took)
