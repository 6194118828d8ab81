"""Takes, ends and time in any order, held against a model that is slow and plain: a list of all that happened."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import ClassVar, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from typing_extensions import override

from adapters.limits.shared import SharedLimitStore
from domain.errors import LimitExceeded
from domain.ports.limits import Demand, LimitStore, Take
from domain.subject_limits import Limit, LimitDimension, Subject
from tests.contracts.limits.conftest import STORES
from tests.fakes.clock import FakeClock

T = TypeVar("T")

AMOUNTS: dict[LimitDimension, int] = {
    "rpm": 5, "rpd": 12, "tpm": 60, "tpd": 150, "itpm": 40, "otpm": 40, "parallel": 3,
}  # fmt: skip

LIMITS = [Limit(Subject("key", "k"), *each) for each in AMOUNTS.items()]

TICKS = st.sampled_from([0, 0.4, 1, 1, 7, 30, 59, 59.999, 60, 60.001, 61, 61.5, 3600, 40_000])
"""The span's own edges must be among them: without 59 and 60 a window one second short went unnoticed."""


class Entry:
    """What one take has in the books: changed when it ends."""

    def __init__(self, second: int, day: int, amounts: dict[str, int]) -> None:
        self.second = second
        self.day = day
        self.amounts = amounts
        self.open = True


class Model:
    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def used(self, dimension: LimitDimension, second: int, day: int) -> int:
        if dimension == "parallel":
            return sum(entry.open for entry in self.entries)
        if dimension in {"rpd", "tpd"}:
            return sum(entry.amounts[dimension] for entry in self.entries if entry.day == day)
        return sum(entry.amounts[dimension] for entry in self.entries if second - entry.second <= 60)


def wanted(demand: Demand) -> dict[str, int]:
    tokens = demand.input_tokens + demand.output_tokens
    return {
        "rpm": 1, "rpd": 1, "tpm": tokens, "tpd": tokens, "itpm": demand.input_tokens, "otpm": demand.output_tokens,
        "parallel": 1,
    }  # fmt: skip


class Limits(RuleBasedStateMachine):
    make: ClassVar[Callable[[FakeClock], Awaitable[LimitStore]]]

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
        self.loop = asyncio.new_event_loop()
        self.store = self.run(type(self).make(self.clock))
        self.limiter = self.store.limiter(LIMITS)
        self.model = Model()
        self.open: list[tuple[Take, Entry]] = []

    @override
    def teardown(self) -> None:
        assert self.loop.run_until_complete(self.store.answers())
        self.run(self.store.aclose())
        self.loop.close()

    def run(self, work: Awaitable[T]) -> T:
        """With what it started in the background."""

        async def whole() -> T:
            result = await work
            store = getattr(self, "store", None)
            if isinstance(store, SharedLimitStore):
                await store.told()
            return result

        return self.loop.run_until_complete(whole())

    @property
    def now(self) -> tuple[int, int]:
        return int(self.clock.monotonic()), self.clock.now().toordinal()

    @rule(tick=TICKS)
    def time_passes(self, tick: float) -> None:
        """Leases are renewed, or taken again where they had ended: whoever has them lives."""
        self.clock.advance(tick)
        self.run(self.store.keep())

    @rule(tokens_in=st.integers(0, 30), tokens_out=st.integers(0, 30))
    def take(self, tokens_in: int, tokens_out: int) -> None:
        demand = Demand(tokens_in, tokens_out)
        amounts, (second, day) = wanted(demand), self.now
        fits = all(self.model.used(name, second, day) + amounts[name] <= AMOUNTS[name] for name in AMOUNTS)
        try:
            take = self.run(self.limiter.take(demand))
        except LimitExceeded:
            assert not fits
        else:
            assert fits
            entry = Entry(second, day, amounts)
            self.model.entries.append(entry)
            self.open.append((take, entry))

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 20), tokens_in=st.integers(0, 40), tokens_out=st.integers(0, 40))
    def settle(self, which: int, tokens_in: int, tokens_out: int) -> None:
        take, entry = self.open.pop(which % len(self.open))
        self.end(lambda: take.settle(tokens_in, tokens_out))
        self.ended(entry, wanted(Demand(tokens_in, tokens_out)))

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 20))
    def release(self, which: int) -> None:
        take, entry = self.open.pop(which % len(self.open))
        self.end(take.release)
        self.ended(entry, dict.fromkeys(map(str, AMOUNTS), 0))

    def end(self, ending: Callable[[], None]) -> None:
        async def within_the_loop() -> None:
            ending()

        self.run(within_the_loop())

    def ended(self, entry: Entry, real: dict[str, int]) -> None:
        """Less than was taken goes back to its second; more is used now, and in its own day."""
        entry.open = False
        second, day = self.now
        for name in AMOUNTS:
            if real[name] <= entry.amounts[name] or name in {"rpd", "tpd"}:
                entry.amounts[name] = real[name]
            else:
                more: dict[str, int] = dict.fromkeys(map(str, AMOUNTS), 0)
                more[name] = real[name] - entry.amounts[name]
                late = Entry(second, day, more)
                late.open = False
                self.model.entries.append(late)

    @invariant()
    def counts_are_no_less_than_nothing(self) -> None:
        second, day = self.now
        assert all(self.model.used(name, second, day) >= 0 for name in AMOUNTS)


EXAMPLES = {"memory": 60, "postgres": 4, "valkey": 6}


@pytest.mark.parametrize("store_name", STORES)
def test_any_order_of_events_counts_as_a_plain_list_does(store_name: str, request: pytest.FixtureRequest) -> None:
    run_machine(store_name, request, EXAMPLES[store_name])


@pytest.mark.slow
@pytest.mark.parametrize("store_name", ["postgres", "valkey"])
def test_many_orders_do_so_in_what_processes_share(store_name: str, request: pytest.FixtureRequest) -> None:
    run_machine(store_name, request, 12)


def run_machine(store_name: str, request: pytest.FixtureRequest, examples: int) -> None:
    def make(clock: FakeClock) -> Awaitable[LimitStore]:
        return STORES[store_name](request, clock)

    machine = type("Machine", (Limits,), {"make": staticmethod(make)})
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=50, deadline=None))
