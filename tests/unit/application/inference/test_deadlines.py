"""Each deadline fires in its own phase, and only while the upstream is being waited for."""

import asyncio

import pytest
import uvloop

from application.inference.deadlines import CallTimer, Deadlines
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.timeouts import Timeouts

pytestmark = pytest.mark.virtual_time

SHORT = Timeouts(response_headers=0.03, first_content=0.06, idle=0.03, upstream_call=0.2)


async def test_silence_before_the_headers_ends_at_the_headers_deadline() -> None:
    timer = CallTimer(Deadlines(), SHORT, 10, stream=True)
    with pytest.raises(UpstreamFailure, match="response headers") as caught, timer:
        await asyncio.sleep(5)
    assert caught.value.kind is FailureKind.TIMEOUT


async def test_a_stream_waits_for_its_first_content_longer_than_for_headers() -> None:
    timer = CallTimer(Deadlines(), SHORT, 10, stream=True)
    timer.headers_received()
    started = asyncio.get_running_loop().time()
    with pytest.raises(UpstreamFailure, match="first content"), timer:
        await asyncio.sleep(5)
    assert asyncio.get_running_loop().time() - started >= 0.055


async def test_bytes_put_the_idle_deadline_off_but_never_the_first_content_deadline() -> None:
    """R-05: comments of the provider must not hide that nothing comes."""
    timer = CallTimer(Deadlines(), SHORT, 10, stream=True)
    timer.headers_received()
    before = timer.due
    timer.bytes_received()
    assert timer.due == before
    timer.content_received()
    for _ in range(4):
        with timer:
            await asyncio.sleep(0.02)
        timer.bytes_received()
    with pytest.raises(UpstreamFailure, match="idle"), timer:
        await asyncio.sleep(5)


async def test_a_phase_that_begins_within_a_wait_brings_its_earlier_deadline() -> None:
    """A plain call waits for head and body in one go; silence counts from where its body has begun (R-05)."""
    timer = CallTimer(Deadlines(), Timeouts(idle=0.03), 60, stream=False)
    with pytest.raises(UpstreamFailure, match="idle"), timer:
        await asyncio.sleep(0.01)
        timer.headers_received()
        timer.content_received()
        await asyncio.sleep(5)


async def test_the_end_of_the_request_bounds_every_phase() -> None:
    timer = CallTimer(Deadlines(), Timeouts(), 0.03, stream=False)
    with pytest.raises(UpstreamFailure), timer:
        await asyncio.sleep(5)


async def test_a_slow_client_is_not_taken_for_a_slow_upstream() -> None:
    timer = CallTimer(Deadlines(), SHORT, 10, stream=False)
    timer.content_received()
    with timer:
        await asyncio.sleep(0)
    await asyncio.sleep(0.08)  # handing bytes on takes longer than the idle deadline
    with timer:
        await asyncio.sleep(0.01)


async def test_a_cancellation_from_outside_stays_a_cancellation() -> None:
    timer = CallTimer(Deadlines(), SHORT, 10, stream=False)

    async def waits() -> None:
        with timer:
            await asyncio.sleep(5)

    task = asyncio.ensure_future(waits())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_of_many_waits_each_ends_at_its_own_deadline() -> None:
    """One timer watches them all: neither a longer wait that began first nor one that is over holds it up (R-05)."""
    deadlines = Deadlines()
    started = deadlines.loop.time()

    async def waits(seconds: float, work_seconds: float = 5) -> float:
        with pytest.raises(UpstreamFailure), CallTimer(deadlines, Timeouts(), seconds, stream=False):
            await asyncio.sleep(work_seconds)
            raise UpstreamFailure(FailureKind.SERVER_ERROR, "it ended by itself")
        return deadlines.loop.time() - started

    ended = await asyncio.gather(waits(0.2), waits(0.04), waits(0.03, work_seconds=0.01), waits(0.12), waits(0.04))

    for seconds, due in zip(ended, (0.2, 0.04, 0.01, 0.12, 0.04), strict=True):
        assert due - 0.002 <= seconds < due + 0.1


def test_who_waits_until_a_deadline_by_itself_finds_it_passed() -> None:
    """uvloop keeps time in whole milliseconds, whose rounding must not turn a deadline into none (R-05)."""

    async def waits() -> list[bool]:
        deadlines, found = Deadlines(), []
        for step in range(40):
            timer = CallTimer(deadlines, Timeouts(response_headers=0.004 + step / 10_000), 60, stream=True)
            await asyncio.sleep(0.0013)
            await asyncio.sleep(timer.due - deadlines.loop.time())
            found.append(timer.overdue)
        return found

    assert all(uvloop.run(waits()))


async def test_a_deadline_ahead_has_not_passed() -> None:
    assert not CallTimer(Deadlines(), SHORT, 10, stream=True).overdue
