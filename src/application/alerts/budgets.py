"""How budgets stand that requests have met."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from application.admin.subject_names import name_of
from application.admission.spending import Rule, SpendingGate
from application.alerts.book import AlertBook
from application.alerts.watch import Source
from domain.alerts import AlertSubject, Reading
from domain.budget_periods import NEVER_ENDS, ROLLING
from domain.money import usd
from domain.ports.budgets import Standing
from domain.ports.repositories import UnitOfWork

SECONDS: Final = 1.0
LOOKED_AT_AGAIN: Final = 3
"""Turns for which a budget is looked at after a request met it: with Postgres its cost is booked a little later."""


class BudgetReadings:
    """Of the budgets whose money moved, or that refused. The gate notes them while a rule asks for it."""

    def __init__(self, gate: SpendingGate) -> None:
        self._gate = gate
        self._left: dict[str, int] = {}  # turns, by account
        self._rules: dict[str, Rule] = {}
        self._refused: dict[str, int] = {}  # the start of the period in which it refused, by account

    def source(self) -> Source:
        return Source(["budget_threshold"], SECONDS, self.read)

    def follow_rules(self, book: AlertBook) -> None:
        """Have the gate note what is met, or stop it, as the rules ask."""
        self._gate.moved = {} if book.of("budget_threshold") else None

    async def read(self, unit: UnitOfWork) -> Sequence[Reading]:
        """Raises `StoreUnavailable` and `ServiceUnavailable`: what is noted stays noted."""
        met, self._gate.moved = self._gate.moved or {}, {}
        refused, self._gate.refused = self._gate.refused, set()
        self._rules |= met
        self._left |= dict.fromkeys(met, LOOKED_AT_AGAIN)
        rules = list(self._rules.values())
        if not rules:
            return ()
        try:
            standings = await self._gate.store.standings([rule.term for rule in rules])
        except BaseException:
            self._gate.refused |= refused
            raise
        readings = [await self._reading(unit, rule, s, refused) for rule, s in zip(rules, standings, strict=True)]
        self._left = {account: left - 1 for account, left in self._left.items() if left > 1}
        self._rules = {account: rule for account, rule in self._rules.items() if account in self._left}
        return readings

    async def _reading(self, unit: UnitOfWork, rule: Rule, standing: Standing, refused: set[str]) -> Reading:
        budget, term = rule.budget, rule.term
        limit, spent = term.limit_nano_usd, standing.spent_nano_usd
        level = spent / limit if limit else 1.0
        rolling = term.period in ROLLING
        if term.account in refused:
            self._refused[term.account] = standing.period_start
        if self._refused.get(term.account) == standing.period_start and level > 1 - 1 / 8:
            level = max(level, 1.0)  # what is left was too little for a request
        name = await name_of(unit, term.subject.kind, term.subject.id)
        whose = term.subject.in_words() if name == term.subject.id else f"{term.subject.in_words()} ({name})"
        end = standing.period_end
        models = f" for {', '.join(budget.models)}" if budget.models else ""
        return Reading(
            event="budget_threshold",
            subject=AlertSubject(term.subject.kind, term.subject.id, name),
            level=level,
            text=f"The budget of ${usd(limit)} ({term.period.replace('_', ' ')}){models} of {whose} is used to "
            f"{level:.0%}: ${usd(spent)} are spent.",
            thresholds=tuple(sorted({*budget.warn_at, 1.0})),
            value=usd(spent),
            limit=usd(limit),
            period="" if rolling else str(standing.period_start),
            period_end=None if rolling or end >= NEVER_ENDS else datetime.fromtimestamp(end, UTC),
            scope=term.account,
        )
