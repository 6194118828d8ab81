"""Every store of limits, with a clock that the tests move."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import pytest

from adapters.limits.memory import MemoryLimitStore
from adapters.limits.memory_budgets import MemoryBudgetStore
from adapters.limits.postgres_counters import PostgresCounters
from adapters.limits.shared import SharedCounters, SharedLimitStore
from adapters.limits.valkey_counters import ValkeyCounters
from adapters.persistence.engine import parse_url
from domain.ports.budgets import BudgetStore
from domain.ports.limits import LimitStore
from tests.apart import run_apart
from tests.contracts.limits.valkey import ValkeyServer
from tests.contracts.persistence.postgres import PostgresServer
from tests.fakes.budgets import NothingSpent
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import MemoryLedger

MakeStore = Callable[[pytest.FixtureRequest, FakeClock], Awaitable[LimitStore]]

MakeBudgets = Callable[[FakeClock, NothingSpent], BudgetStore]

PATIENT: Final = 30.0
"""Seconds to wait for a reply on a machine that is busy with other tests."""


def _postgres(request: pytest.FixtureRequest, clock: FakeClock, empty: bool) -> SharedCounters:
    server: PostgresServer = request.getfixturevalue("postgres")
    if empty:
        run_apart(server.fetch(server.migrated_url, "TRUNCATE limit_days, limit_windows, limit_slots"))
    return PostgresCounters(parse_url(server.migrated_url), milliseconds_of(clock), PATIENT)


def _valkey(request: pytest.FixtureRequest, clock: FakeClock, empty: bool) -> SharedCounters:
    server: ValkeyServer = request.getfixturevalue("valkey")
    if empty:
        server.ask("FLUSHALL")
    return ValkeyCounters(server.url, "test", milliseconds_of(clock), PATIENT)


SHARED: dict[str, Callable[[pytest.FixtureRequest, FakeClock, bool], SharedCounters]] = {
    "postgres": _postgres,
    "valkey": _valkey,
}
"""Counters on a real server, emptied first or not."""


async def _in_memory(_: pytest.FixtureRequest, clock: FakeClock) -> LimitStore:
    return MemoryLimitStore(clock)


async def _in_postgres(request: pytest.FixtureRequest, clock: FakeClock) -> LimitStore:
    return SharedLimitStore(_postgres(request, clock, True), clock)


async def _in_valkey(request: pytest.FixtureRequest, clock: FakeClock) -> LimitStore:
    return SharedLimitStore(_valkey(request, clock, True), clock)


STORES: dict[str, MakeStore] = {"memory": _in_memory, "postgres": _in_postgres, "valkey": _in_valkey}


def milliseconds_of(clock: FakeClock) -> Callable[[], int]:
    """The store's own clock, which goes with the monotonic one of the tests: no wall clock counts seconds."""
    return lambda: int(clock.monotonic() * 1000) + 1_000_000_000


def _memory(clock: FakeClock, spend: NothingSpent) -> BudgetStore:
    return MemoryBudgetStore(clock, spend, MemoryLedger().orphans_booked)


BUDGET_STORES: dict[str, MakeBudgets] = {"memory": _memory}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, clock: FakeClock) -> AsyncIterator[LimitStore]:
    make: MakeStore = STORES[request.param]
    made = await make(request, clock)
    yield made
    assert not isinstance(made, SharedLimitStore) or not made.counters.away  # else it counted in memory
    await made.aclose()


@pytest.fixture
def spend() -> NothingSpent:
    return NothingSpent()


@pytest.fixture(params=BUDGET_STORES)
def budgets(request: pytest.FixtureRequest, clock: FakeClock, spend: NothingSpent) -> BudgetStore:
    make: MakeBudgets = BUDGET_STORES[request.param]
    return make(clock, spend)
