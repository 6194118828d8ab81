"""Attempts to sign in, counted for all processes on real servers (S-13, S-29)."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.limits.shared_attempts import SharedAttempts
from tests.contracts.limits.conftest import SHARED
from tests.fakes.clock import FakeClock


@pytest.fixture(params=SHARED)
async def processes(request: pytest.FixtureRequest, clock: FakeClock) -> AsyncIterator[list[SharedAttempts]]:
    """Two, on empty counters."""
    counters = [SHARED[request.param](request, clock, first) for first in (True, False)]
    yield [SharedAttempts(each) for each in counters]
    for each in counters:
        await each.aclose()


async def test_many_at_once_of_two_processes_are_as_many_as_may_be(processes: list[SharedAttempts]) -> None:
    ids = await asyncio.gather(*(processes[number % 2].take("address/x", 60, 300) for number in range(200)))

    assert sum(each is not None for each in ids) == 60


async def test_an_attempt_counts_until_its_time_is_over_or_it_is_given_back(
    processes: list[SharedAttempts], clock: FakeClock
) -> None:
    one, other = processes
    first = await one.take("account/ada", 2, 900)
    await one.take("account/ada", 2, 900)
    assert await other.take("account/ada", 2, 900) is None
    assert await other.take("account/eve", 2, 900) is not None

    assert first is not None
    one.give_back("account/ada", first)
    assert await one.take("account/ada", 2, 900) is not None
    clock.advance(899)
    assert await other.take("account/ada", 2, 900) is None
    clock.advance(2)

    assert await other.take("account/ada", 2, 900) is not None
