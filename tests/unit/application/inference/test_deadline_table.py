"""The deadlines of a call as a table: what has happened × how it was asked → which clock ends it, and when (R-05).

Times are seconds from the call's beginning, in virtual time, with the deadlines that contract 7 names.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Literal

import pytest
from typing_extensions import override

from application.inference.calls import CHAT
from application.inference.deadlines import CallTimer, Deadlines
from domain.errors import AllCandidatesFailed, StreamBroken, UpstreamFailure
from domain.timeouts import Timeouts
from tests.builders import a_chat_payload
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider, FakeStream
from tests.fakes.virtual_time import run_in_virtual_time

Step = tuple[float, Literal["head", "bytes", "content"]]

HEAD: list[Step] = [(1, "head")]
PINGS: list[Step] = [*HEAD, *((at, "bytes") for at in range(10, 400, 10))]
CONTENT: list[Step] = [*HEAD, (70, "content")]

STREAMED = {
    "nothing": ([], "response headers", 60),
    "the head": (HEAD, "first content", 120),
    "the head late": ([(59, "head")], "first content", 120),
    "comments without end": (PINGS, "first content", 120),
    "content": (CONTENT, "idle", 100),
    "content, then bytes": ([*CONTENT, (90, "bytes")], "idle", 120),
    "content, then comments without end": ([*CONTENT, *PINGS[7:]], "idle", 280),
    "content before its head was told of": ([(5, "content")], "idle", 35),
    "content, and a head told of late": ([(5, "content"), (5, "head")], "idle", 35),
}
PLAIN = {
    "nothing": ([], "whole answer", 280),
    "the head": (HEAD, "whole answer", 280),
    "blank lines without end": (PINGS, "whole answer", 280),
    "the beginning of its body": (CONTENT, "idle", 100),
    "its body, slowly": ([*CONTENT, *PINGS[7:]], "idle", 280),
}
CELLS = [
    pytest.param(stream, steps, phase, at, id=f"{'stream' if stream else 'plain'}: {what}")
    for stream, table in ((True, STREAMED), (False, PLAIN))
    for what, (steps, phase, at) in table.items()
]


async def _cut(timer: CallTimer, steps: Sequence[Step], *, one_wait: bool) -> tuple[str, float]:
    """In which phase the timer cuts the call, and when."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    tell = {"head": timer.headers_received, "bytes": timer.bytes_received, "content": timer.content_received}

    async def wait_until(at: float) -> None:
        await asyncio.sleep(max(begun + at - loop.time(), 0))

    try:
        if one_wait:
            with timer:
                for at, step in steps:
                    await wait_until(at)
                    tell[step]()
                await asyncio.sleep(1000)
        for at, step in steps:
            with timer:
                await wait_until(at)
            tell[step]()
        with timer:
            await asyncio.sleep(1000)
    except UpstreamFailure:
        return timer.phase, round(loop.time() - begun, 2)
    raise AssertionError("never cut")


@pytest.mark.parametrize("one_wait", [True, False], ids=["one wait", "a wait a step"])
@pytest.mark.parametrize(("stream", "steps", "phase", "at"), CELLS)
def test_each_state_has_one_clock_that_ends_it(
    stream: bool, steps: Sequence[Step], phase: str, at: float, one_wait: bool
) -> None:
    async def run() -> tuple[str, float]:
        return await _cut(CallTimer(Deadlines(), Timeouts(), 300, stream=stream), steps, one_wait=one_wait)

    assert run_in_virtual_time(run()) == (phase, at)


ROLE, HELLO = b'data: {"role"}\n\n', b'data: {"content":"hello"}\n\n'


class Timed(FakeStream):
    """Blocks, each so many seconds after the one before."""

    def __init__(self, *steps: tuple[float, bytes]) -> None:
        super().__init__(*(block for _, block in steps))
        self._waits = [seconds for seconds, _ in steps]

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        waits = iter([*self._waits, 0.0])
        await asyncio.sleep(next(waits))
        async for block in super().__aiter__():
            yield block
            await asyncio.sleep(next(waits))


HELD = {
    "a stream that opens and thinks for 119 s": ([(1, ROLE), (118, HELLO)], "whole", 119),
    "a stream that opens and thinks for ever": ([(1, ROLE), (1000, HELLO)], "first content", 120),
    "nothing at all": ([(1000, ROLE)], "first content", 120),
    "comments alone, each of them a block": ([(1, ROLE), *[(10, ROLE)] * 30], "first content", 120),
    "content, then silence": ([(1, ROLE), (60, HELLO), (1000, HELLO)], "idle", 91),
    "content, and on it goes": ([(1, ROLE), *[(29, HELLO)] * 9], "whole", 262),
    "content without end": ([(1, ROLE), *[(29, HELLO)] * 20], "idle", 280),
    "an opening larger than what is held": ([(1, b"x" * 70_000), (118, HELLO)], "whole", 119),
    "an opening larger than what is held, then nothing": ([(1, b"x" * 70_000), (1000, HELLO)], "first content", 120),
    "an end without content": ([(1, ROLE), (50, b"")], "whole", 51),
}


@pytest.mark.parametrize("case", HELD)
def test_the_end_of_the_hold_is_no_content(case: str) -> None:
    """A client gets its headers 2 s after the first bytes; the provider keeps its time to think."""
    steps, end, at = HELD[case]

    async def run() -> tuple[str, float]:
        gateway = await FakeGateway({"a": FakeChatProvider(Timed(*steps))}).started()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        ended = "whole"
        try:
            reply = await gateway.pipeline.stream(CHAT, gateway.call(a_chat_payload(stream=True)))
            try:
                async for _ in reply:
                    pass
            finally:
                await reply.aclose()
        except (AllCandidatesFailed, StreamBroken) as error:
            ended = str(error).partition("(")[2].partition(")")[0]
        return ended, round(loop.time() - begun, 2)

    assert run_in_virtual_time(run()) == (end, at)
