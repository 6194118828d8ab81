"""Limits and budgets that an admin sets beside the fields of their subjects: of tags, models, providers, and others."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from application.admin.config_write import Change, ObjectKind, config_write
from application.admission.access import check_budgets, check_patterns
from application.admission.spending import rule_of
from application.snapshot import GatewayState
from application.usage.naming import Naming
from domain.actors import Actor
from domain.authority import Right, require
from domain.errors import NotFound, RequestInvalid
from domain.limits import Budget, Count, RateLimits
from domain.ports.budgets import BudgetStore, Standing
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock, IdFactory
from domain.subject_limits import StoredRule, Subject, SubjectKind


class SubjectBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose it is: `{"kind": "tag", "id": "batch"}`."""

    kind: SubjectKind
    id: Annotated[str, Meta(min_length=1, max_length=512)]


class LimitsChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Limits to change: what is absent stays, null lifts one."""

    rpm: Count | UnsetType | None = UNSET
    rpd: Count | UnsetType | None = UNSET
    tpm: Count | UnsetType | None = UNSET
    tpd: Count | UnsetType | None = UNSET
    itpm: Count | UnsetType | None = UNSET
    otpm: Count | UnsetType | None = UNSET
    parallel: Count | UnsetType | None = UNSET

    def over(self, limits: RateLimits) -> RateLimits:
        names = RateLimits.__struct_fields__
        given = {name: value for name in names if (value := getattr(self, name)) is not UNSET}
        return msgspec.structs.replace(limits, **given)


class NewLimits(LimitsChange, frozen=True, kw_only=True):
    """Limits of a subject."""

    subject: SubjectBody


class ListedLimits(msgspec.Struct, frozen=True):
    """Limits of one subject. Those that are a field of it have no id, and are changed there."""

    id: str | None
    subject: Subject
    name: str | None
    limits: RateLimits


class ListedBudget(msgspec.Struct, frozen=True):
    """A budget and how it stands. One that is a field of its subject has no id, and is changed there."""

    id: str | None
    name: str | None
    budget: Budget
    stands: Standing


class RuleAdmin:
    """Sets, changes and ends them. Every write is in force for the next request; what was used before stays used."""

    def __init__(
        self,
        store: Store,
        state: GatewayState,
        budgets: BudgetStore,
        naming: Naming,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._store = store
        self._state = state
        self._budgets = budgets
        self._naming = naming
        self._clock = clock
        self._ids = ids

    async def list_all(self, actor: Actor, kind: ObjectKind) -> list[StoredRule]:
        """Of limits, or of budgets; oldest first."""
        require(actor, Right.PLATFORM_READ, "")
        async with self._store.read() as unit:
            return [rule for rule in await unit.rules.list_all() if _kind(rule) == kind]

    async def get(self, actor: Actor, kind: ObjectKind, rule_id: str) -> StoredRule:
        """Raises `NotFound`."""
        require(actor, Right.PLATFORM_READ, "")
        async with self._store.read() as unit:
            return await _found(unit, kind, rule_id)

    async def list_limits(self, actor: Actor, *, fields: bool) -> list[ListedLimits]:
        """Those that were set by themselves; with `fields` then those that are fields of tenants, users and keys."""
        require(actor, Right.PLATFORM_READ, "")
        async with self._store.read() as unit:
            stored = [rule for rule in await unit.rules.list_all() if rule.budget is None]
            of_subjects = await unit.rules.list_of_fields() if fields else ()
        found: list[tuple[str | None, Subject, RateLimits]] = [(each.id, each.subject, each.limits) for each in stored]
        found += [(None, each.subject, each.limits) for each in of_subjects if each.limits != RateLimits()]
        names = await self._naming.of_subjects(subject for _, subject, _ in found)
        return [ListedLimits(rule_id, subject, names.get(subject), limits) for rule_id, subject, limits in found]

    async def get_limits(self, rule: StoredRule) -> ListedLimits:
        """One with the name of its subject. Raises `StoreUnavailable`."""
        names = await self._naming.of_subjects([rule.subject])
        return ListedLimits(rule.id, rule.subject, names.get(rule.subject), rule.limits)

    async def add_limits(self, actor: Actor, new: NewLimits) -> StoredRule:
        """Raises `RequestInvalid` for a subject that could never be met."""
        return await self._add(actor, "limit", new.subject, new.over(RateLimits()), None)

    async def add_budget(self, actor: Actor, subject: SubjectBody, budget: Budget) -> StoredRule:
        """Raises `RequestInvalid` likewise, and for a budget that makes no sense."""
        check_budgets([budget])
        return await self._add(actor, "budget", subject, RateLimits(), budget)

    async def change_limits(self, actor: Actor, rule_id: str, change: LimitsChange) -> StoredRule:
        """Raises `NotFound`."""
        require(actor, Right.PLATFORM_WRITE, "")
        async with config_write(self._store, self._state, actor, Change("update", "limit", rule_id)) as unit:
            rule = await _found(unit, "limit", rule_id)
            changed = msgspec.structs.replace(rule, limits=change.over(rule.limits), updated_at=self._clock.now())
            await unit.rules.update(changed)
        return changed

    async def change_budget(self, actor: Actor, rule_id: str, fields: dict[str, object]) -> StoredRule:
        """The budget with these fields in place of its own. Raises `NotFound`, and `RequestInvalid` as `add_budget`."""
        require(actor, Right.PLATFORM_WRITE, "")
        async with config_write(self._store, self._state, actor, Change("update", "budget", rule_id)) as unit:
            rule = await _found(unit, "budget", rule_id)
            known = msgspec.to_builtins(rule.budget)
            try:
                budget = msgspec.convert(known | fields, Budget)
            except msgspec.ValidationError as error:
                raise RequestInvalid(str(error)) from error
            check_budgets([budget])
            changed = msgspec.structs.replace(rule, budget=budget, updated_at=self._clock.now())
            await unit.rules.update(changed)
        return changed

    async def delete(self, actor: Actor, kind: ObjectKind, rule_id: str) -> None:
        """Raises `NotFound`."""
        require(actor, Right.PLATFORM_WRITE, "")
        async with config_write(self._store, self._state, actor, Change("delete", kind, rule_id)) as unit:
            await _found(unit, kind, rule_id)
            await unit.rules.delete(rule_id)

    async def list_budgets(self, actor: Actor) -> list[ListedBudget]:
        """All that hold, and how they stand: those that were set by themselves, then those that are fields.

        Raises `ServiceUnavailable`.
        """
        require(actor, Right.PLATFORM_READ, "")
        async with self._store.read() as unit:
            stored = [rule for rule in await unit.rules.list_all() if rule.budget is not None]
            fields = await unit.rules.list_of_fields()
        found: list[tuple[str | None, Subject, Budget | None]] = [
            (rule.id, rule.subject, rule.budget) for rule in stored
        ]
        found += [(None, each.subject, budget) for each in fields for budget in each.budgets]
        return await self._listed(found)

    async def get_standing(self, rule: StoredRule) -> ListedBudget:
        """How one stands that was set by itself. Raises `ServiceUnavailable`."""
        (found,) = await self._listed([(rule.id, rule.subject, rule.budget)])
        return found

    async def _listed(self, found: list[tuple[str | None, Subject, Budget | None]]) -> list[ListedBudget]:
        budgets = [(rule_id, rule_of(subject, budget)) for rule_id, subject, budget in found if budget is not None]
        standings = await self._budgets.standings([rule.term for _, rule in budgets])
        names = await self._naming.of_subjects(rule.term.subject for _, rule in budgets)
        return [
            ListedBudget(rule_id, names.get(rule.term.subject), rule.budget, stands)
            for (rule_id, rule), stands in zip(budgets, standings, strict=True)
        ]

    async def _add(
        self, actor: Actor, kind: ObjectKind, subject: SubjectBody, limits: RateLimits, budget: Budget | None
    ) -> StoredRule:
        require(actor, Right.PLATFORM_WRITE, "")
        if subject.kind == "model":
            check_patterns([subject.id], "subject.id")
        now = self._clock.now()
        rule_id = self._ids.new("bud" if kind == "budget" else "lim")
        rule = StoredRule(rule_id, Subject(subject.kind, subject.id), limits, budget, now, now)
        async with config_write(self._store, self._state, actor, Change("create", kind, rule_id)) as unit:
            await unit.rules.add(rule)
        return rule


def _kind(rule: StoredRule) -> ObjectKind:
    return "limit" if rule.budget is None else "budget"


async def _found(unit: UnitOfWork, kind: ObjectKind, rule_id: str) -> StoredRule:
    rule = await unit.rules.get(rule_id)
    if rule is None or _kind(rule) != kind:
        raise NotFound(f"There is no {kind} '{rule_id}'. GET /admin/{kind}s lists them.")
    return rule
