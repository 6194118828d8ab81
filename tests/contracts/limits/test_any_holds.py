"""Holds, ends and time in any order, in any zone, held against a plain list of all that was held (P-06, R-20)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from zoneinfo import available_timezones

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from domain.budget_periods import bucket_at, zone_of
from domain.errors import LimitExceeded
from domain.limits import Period
from domain.ports.budgets import BudgetStore, BudgetTerm, Hold
from domain.subject_limits import Subject
from tests.contracts.limits.conftest import BUDGET_STORES, MakeBudgets
from tests.fakes.budgets import NothingSpent
from tests.fakes.clock import FakeClock

LIMITS = (100, 70)
PERIODS: tuple[Period, ...] = ("day", "week", "month", "rolling_5h", "rolling_7d", "rolling_30d", "never")
ZONES = sorted(name for name in available_timezones() if name != "localtime")
TICKS = st.sampled_from([0, 1, 299, 300, 301, 3_599, 3_600, 18_000, 18_300, 86_399, 86_400, 90_000, 604_800, 2_678_400])
YEARS = timedelta(days=365 * 20)


class Entry:
    """What one hold has in one account: its amount while it is open, then what it cost."""

    def __init__(self, account: str, starts_at: int, amount: int) -> None:
        self.account = account
        self.starts_at = starts_at
        self.amount = amount
        self.open = True


class Holds(RuleBasedStateMachine):
    make: ClassVar[MakeBudgets]

    budgets: BudgetStore
    terms: tuple[BudgetTerm, ...]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock()
        self.entries: list[Entry] = []
        self.open: list[tuple[Hold, list[Entry]]] = []
        self.number = 0

    @initialize(
        zones=st.tuples(st.sampled_from(ZONES), st.sampled_from(ZONES)),
        periods=st.tuples(st.sampled_from(PERIODS), st.sampled_from(PERIODS)),
        after=st.timedeltas(timedelta(0), YEARS),
    )
    def begin(self, zones: tuple[str, str], periods: tuple[Period, Period], after: timedelta) -> None:
        self.clock.set_wall_clock(datetime(2017, 1, 1, tzinfo=UTC) + after)
        self.budgets = type(self).make(self.clock, NothingSpent())
        self.terms = tuple(
            BudgetTerm(f"key:{place}", Subject("key", str(place)), LIMITS[place], periods[place], zones[place])
            for place in range(2)
        )

    @override
    def teardown(self) -> None:
        self.loop.close()

    def used(self, term: BudgetTerm) -> tuple[int, int]:
        """What is spent and held of it now."""
        counts_from = bucket_at(term.period, zone_of(term.timezone), self.clock.now()).counts_from
        counted = [e for e in self.entries if e.account == term.account and e.starts_at >= counts_from]
        return sum(e.amount for e in counted if not e.open), sum(e.amount for e in counted if e.open)

    def left(self, term: BudgetTerm) -> int:
        return term.limit_nano_usd - sum(self.used(term))

    @rule(tick=TICKS)
    def time_passes(self, tick: float) -> None:
        self.clock.advance(tick)

    @rule(least=st.integers(1, 40), more=st.integers(0, 60), which=st.sampled_from([(0,), (1,), (0, 1), (1, 0)]))
    def hold(self, least: int, more: int, which: tuple[int, ...]) -> None:
        terms = [self.terms[place] for place in which]
        fits = all(self.left(term) >= least for term in terms)
        granted = min([least + more, *(max(least, self.left(term) // 8) for term in terms)])
        self.number += 1
        try:
            hold = self.loop.run_until_complete(self.budgets.hold(f"dec_{self.number}", terms, least, least + more))
        except LimitExceeded:
            assert not fits
            return
        assert fits
        assert hold.amount_nano_usd == granted
        made = [Entry(charge.account, charge.starts_at, charge.nano_usd) for charge in hold.charges]
        for entry, term in zip(made, terms, strict=True):
            assert entry.starts_at == bucket_at(term.period, zone_of(term.timezone), self.clock.now()).starts_at
        self.entries += made
        self.open.append((hold, made))

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 20), share=st.floats(0, 1))
    def settle(self, which: int, share: float) -> None:
        hold, made = self.open.pop(which % len(self.open))
        cost = int(hold.amount_nano_usd * share)
        hold.settle({entry.account: cost for entry in made})
        hold.settle({entry.account: 1_000 for entry in made})
        for entry in made:
            entry.open, entry.amount = False, cost

    @invariant()
    def as_the_list_says_and_never_above_the_limit(self) -> None:
        if not hasattr(self, "terms"):
            return
        standings = self.loop.run_until_complete(self.budgets.standings(self.terms))
        for term, standing in zip(self.terms, standings, strict=True):
            spent, held = self.used(term)
            assert (standing.spent_nano_usd, standing.held_nano_usd) == (spent, held)
            assert spent + held <= term.limit_nano_usd
            assert standing.period_end > self.clock.now().timestamp() - 1


@pytest.mark.parametrize("store_name", BUDGET_STORES)
def test_in_any_order_of_events_spent_and_held_never_pass_the_limit(store_name: str) -> None:
    machine = type("Machine", (Holds,), {"make": staticmethod(BUDGET_STORES[store_name])})
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=40, deadline=None))


@pytest.mark.slow
@pytest.mark.parametrize("store_name", BUDGET_STORES)
def test_in_many_more_orders_of_events_neither(store_name: str) -> None:
    machine = type("Machine", (Holds,), {"make": staticmethod(BUDGET_STORES[store_name])})
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=60, deadline=None))
