"""Of all processes one does the background work: while it holds a lease, which ends by itself."""

import asyncio

import pytest
from typing_extensions import override

from application.ownership import LEASE_SECONDS, RENEW_SECONDS, Ownership
from domain.errors import StoreUnavailable
from domain.ports.leases import Leases
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.virtual_time


class LoopClock(FakeClock):
    """The loop's time, which a test of virtual time moves."""

    @override
    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class MemoryLeases(Leases):
    def __init__(self) -> None:
        self.held: dict[str, tuple[str, float]] = {}
        self.away = False

    @override
    async def take(self, name: str, holder: str, seconds: float) -> bool:
        if self.away:
            raise StoreUnavailable("away")
        now = asyncio.get_running_loop().time()
        known = self.held.get(name)
        if known is not None and known[0] != holder and known[1] > now:
            return False
        self.held[name] = (holder, now + seconds)
        return True

    @override
    async def give_back(self, name: str, holder: str) -> None:
        if self.held.get(name, ("", 0.0))[0] == holder:
            del self.held[name]


async def renewing(ownership: Ownership) -> None:
    while True:
        await ownership.renew()
        await asyncio.sleep(RENEW_SECONDS)


async def test_another_takes_over_within_fifteen_seconds_of_the_owners_death() -> None:
    leases, clock = MemoryLeases(), LoopClock()
    one, other = Ownership(leases, "one", clock), Ownership(leases, "other", clock)
    first, second = asyncio.create_task(renewing(one)), asyncio.create_task(renewing(other))
    await asyncio.sleep(60)
    assert (one.held, other.held) == (True, False)

    first.cancel()
    died_at = clock.monotonic()
    ran = asyncio.Event()

    async def job() -> None:
        ran.set()

    await other.while_held(job)

    assert ran.is_set()
    assert clock.monotonic() - died_at <= 15
    assert (one.held, other.held) == (False, True)
    second.cancel()


async def test_an_owner_that_cannot_renew_stops_what_it_does_before_another_may_begin() -> None:
    leases, clock = MemoryLeases(), LoopClock()
    one, other = Ownership(leases, "one", clock), Ownership(leases, "other", clock)
    await one.renew()
    leases.away = True
    stopped_at = 0.0

    async def job() -> None:
        nonlocal stopped_at
        try:
            await asyncio.Event().wait()
        finally:
            stopped_at = clock.monotonic()

    started_at = clock.monotonic()
    tasks = [asyncio.create_task(renewing(each)) for each in (one, other)]
    await one.while_held(job)

    assert stopped_at - started_at == pytest.approx(LEASE_SECONDS, abs=0.1)
    assert not other.held
    tasks[0].cancel()  # else it may be the first to ask again, and keep the work for good
    leases.away = False
    await other.while_held(lambda: asyncio.sleep(0))
    tasks[1].cancel()


async def test_an_owner_that_stops_need_not_be_waited_for() -> None:
    leases, clock = MemoryLeases(), LoopClock()
    one, other = Ownership(leases, "one", clock), Ownership(leases, "other", clock)
    await one.renew()
    await one.give_up()
    await other.renew()

    assert (one.held, other.held) == (False, True)


async def test_a_job_that_is_cancelled_while_it_waits_or_works_leaves_nothing_behind() -> None:
    leases, clock = MemoryLeases(), LoopClock()
    one, other = Ownership(leases, "one", clock), Ownership(leases, "other", clock)
    await one.renew()
    ended = asyncio.Event()

    async def job() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    for ownership in (one, other):
        task = asyncio.create_task(ownership.while_held(job))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ended.is_set()


async def test_what_a_job_raises_is_raised() -> None:
    for alone in (False, True):
        ownership = Ownership(MemoryLeases(), "one", LoopClock(), alone=alone)
        await ownership.renew()

        async def job() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await ownership.while_held(job)


async def test_a_process_alone_does_everything_and_asks_nobody() -> None:
    leases = MemoryLeases()
    alone = Ownership(leases, "one", LoopClock(), alone=True)
    await alone.renew()
    assert alone.held
    await alone.while_held(lambda: asyncio.sleep(0))
    await alone.give_up()
    assert not leases.held
