"""Streams that go silent behind their head, before any content: another provider takes over (R-07)."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from typing_extensions import override

from application.inference.calls import CHAT
from application.inference.streams import StreamReply
from domain.availability import KeyCondition
from domain.errors import GatewayError, StreamBroken, UpstreamFailure
from domain.failover import FailureKind
from domain.routes import FallbackCause, Route, RoutePolicy, Target
from domain.timeouts import Timeouts
from tests.builders import NOW, a_chat_payload
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FOREVER, FakeChatProvider, FakeStream, failure

pytestmark = pytest.mark.virtual_time

ROLE = b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n'
CONTENT = b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n'
TIMES = Timeouts(first_content=10.0)


class Breaking(FakeStream):
    """Its head, then silence for a while, and then it breaks."""

    def __init__(self, error: UpstreamFailure) -> None:
        super().__init__(ROLE, FOREVER)
        self._error = error

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield ROLE
        await asyncio.sleep(5)
        raise self._error


def a_gateway(first: FakeStream, *others: FakeStream | UpstreamFailure, **facts: object) -> FakeGateway:
    chats = {"a": FakeChatProvider(first)} | {
        f"b{number}": FakeChatProvider(step) for number, step in enumerate(others)
    }
    return FakeGateway(chats, timeouts=TIMES, **facts)  # type: ignore[arg-type]  # facts are test data


async def opened(gateway: FakeGateway, model: str = "m") -> StreamReply:
    await gateway.started()
    return await gateway.pipeline.stream(CHAT, gateway.call(a_chat_payload(stream=True, model=model)))


async def read(reply: StreamReply) -> bytes:
    try:
        return b"".join([block async for block in reply])
    finally:
        await reply.aclose()


STALLS: dict[str, Callable[[], FakeStream]] = {
    "silence": lambda: FakeStream(ROLE, FOREVER),
    "an error event": lambda: Breaking(failure(FailureKind.SERVER_ERROR)),
    "its end": lambda: Breaking(failure(FailureKind.TRUNCATED)),
}


@pytest.mark.parametrize("stall", STALLS)
async def test_what_stalls_behind_its_head_is_taken_over_by_the_next(stall: str) -> None:
    gateway = a_gateway(STALLS[stall](), FakeStream(ROLE, CONTENT))

    output = await read(await opened(gateway))

    record = gateway.ledger.last
    assert output == ROLE + CONTENT + b"data: [DONE]\n\n"
    assert (record.outcome, record.provider_id, len(record.attempts)) == ("ok", "b0", 2)
    assert [attempt.outcome for attempt in record.attempts][1] == "ok"
    assert record.attempts[0].outcome != "ok"


async def test_a_stall_of_many_goes_from_one_to_the_next_but_a_timeout_once_only() -> None:
    """Contract 7: a timeout before content goes on at most once."""
    stalls = [FakeStream(ROLE, FOREVER) for _ in range(3)]
    gateway = a_gateway(*stalls)

    with pytest.raises(GatewayError) as ended:
        await read(await opened(gateway))

    assert ended.value.code == "upstream_timeout"
    assert [len(chat.calls) for chat in gateway.chats.values()] == [1, 1, 0]
    assert (gateway.ledger.last.outcome, len(gateway.ledger.last.attempts)) == ("error", 2)


async def test_what_comes_late_is_passed_on_whole() -> None:
    class Late(FakeStream):
        @override
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield ROLE
            await asyncio.sleep(5)
            self.has_content = True
            assert self.progress is not None
            self.progress.content_received()
            yield CONTENT
            yield CONTENT

    gateway = a_gateway(Late(), FakeStream(CONTENT))

    output = await read(await opened(gateway))

    assert output == ROLE + CONTENT + CONTENT + b"data: [DONE]\n\n"
    assert (gateway.ledger.last.provider_id, gateway.chats["b0"].calls) == ("a", [])


async def test_with_nobody_else_to_ask_what_came_is_passed_on_and_the_stream_breaks() -> None:
    gateway = a_gateway(FakeStream(ROLE, FOREVER))
    reply = await opened(gateway)
    blocks: list[bytes] = []

    with pytest.raises(StreamBroken):
        async for block in reply:
            blocks.append(block)
    await reply.aclose()

    assert blocks == [ROLE]
    assert gateway.ledger.last.outcome == "error"


async def test_stalls_open_the_breaker_as_failures_do() -> None:
    gateway = a_gateway(FakeStream(ROLE, FOREVER), FakeStream(ROLE, CONTENT))

    for _ in range(5):
        await read(await opened(gateway))

    assert not gateway.availability.healthy("a", "m")
    assert gateway.availability.key_state("pk_a").condition is KeyCondition.AVAILABLE


async def test_a_route_that_does_not_name_timeouts_lets_the_stream_break() -> None:
    policy = RoutePolicy(
        targets=(Target(provider="a", model="m"), Target(provider="b0", model="m")),
        fallback_on=(FallbackCause.RATE_LIMIT,),
    )
    routes = [Route("fast", policy, "database", 1, NOW, NOW)]
    gateway = a_gateway(FakeStream(ROLE, FOREVER), FakeStream(CONTENT), routes=routes)

    with pytest.raises(GatewayError):
        await read(await opened(gateway, "fast"))

    assert gateway.chats["b0"].calls == []


async def test_who_leaves_while_the_next_is_asked_ends_it_once() -> None:
    gateway = a_gateway(FakeStream(ROLE, FOREVER), FakeStream(ROLE, FOREVER), FakeStream(CONTENT))
    reply = await opened(gateway)
    reading = asyncio.ensure_future(read(reply))
    await asyncio.sleep(9)

    reading.cancel()
    await asyncio.wait({reading})

    [record] = gateway.ledger.records
    assert record.outcome in {"client_cancelled", "interrupted"}
