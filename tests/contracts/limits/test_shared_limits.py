"""Limits that several processes share, on real servers: together they admit what one would."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from adapters.limits.shared import LEASE_SECONDS, RENEW_SECONDS, SharedLimitStore
from domain.ports.limits import Demand, Take
from tests.contracts.limits.conftest import SHARED
from tests.contracts.limits.test_limit_stores import KEY, TEN_IN_TWENTY_OUT, TENANT, admitted, limits
from tests.contracts.limits.valkey import ValkeyServer
from tests.fakes.clock import FakeClock
from tests.waiting import until

Another = Callable[[], SharedLimitStore]


@pytest.fixture(params=SHARED)
async def another(request: pytest.FixtureRequest, clock: FakeClock) -> AsyncIterator[Another]:
    """A store as a further process has it, on counters that are empty at first."""
    connect = SHARED[request.param]
    opened: list[SharedLimitStore] = []

    def open_one() -> SharedLimitStore:
        opened.append(SharedLimitStore(connect(request, clock, not opened), clock))
        return opened[-1]

    yield open_one
    assert not any(store.counters.away for store in opened)  # else each counted in memory
    for store in opened:
        await store.aclose()


async def test_two_processes_admit_what_the_limit_says(another: Another) -> None:
    """R-04."""
    limiters = [another().limiter([*limits(KEY, rpm=100), *limits(TENANT, rpm=110)]) for _ in range(2)]

    takes = await asyncio.gather(*(admitted(limiters[number % 2], 1) for number in range(300)))

    assert sum(map(len, takes)) == 100
    assert len(await admitted(another().limiter(limits(TENANT, rpm=110)), 15, Demand())) == 10


async def test_slots_of_a_process_that_died_are_free_after_half_a_minute(another: Another, clock: FakeClock) -> None:
    """R-03."""
    dying, living = another(), another()
    await admitted(dying.limiter(limits(parallel=50)), 50)
    limiter = living.limiter(limits(parallel=50))
    await dying.keep()

    clock.advance(LEASE_SECONDS - 0.001)
    assert await admitted(limiter, 1) == []
    clock.advance(0.002)

    assert len(await admitted(limiter, 60)) == 50


async def test_slots_that_are_in_use_stay_taken_for_as_long_as_they_are_renewed(
    another: Another, clock: FakeClock
) -> None:
    streaming, other = another(), another()
    takes = await admitted(streaming.limiter(limits(parallel=3)), 3)
    limiter = other.limiter(limits(parallel=3))

    for _ in range(20):
        clock.advance(RENEW_SECONDS)
        await streaming.keep()
        assert await admitted(limiter, 1) == []
    takes[0].settle(0, 0)
    await streaming.told()

    assert len(await admitted(limiter, 2)) == 1


async def test_a_process_that_slept_has_its_slots_again(another: Another, clock: FakeClock) -> None:
    """It did not die: what it has under way is counted, also beyond the limit."""
    sleeping, other = another(), another()
    await admitted(sleeping.limiter(limits(parallel=3)), 3)
    clock.advance(3 * LEASE_SECONDS)
    limiter = other.limiter(limits(parallel=5))
    others = await admitted(limiter, 5)
    assert len(others) == 5

    await sleeping.keep()
    for take in others:
        take.settle(0, 0)
    await other.told()

    assert len(await admitted(limiter, 5)) == 2


async def test_who_leaves_while_it_takes_has_taken_nothing(another: Another) -> None:
    store = another()
    limiter = store.limiter(limits(rpm=10, tpm=1000, rpd=10, parallel=10))

    async def leave() -> Take:
        return await limiter.take(TEN_IN_TWENTY_OUT)

    for ticks in range(1, 9):
        leaving = asyncio.create_task(leave())
        for _ in range(ticks):
            await asyncio.sleep(0)
        leaving.cancel()
        outcome = (await asyncio.gather(leaving, return_exceptions=True))[0]
        if not isinstance(outcome, BaseException):
            outcome.release()

    await store.keep()  # answered after all that was asked before it
    await store.told()
    assert len(await admitted(limiter, 12)) == 10


async def test_a_process_that_ends_in_order_has_told_what_it_used(another: Another) -> None:
    ending = another()
    takes = await admitted(ending.limiter(limits(tpm=100, parallel=2)), 2)
    for take in takes:
        take.settle(0, 5)

    await ending.aclose()

    assert len(await admitted(another().limiter(limits(tpm=100, parallel=2)), 3, Demand(45, 0))) == 2


async def test_what_was_used_today_outlives_every_process(another: Another, clock: FakeClock) -> None:
    first = another()
    await admitted(first.limiter(limits(rpd=3, tpd=1000)), 2)
    await first.aclose()
    clock.advance(3600)

    assert len(await admitted(another().limiter(limits(rpd=3, tpd=1000)), 3)) == 1


async def test_processes_without_limits_ask_nobody(another: Another) -> None:
    store = another()

    await store.restore()
    await store.keep()
    take = await store.limiter([]).take(Demand())
    take.settle(1, 1)

    assert list(take.allowances) == []
    assert bool(store._living) == (store.place == "valkey")  # which is there for this alone


async def test_a_server_that_forgot_the_script_gets_it_again(
    valkey: ValkeyServer, request: pytest.FixtureRequest, clock: FakeClock
) -> None:
    store = SharedLimitStore(SHARED["valkey"](request, clock, True), clock)
    limiter = store.limiter(limits(rpm=3))
    assert len(await admitted(limiter, 1)) == 1

    valkey.ask("SCRIPT", "FLUSH")

    assert len(await admitted(limiter, 5)) == 2
    await store.aclose()


async def test_all_counters_of_a_gateway_have_one_hash_tag(
    valkey: ValkeyServer, request: pytest.FixtureRequest, clock: FakeClock
) -> None:
    """So one script may have them all on a cluster, and each has an end."""
    store = SharedLimitStore(SHARED["valkey"](request, clock, True), clock)
    every = limits(rpm=9, rpd=9, tpm=999, tpd=999, itpm=99, otpm=99, parallel=9)
    await admitted(store.limiter(every), 1)
    await store.keep()

    keys = valkey.ask("KEYS", "*")

    assert isinstance(keys, list)
    assert len(keys) == 5  # windows, two days, slots, processes
    assert {key[: key.index(b"}") + 1] for key in keys} == {b"{omg:test}"}
    assert all(0 < int(str(valkey.ask("TTL", key.decode()))) <= 3 * 86_400 for key in keys)
    await store.aclose()


async def test_an_answer_on_its_way_is_waited_for_at_the_end(another: Another) -> None:
    store = another()
    take = asyncio.create_task(store.limiter(limits(rpm=1)).take(Demand()))
    await asyncio.sleep(0)

    await store.aclose()

    await until(take.done)
    assert take.exception() is None
