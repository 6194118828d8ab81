"""All limits and budgets that a request of a key would meet, with how each stands now."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from application.admin.subject_names import name_of
from application.admission.limits import LimitGate
from application.admission.rights import principal_of
from application.admission.spending import Rule, rule_of
from application.catalog import ModelDirectory
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.authority import Right, reach
from domain.budget_periods import NEVER_ENDS, bucket_at, zone_of
from domain.errors import LimitExceeded, NotFound
from domain.keys import Principal
from domain.limits import Budget
from domain.money import usd
from domain.ports.budgets import Standing
from domain.ports.limits import Demand
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock
from domain.subject_limits import Limit, Subject, SubjectRules, limits_of

Source = Literal["field", "rule", "default"]
"""Where it is set: in a field of its subject, at `/admin/limits` or `/admin/budgets`, or in the defaults."""

_DAYS = frozenset({"rpd", "tpd"})


class ExplainedSubject(msgspec.Struct, frozen=True):
    kind: str
    id: str
    name: str


class Explained(msgspec.Struct, frozen=True):
    """One limit, counted in `unit` (`rpm`, `tpm`, …), or one budget, in `usd` as text. `refuses`: the next request is
    refused by it as it stands. `period_end` is null where it slides, rolls on, or never ends, `period_start` likewise.
    `period`, `timezone`, `on_exceeded` and `models` are the budget's own, and null of a limit.
    """

    subject: ExplainedSubject
    limit: int | str
    used: int | str
    held: int | str
    remaining: int | str
    unit: str
    period_end: datetime | None
    source: Source
    refuses: bool
    period: str | None = None
    period_start: datetime | None = None
    timezone: str | None = None
    on_exceeded: str | None = None
    models: tuple[str, ...] | None = None


class ExplainedLimits(msgspec.Struct, frozen=True):
    """Each list by the share left, the tightest first."""

    limits: tuple[Explained, ...]
    budgets: tuple[Explained, ...]


class LimitExplainer:
    """Looks at counters and takes nothing of them. Without a model, only what the caller meets with every one."""

    def __init__(
        self, store: Store, gate: LimitGate, state: GatewayState, directory: ModelDirectory, clock: Clock, zone: str
    ) -> None:
        self._store = store
        self._gate = gate
        self._state = state
        self._directory = directory
        self._clock = clock
        self._zone = zone_of(zone)

    async def get(self, actor: Actor, key_id: str, model: str | None, tags: tuple[str, ...] = ()) -> ExplainedLimits:
        """`tags` are those that the request names itself.

        Raises `NotFound` for a key that the actor may not see, `ServiceUnavailable` where nobody can tell."""
        seen = reach(actor, Right.TENANT_READ)
        async with self._store.read() as unit:
            key = await unit.virtual_keys.get(key_id, seen)
            issued = await unit.virtual_keys.find([key.digest]) if key is not None else None
            if issued is None:
                raise NotFound(f"There is no key '{key_id}'. GET /admin/keys lists them.")
        return await self._explained([principal_of(issued, {})], model, tags, upstream=seen.everywhere)

    async def get_for(
        self, callers: Sequence[Principal], model: str | None, tags: tuple[str, ...] = ()
    ) -> ExplainedLimits:
        """What requests of these would meet, each subject once; nothing of providers and their keys.

        Raises `ServiceUnavailable`.
        """
        return await self._explained(callers, model, tags, upstream=False)

    async def _explained(
        self, callers: Sequence[Principal], model: str | None, tags: tuple[str, ...], *, upstream: bool
    ) -> ExplainedLimits:
        candidates = self._candidates(model)
        met = self._met(callers, candidates, tags, upstream=upstream)
        own = {rules.subject: rules for caller in callers for rules in caller.rules}
        async with self._store.read() as unit:
            names = {rules.subject: await _name(unit, rules.subject) for rules in met}
        limits = [await self._limit(limit, names, own) for rules in met for limit in limits_of(rules)]
        rules = [rule_of(each.subject, budget) for each in met for budget in each.budgets]
        if candidates:
            rules = [rule for rule in rules if any(rule.meets(*candidate) for candidate in candidates)]
        standings = await self._gate.spending.store.standings([rule.term for rule in rules])
        pairs = zip(rules, standings, strict=True)
        budgets = [self._budget(rule, stands, names, own) for rule, stands in pairs]
        return ExplainedLimits(_tightest_first(limits), _tightest_first(budgets))

    def _candidates(self, model: str | None) -> list[tuple[str, str]]:
        """Provider and model, as far as `model` names them: `provider/model`, or a name that providers list."""
        if model is None:
            return []
        found: list[tuple[str, str]] = []
        for live in self._state.current.by_id.values():
            provider_id = live.provider.id
            if model.startswith(f"{provider_id}/"):
                found.append((provider_id, model.removeprefix(f"{provider_id}/")))
            elif self._directory.offers(live, model):
                found.append((provider_id, model))
        return found or [("", model)]

    def _met(
        self,
        callers: Iterable[Principal],
        candidates: Iterable[tuple[str, str]],
        tags: tuple[str, ...],
        *,
        upstream: bool,
    ) -> Sequence[SubjectRules]:
        book = self._gate.book
        met = [
            rules
            for caller in callers
            for rules in self._gate.subjects(caller, tuple(dict.fromkeys((*caller.tags, *tags))))
        ]
        for provider_id, model in candidates:
            met += book.of_model(provider_id, model)
            live = self._state.current.by_id.get(provider_id)
            if upstream and live is not None:
                for key_id in (None, *(key.id for key in live.keys)):
                    met += book.of_upstream(provider_id, key_id)
        return list({rules.subject: rules for rules in met}.values())

    async def _limit(
        self, limit: Limit, names: Mapping[Subject, str], own: Mapping[Subject, SubjectRules]
    ) -> Explained:
        used = await self._used(limit)
        field = own.get(limit.subject)
        stored = self._gate.book.stored(limit.subject)
        ends = None
        if limit.dimension in _DAYS:
            ends = datetime.fromtimestamp(bucket_at("day", self._zone, self._clock.now()).ends_at, UTC)
        return Explained(
            subject=_subject(limit.subject, names),
            limit=limit.amount,
            used=used,
            held=0,
            remaining=max(limit.amount - used, 0),
            unit=limit.dimension,
            period_end=ends,
            source=_source(
                field is not None and getattr(field.limits, limit.dimension) == limit.amount,
                stored is not None and getattr(stored.limits, limit.dimension) == limit.amount,
            ),
            refuses=used >= limit.amount,
        )

    async def _used(self, limit: Limit) -> int:
        """What its counter says: a limit of nothing refuses, says what is used, and takes nothing."""
        nothing = msgspec.structs.replace(limit, amount=0)
        try:
            take = await self._gate.store.limiter([nothing]).take(Demand(1, 1))
        except LimitExceeded as refusal:
            return refusal.used
        take.release()
        return 0

    def _budget(
        self, rule: Rule, stands: Standing, names: Mapping[Subject, str], own: Mapping[Subject, SubjectRules]
    ) -> Explained:
        subject, term = rule.term.subject, rule.term
        fixed = not term.period.startswith("rolling") and stands.period_end < NEVER_ENDS
        return Explained(
            subject=_subject(subject, names),
            limit=usd(term.limit_nano_usd),
            used=usd(stands.spent_nano_usd),
            held=usd(stands.held_nano_usd),
            remaining=usd(stands.remaining_nano_usd),
            unit="usd",
            period_end=datetime.fromtimestamp(stands.period_end, UTC) if fixed else None,
            source=_source(_has(own.get(subject), rule.budget), _has(self._gate.book.stored(subject), rule.budget)),
            refuses=term.enforced and stands.remaining_nano_usd == 0,
            period=term.period,
            period_start=datetime.fromtimestamp(stands.period_start, UTC) if fixed else None,
            timezone=term.timezone,
            on_exceeded=term.on_exceeded,
            models=rule.budget.models,
        )


def _has(rules: SubjectRules | None, budget: Budget) -> bool:
    return rules is not None and budget in rules.budgets


def _source(in_field: bool, in_rule: bool) -> Source:
    if in_field:
        return "field"
    return "rule" if in_rule else "default"


async def _name(unit: UnitOfWork, subject: Subject) -> str:
    return await name_of(unit, subject.kind, subject.id)


def _subject(subject: Subject, names: Mapping[Subject, str]) -> ExplainedSubject:
    return ExplainedSubject(subject.kind, subject.id, names[subject])


def _tightest_first(items: Iterable[Explained]) -> tuple[Explained, ...]:
    return tuple(sorted(items, key=lambda item: float(item.remaining) / (float(item.limit) or 1)))
