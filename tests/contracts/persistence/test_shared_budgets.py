"""Budgets that several processes share in Postgres: exact at once, and turned into what is spent by the ledger."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from adapters.clock import SystemClock
from adapters.limits.postgres_budgets import PostgresBudgetStore
from adapters.persistence.engine import parse_url
from adapters.persistence.ledger.opening import OpenLedgerStore, open_ledger_store
from domain.errors import LimitExceeded
from domain.ports.budgets import BudgetTerm, Hold
from domain.records import Charge
from domain.subject_limits import Subject
from tests.builders import a_request_record
from tests.contracts.persistence.postgres import PostgresServer
from tests.fakes.budgets import NothingSpent

PROCESSES = 4


def a_term(name: str, limit: int) -> BudgetTerm:
    return BudgetTerm(f"key:{name}", Subject("key", name), limit, "month")


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.migrated_url


@pytest.fixture
async def stores(url: str, postgres: PostgresServer) -> AsyncIterator[list[PostgresBudgetStore]]:
    """One for each process that there might be, on empty tables."""
    await postgres.fetch(url, "TRUNCATE budget_periods, budget_holds, attempts, requests CASCADE")
    stores = [PostgresBudgetStore(parse_url(url), SystemClock(), NothingSpent()) for _ in range(PROCESSES)]
    yield stores
    for store in stores:
        await store.aclose()


@pytest.fixture
async def ledger(url: str) -> AsyncIterator[OpenLedgerStore]:
    store = open_ledger_store(url)
    yield store
    await store.aclose()


async def try_to_hold(store: PostgresBudgetStore, hold_id: str, terms: list[BudgetTerm], amount: int) -> Hold | None:
    try:
        return await store.hold(hold_id, terms, amount, amount)
    except LimitExceeded:
        return None


async def stands(store: PostgresBudgetStore, term: BudgetTerm) -> tuple[int, int]:
    (found,) = await store.standings([term])
    return found.spent_nano_usd, found.held_nano_usd


async def test_of_four_processes_with_fifty_each_exactly_ten_hold(stores: list[PostgresBudgetStore]) -> None:
    """R-15."""
    terms = [a_term("tight", 10), a_term("roomy", 1000), a_term("other", 500)]

    async def one(number: int) -> Hold | None:
        shuffled = random.Random(number).sample(terms, 3)
        return await try_to_hold(stores[number % PROCESSES], f"dec_{number}", shuffled, 1)

    holds = await asyncio.gather(*(one(number) for number in range(200)))

    assert sum(hold is not None for hold in holds) == 10
    assert [await stands(stores[0], term) for term in terms] == [(0, 10)] * 3


async def test_what_a_request_cost_takes_the_place_of_its_hold_and_then_is_spent(
    stores: list[PostgresBudgetStore], ledger: OpenLedgerStore
) -> None:
    """P-06."""
    term = a_term("k", 100)
    hold = await stores[0].hold("dec_a", [term], 60, 60)
    assert await stands(stores[1], term) == (0, 60)

    hold.settle({term.account: 25})
    hold.settle({term.account: 99})
    await stores[0].settled()
    assert await stands(stores[1], term) == (0, 25)

    (charge,) = hold.charges
    record = a_request_record(
        "req_a", decision_id="dec_a", charges=(type(charge)(charge.account, charge.starts_at, 25),)
    )
    for _ in range(2):
        await ledger.apply([record], None)

    assert await stands(stores[1], term) == (25, 0)


async def test_what_a_dead_process_held_is_given_back_when_its_requests_are_booked(
    stores: list[PostgresBudgetStore], ledger: OpenLedgerStore
) -> None:
    """R-03."""
    term = a_term("k", 100)
    await stores[0].hold("dec_dead", [term], 100, 100)
    assert await try_to_hold(stores[1], "dec_b", [term], 1) is None

    await ledger.apply([a_request_record("req_dead", decision_id="dec_dead", outcome="interrupted")], None)

    assert await stands(stores[1], term) == (0, 0)
    assert await try_to_hold(stores[1], "dec_b", [term], 100) is not None


async def test_what_outlives_its_request_is_ended_by_any_process(
    stores: list[PostgresBudgetStore], ledger: OpenLedgerStore
) -> None:
    """P-06: neither the request's record nor its process takes it along."""
    terms = [a_term("k", 100), a_term("other", 100)]
    hold = await stores[0].hold("dec_a", terms, 60, 60)
    await hold.outlive("dec_a~runs")
    hold.settle({terms[0].account: 1})
    await ledger.apply([a_request_record("req_a", decision_id="dec_a")], None)
    for store in stores:
        await store.renew()
    kept = await stands(stores[1], terms[0])

    ended = await asyncio.gather(*(store.reclaim("dec_a~runs", "dec_a", terms) for store in stores[1:3]))
    for store, each in zip(stores[1:3], ended, strict=True):
        each.settle({terms[0].account: 25})
        await store.settled()
    costs = await stands(stores[0], terms[0])
    charge = Charge(terms[0].account, hold.charges[0].starts_at, 25)
    await ledger.apply([a_request_record("req_a~1", decision_id="dec_a", charges=(charge,))], None)

    assert kept == (0, 60)
    assert costs == (0, 25)
    assert [await stands(stores[0], term) for term in terms] == [(25, 0), (0, 0)]


async def test_all_are_held_in_or_none_and_more_only_where_every_one_has_room(
    stores: list[PostgresBudgetStore],
) -> None:
    roomy, tight = a_term("roomy", 1000), a_term("tight", 30)
    hold = await stores[0].hold("dec_1", [roomy, tight], 10, 10)
    assert await try_to_hold(stores[1], "dec_2", [roomy, tight], 25) is None

    await hold.extend(20)
    with pytest.raises(LimitExceeded) as refusal:
        await hold.extend(1)

    assert (refusal.value.code, refusal.value.subject_id) == ("budget_exceeded", "tight")
    assert hold.amount_nano_usd == 30
    assert await stands(stores[1], roomy) == await stands(stores[1], tight) == (0, 30)
    hold.settle({})
    await stores[0].settled()
    assert await stands(stores[1], roomy) == (0, 0)


async def test_settling_and_holding_in_any_order_never_locks_up_nor_passes_the_limit(
    stores: list[PostgresBudgetStore], ledger: OpenLedgerStore
) -> None:
    """R-26."""
    terms = [a_term(name, 400) for name in ("a", "b", "c")]

    async def one(number: int) -> None:
        shuffled = random.Random(number).sample(terms, 2)
        hold = await try_to_hold(stores[number % PROCESSES], f"dec_{number}", shuffled, 10)
        if hold is not None:
            hold.settle({term.account: 7 for term in shuffled})
            charges = tuple(type(charge)(charge.account, charge.starts_at, 7) for charge in hold.charges)
            await ledger.apply([a_request_record(f"req_{number}", decision_id=f"dec_{number}", charges=charges)], None)

    await asyncio.gather(*(one(number) for number in range(120)))
    for store in stores:
        await store.settled()

    for term in terms:
        spent, held = await stands(stores[0], term)
        assert held == 0
        assert 0 < spent <= 400


async def test_what_a_request_held_that_went_nowhere_is_given_back_with_its_record(
    stores: list[PostgresBudgetStore], ledger: OpenLedgerStore
) -> None:
    """R-03: its client left while the database was answering, so that nobody here knows of the hold."""
    term = a_term("k", 100)
    await stores[0].hold("dec_gone", [term], 100, 100)

    await ledger.apply([a_request_record("req_gone", decision_id="dec_gone", attempts=(), usage=None)], None)

    assert await stands(stores[1], term) == (0, 0)


async def expire(postgres: PostgresServer, url: str, hold_id: str) -> None:
    """As if nobody had renewed it for a minute."""
    await postgres.fetch(url, f"UPDATE budget_holds SET expires_at = 0 WHERE hold_id = '{hold_id}'")


async def test_what_a_process_held_that_is_gone_for_good_is_let_go_by_another(
    stores: list[PostgresBudgetStore], postgres: PostgresServer, url: str
) -> None:
    """R-03: its host is lost, and with it the spool that its requests would be booked from."""
    term = a_term("k", 100)
    await stores[0].hold("dec_lost", [term], 60, 60)
    mine = await stores[1].hold("dec_mine", [term], 40, 40)
    await expire(postgres, url, "dec_lost")
    await expire(postgres, url, "dec_mine")

    await stores[1].renew()
    assert await stands(stores[2], term) == (0, 100)  # it could not renew before: perhaps nobody could
    await stores[1].renew()

    assert await stands(stores[2], term) == (0, 40)
    mine.settle({})
    await stores[1].settled()
    assert await stands(stores[2], term) == (0, 0)


async def test_what_a_request_cost_waits_for_the_ledger_though_its_process_is_gone(
    stores: list[PostgresBudgetStore], postgres: PostgresServer, url: str
) -> None:
    term = a_term("k", 100)
    hold = await stores[0].hold("dec_a", [term], 60, 60)
    hold.settle({term.account: 25})
    await stores[0].settled()

    (left,) = await postgres.fetch(url, "SELECT expires_at - extract(epoch FROM now()) FROM budget_holds")
    for _ in range(2):
        await stores[1].renew()

    assert left > 3_000
    assert await stands(stores[1], term) == (0, 25)


async def test_of_two_budgets_on_one_account_the_smaller_counts(stores: list[PostgresBudgetStore]) -> None:
    """One that warns and one that blocks, of the same money."""
    blocks = a_term("k", 100)
    warns = BudgetTerm(blocks.account, blocks.subject, 50, "month", on_exceeded="warn")

    first = await stores[0].hold("dec_1", [warns, blocks], 60, 60)

    assert first.exceeded == [warns]
    assert await stands(stores[0], blocks) == (0, 60)
    assert await try_to_hold(stores[1], "dec_2", [warns, blocks], 50) is None
