"""The way to what processes share: calls of a tick together, and nobody waits for one that is silent (R-27)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import pytest
from typing_extensions import override

from adapters.limits.breaker import FAILURES, PROBE_SECONDS, StoreAway
from adapters.limits.link import Link, Reply

pytestmark = pytest.mark.virtual_time

REPLY_SECONDS = 0.1
CONNECT_SECONDS = 0.2


async def _echo(commands: Sequence[int]) -> Sequence[Reply | Exception]:
    return [[command] for command in commands]


async def _silence(commands: Sequence[int]) -> Sequence[Reply | Exception]:
    await asyncio.Event().wait()
    return []


async def _loss(commands: Sequence[int]) -> Sequence[Reply | Exception]:
    raise ConnectionResetError("gone")


async def _refusal(commands: Sequence[int]) -> Sequence[Reply | Exception]:
    return [RuntimeError("READONLY") for _ in commands]


class Wire(Link[int]):
    """A link to nowhere, which behaves as it is told."""

    def __init__(self, reply_seconds: float = REPLY_SECONDS) -> None:
        super().__init__("test", reply_seconds, CONNECT_SECONDS)
        self.behave: Callable[[Sequence[int]], Awaitable[Sequence[Reply | Exception]]] = _echo
        self.exchanges: list[list[int]] = []
        self.probes: list[float] = []

    @override
    async def exchange(self, commands: Sequence[int]) -> Sequence[Reply | Exception]:
        self.exchanges.append(list(commands))
        return await self.behave(commands)

    @override
    async def probe(self) -> None:
        self.probes.append(asyncio.get_running_loop().time())
        async with asyncio.timeout(REPLY_SECONDS):
            await self.behave([0])

    @override
    async def disconnect(self) -> None: ...


async def outcomes(link: Wire, calls: int) -> list[object]:
    return await asyncio.gather(*(link.call(number) for number in range(calls)), return_exceptions=True)


@pytest.mark.parametrize(("reply_seconds", "connect_seconds"), [(REPLY_SECONDS, CONNECT_SECONDS), (30.0, 30.0)])
async def test_a_connection_may_take_as_long_as_a_reply(reply_seconds: float, connect_seconds: float) -> None:
    assert Wire(reply_seconds).connect_seconds == connect_seconds


async def test_calls_of_a_tick_go_out_together_and_in_their_order() -> None:
    link = Wire()

    assert await outcomes(link, 5) == [[0], [1], [2], [3], [4]]

    assert link.exchanges == [[0, 1, 2, 3, 4]]
    await link.aclose()


async def test_five_calls_without_an_answer_in_a_second_open_the_breaker() -> None:
    link = Wire()
    link.behave = _silence

    for number in range(FAILURES):
        assert not link.breaker.open
        with pytest.raises(StoreAway) as away:
            await link.call(number)
        assert away.value.perhaps_done

    assert link.breaker.open
    await link.aclose()


async def test_calls_that_fail_now_and_then_do_not() -> None:
    link = Wire()
    link.behave = _silence

    for number in range(20):
        await asyncio.gather(link.call(number), return_exceptions=True)
        await asyncio.sleep(0.5)

    assert not link.breaker.open
    await link.aclose()


@pytest.mark.parametrize(("behave", "calls"), [(_loss, 1), (_refusal, FAILURES)])
async def test_a_lost_connection_opens_it_at_once_and_a_server_that_refuses_as_one_that_is_silent(
    behave: Callable[[Sequence[int]], Awaitable[Sequence[Reply | Exception]]], calls: int
) -> None:
    link = Wire()
    link.behave = behave

    assert all(isinstance(each, StoreAway) for each in await outcomes(link, calls))

    assert link.breaker.open
    await link.aclose()


async def test_while_it_is_open_nobody_waits_and_one_probe_a_quarter_of_a_second_asks() -> None:
    link = Wire()
    link.behave = _silence
    loop = asyncio.get_running_loop()
    await outcomes(link, FAILURES)
    made, opened = len(link.exchanges), loop.time()

    for number in range(400):
        began = loop.time()
        with pytest.raises(StoreAway) as away:
            await link.call(number)
        assert loop.time() == began
        assert not away.value.perhaps_done
        await asyncio.sleep(0.005)

    assert len(link.exchanges) == made
    waits = [later - earlier for earlier, later in zip([opened, *link.probes], link.probes, strict=False)]
    assert len(link.probes) >= 4
    assert min(waits) >= PROBE_SECONDS
    await link.aclose()


async def test_who_waits_when_it_opens_is_told_at_once() -> None:
    link = Wire()
    link.behave = _silence
    first = asyncio.ensure_future(outcomes(link, FAILURES))
    await asyncio.sleep(REPLY_SECONDS / 2)

    second = await outcomes(link, 3)

    assert all(isinstance(each, StoreAway) and not each.perhaps_done for each in second)
    assert len(link.exchanges) == 1
    await first
    await link.aclose()


async def test_an_outage_makes_two_log_lines_and_what_waits_for_its_end_hears_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    link, back = Wire(), asyncio.Event()
    link.breaker.on_back = back.set
    link.behave = _silence

    with caplog.at_level(logging.INFO):
        for _ in range(100):
            await outcomes(link, 5)
            await asyncio.sleep(0.05)
        link.behave = _echo
        await back.wait()

    assert await link.call(7) == [7]
    assert [record.getMessage() for record in caplog.records] == [
        "the counters of limits are away: each process counts its own share",
        "the counters of limits answer again",
    ]
    await link.aclose()


async def test_a_caller_who_leaves_changes_nothing_for_the_others() -> None:
    link = Wire()
    calls = [link.call(number) for number in range(4)]
    leaving = asyncio.ensure_future(asyncio.shield(calls[1]))
    await asyncio.sleep(0)
    leaving.cancel()

    assert await asyncio.gather(*calls) == [[0], [1], [2], [3]]
    assert leaving.cancelled()
    await link.aclose()


async def test_what_was_asked_before_the_end_is_answered() -> None:
    link = Wire()
    call = link.call(1)

    await link.aclose()

    assert call.result() == [1]


async def test_a_loop_that_was_kept_from_running_hears_the_reply_before_its_deadline() -> None:
    """Both are due when it runs again."""
    link, loop = Wire(), asyncio.get_running_loop()

    async def held_up(commands: Sequence[int]) -> Sequence[Reply | Exception]:
        await asyncio.sleep(REPLY_SECONDS / 2)
        return [[command] for command in commands]

    link.behave = held_up
    call = link.call(7)
    await asyncio.sleep(0)
    now = loop.time
    loop.time = lambda: now() + 10 * REPLY_SECONDS  # type: ignore[method-assign]  # ten times as long passed unseen

    assert await call == [7]
    await link.aclose()
