"""What becomes of limits while the server that processes share is silent, gone, or may not write (R-27)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import pairwise

import pytest

from adapters.limits.breaker import PROBE_SECONDS
from adapters.limits.link import Reply
from adapters.limits.shared import LEASE_SECONDS, SharedLimitStore
from adapters.limits.valkey_counters import ValkeyCounters
from adapters.limits.valkey_link import ScriptCall
from domain.errors import LimitExceeded
from domain.ports.limits import Demand
from tests.contracts.limits.conftest import milliseconds_of
from tests.contracts.limits.test_limit_stores import admitted, limits
from tests.contracts.limits.valkey import ValkeyServer
from tests.fakes.clock import FakeClock
from tests.waiting import until

REPLY_SECONDS = 1.0
"""Ten times what is waited for in use: a busy machine is not silent."""


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyServer]:
    """One to be frozen and killed: others use theirs."""
    with ValkeyServer() as running:
        yield running


@pytest.fixture
async def pair(server: ValkeyServer, clock: FakeClock) -> AsyncIterator[list[SharedLimitStore]]:
    """Two processes that have met, on empty counters."""
    server.ask("FLUSHALL")
    stores = [
        SharedLimitStore(ValkeyCounters(server.url, "away", milliseconds_of(clock), REPLY_SECONDS), clock)
        for _ in range(2)
    ]
    for _ in range(2):
        for store in stores:
            store.limiter(limits(rpm=1))
            store._renewed = float("-inf")
            await store.keep()
    yield stores
    server.thaw()
    for store in stores:
        await store.aclose()


async def find_out(store: SharedLimitStore) -> None:
    """Five calls without an answer: it is away."""
    limiter = store.limiter(limits(itpm=1000))
    await asyncio.gather(*(limiter.take(Demand()) for _ in range(5)))
    assert store.counters.away


async def test_a_frozen_server_is_asked_no_more_and_each_process_has_its_share(
    pair: list[SharedLimitStore], server: ValkeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    limiters = [store.limiter(limits(rpm=101)) for store in pair]
    server.freeze()

    with caplog.at_level(logging.INFO):
        for store in pair:
            await find_out(store)
        shares = [len(await admitted(limiter, 200)) for limiter in limiters]
        server.thaw()
        await until(lambda: not any(store.counters.away for store in pair))

    assert sorted(shares) == [50, 51]
    assert len(caplog.records) == 2 * len(pair)


async def test_a_frozen_server_costs_one_call_a_quarter_of_a_second(
    pair: list[SharedLimitStore], server: ValkeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Under load: requests go on coming, and none of them waits any more (R-27)."""
    store = pair[0]
    assert isinstance(store.counters, ValkeyCounters)
    link, loop = store.counters.link, asyncio.get_running_loop()
    limiter = store.limiter(limits(rpm=100_000))
    asked: list[tuple[float, str]] = []  # of the server, when and for what
    exchange, probe = link.exchange, link.breaker._probe

    async def exchanged(commands: Sequence[ScriptCall]) -> Sequence[Reply | Exception]:
        asked.append((loop.time(), "calls"))
        return await exchange(commands)

    async def probed() -> None:
        asked.append((loop.time(), "probe"))
        await probe()

    link.exchange, link.breaker._probe = exchanged, probed  # type: ignore[method-assign]  # to see what goes out
    server.freeze()
    with caplog.at_level(logging.INFO):
        await find_out(store)
        opened = loop.time()
        while sum(at > opened for at, _ in asked) < 4:
            await asyncio.gather(*(limiter.take(Demand()) for _ in range(20)))
            await asyncio.sleep(0.01)
        frozen = [(at, what) for at, what in asked if at > opened]
        server.thaw()
        await until(lambda: not store.counters.away)

    assert {what for _, what in frozen} == {"probe"}
    times = [at for at, _ in frozen]
    assert all(later - before >= PROBE_SECONDS - 0.01 for before, later in pairwise([opened, *times]))
    assert len(caplog.records) == 2


async def test_what_was_let_through_meanwhile_counts_for_all_afterwards(
    pair: list[SharedLimitStore], server: ValkeyServer
) -> None:
    """P-07."""
    limiters = [store.limiter(limits(rpm=100, rpd=1000)) for store in pair]
    before = len(await admitted(limiters[0], 40))
    server.freeze()
    for store in pair:
        await find_out(store)
    during = [len(await admitted(limiter, 200)) for limiter in limiters]
    server.thaw()
    for store in pair:
        await until(lambda store=store: not store.counters.away)  # type: ignore[misc]  # of this turn
        assert store._rejoining is not None
        await store._rejoining
        await store.told()

    after = sum([len(await admitted(limiter, 200)) for limiter in limiters])

    assert (before, during, after) == (40, [10, 50], 0)
    left = (await pair[0].limiter(limits(rpd=1000)).take(Demand())).allowances
    assert [each.remaining for each in left] == [899]


async def test_slots_that_were_taken_apart_are_leases_afterwards(
    pair: list[SharedLimitStore], server: ValkeyServer
) -> None:
    apart, other = pair
    limiter = apart.limiter(limits(parallel=10))
    server.freeze()
    await find_out(apart)
    takes = await admitted(limiter, 20)
    server.thaw()
    await until(lambda: not apart.counters.away)
    assert apart._rejoining is not None
    await apart._rejoining

    assert (len(takes), len(await admitted(other.limiter(limits(parallel=10)), 20))) == (5, 5)
    for take in takes:
        take.settle(0, 0)
    await apart.told()
    assert len(await admitted(other.limiter(limits(parallel=10)), 20)) == 5


async def test_a_slot_whose_end_could_not_be_told_is_free_when_the_server_is_back(
    pair: list[SharedLimitStore], server: ValkeyServer
) -> None:
    store, other = pair
    takes = await admitted(store.limiter(limits(parallel=3, tpm=100)), 3, Demand(30, 0))
    server.freeze()
    await find_out(store)
    for take in takes:
        take.settle(10, 0)
    server.thaw()
    await until(lambda: not store.counters.away)
    assert store._rejoining is not None
    await store._rejoining
    await store.told()

    assert len(await admitted(other.limiter(limits(parallel=3, tpm=100)), 5, Demand(23, 0))) == 3


async def test_a_take_whose_answer_never_came_keeps_no_slot_beyond_its_lease(
    pair: list[SharedLimitStore], server: ValkeyServer, clock: FakeClock
) -> None:
    """Its slot is given back at once, and a server that wakes up may do that before it takes it."""
    store, other = pair
    limiter = store.limiter(limits(parallel=8))
    server.freeze()
    takes = await asyncio.gather(*(limiter.take(Demand()) for _ in range(4)))  # the server has them, and is silent
    for take in takes:
        take.release()
    server.thaw()
    await until(lambda: not store.counters.away)
    if store._rejoining is not None:
        await store._rejoining
    store._renewed = float("-inf")
    await store.keep()
    await store.told()

    clock.advance(LEASE_SECONDS + 1)
    assert len(await admitted(other.limiter(limits(parallel=8)), 9)) == 8


async def test_a_server_that_is_killed_and_comes_back_empty_is_used_again(
    pair: list[SharedLimitStore], server: ValkeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    store = pair[0]
    limiter = store.limiter(limits(rpm=100))
    with caplog.at_level(logging.INFO):
        server.kill()
        assert len(await admitted(limiter, 200)) == 50
        assert store.counters.away
        assert not await store.answers()
        server.start()
        await until(lambda: not store.counters.away)

    assert await store.answers()
    assert store._rejoining is not None
    await store._rejoining
    await store.told()
    assert len(await admitted(limiter, 200)) == 50
    assert len(caplog.records) == 2


async def test_a_server_that_may_not_write_is_away(pair: list[SharedLimitStore], server: ValkeyServer) -> None:
    store = pair[0]
    limiter = store.limiter(limits(rpm=100))
    server.ask("REPLICAOF", "127.0.0.1", "1")
    try:
        assert len(await admitted(limiter, 200)) == 50
        assert store.counters.away
        assert not await store.answers()
    finally:
        server.ask("REPLICAOF", "NO", "ONE")
    await until(lambda: not store.counters.away)


async def test_shares_make_up_the_whole_limit_and_the_refusal_names_it(
    pair: list[SharedLimitStore], server: ValkeyServer
) -> None:
    assert all(sum(store.share(amount) for store in pair) == amount for amount in (0, 1, 2, 3, 100, 101))
    limiters = [store.limiter(limits(parallel=1)) for store in pair]
    server.freeze()
    for store in pair:
        await find_out(store)

    assert sorted([len(await admitted(limiter, 3)) for limiter in limiters]) == [0, 1]
    with pytest.raises(LimitExceeded, match=r"limit of 1 requests at once of key 'key_1' is reached"):
        await limiters[0].take(Demand())
