"""A request is planned, admitted, dispatched and settled: exactly once, whatever happens."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from typing_extensions import override

from application.inference.calls import CHAT, EMBEDDINGS
from application.inference.streams import HOLD_BYTES
from domain.chat import ChatRequest
from domain.embeddings import EmbeddingRequest
from domain.errors import AllCandidatesFailed, NotFound, PermissionDenied, RequestInvalid, StreamBroken
from domain.failover import FailureKind
from domain.grants import Grants, Patterns
from domain.keys import Principal
from domain.payload import Payload
from domain.ports.providers import ProviderAnswer, ProviderCall
from domain.providers import ProviderSettings
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from tests.builders import a_chat_payload, a_provider
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FOREVER, FakeChatProvider, FakeLister, FakeStream, failure
from tests.waiting import HANG_SECONDS

pytestmark = pytest.mark.virtual_time

ROLE, HELLO, WORLD = b'data: {"role"}\n\n', b'data: {"content":"hello"}\n\n', b'data: {"content":"world"}\n\n'
OK = TokenUsage(3, 5)
STREAM = a_chat_payload(stream=True)

DONE = b"data: [DONE]\n\n"


async def test_a_plain_answer_is_settled_with_its_usage_and_attempts() -> None:
    chats = {"a": FakeChatProvider(failure(FailureKind.CONNECT)), "b": FakeChatProvider(OK)}
    gateway = await FakeGateway(chats).started()

    reply = await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload()))

    record = gateway.sink.last
    assert reply.usage == OK
    assert (record.outcome, record.status, record.provider_id, record.model) == ("ok", 200, "b", "answered-by")
    assert [(a.number, a.provider_id, a.outcome) for a in record.attempts] == [(1, "a", "connect"), (2, "b", "ok")]
    assert record.usage == OK
    assert record.decision_id.startswith("dec_")


async def test_a_record_belongs_to_the_moment_its_request_went_upstream() -> None:
    """A stream over midnight counts on the day it began, whether it ends well or its process dies."""
    gateway = await FakeGateway({"a": FakeChatProvider(FakeStream(ROLE, HELLO))}).started()
    began = gateway.clock.now()

    reply = await gateway.pipeline.stream(CHAT, gateway.call(STREAM))
    gateway.clock.advance(7200)
    assert [block async for block in reply][-1] == DONE
    await reply.aclose()

    assert gateway.ledger.starts[0].created_at == gateway.ledger.last.created_at == began


class Estimating(FakeChatProvider):
    """Makes its answer here, like an estimate."""

    @override
    async def complete(self, call: ProviderCall[ChatRequest]) -> ProviderAnswer:
        return ProviderAnswer(b"{}", "m", TokenUsage(), asked=False)


async def test_an_answer_made_here_says_nothing_of_the_providers_health() -> None:
    """A half-open breaker must not close on it."""
    gateway = await FakeGateway({"a": Estimating()}).started()
    for _ in range(5):
        gateway.availability.record_failure("a", "a", "m", failure(FailureKind.CONNECT))
    gateway.clock.advance(31)

    await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload()))

    assert gateway.availability.unhealthy_until("a") is not None


async def test_auto_is_for_chat_and_says_so_elsewhere() -> None:
    """A provider's default model is a chat model: asking it for embeddings would fail at each provider in turn."""
    gateway = await FakeGateway({"a": FakeChatProvider(OK)}).started()
    request = Payload(EmbeddingRequest(model="auto", input="hi"), {})

    with pytest.raises(RequestInvalid) as caught:
        await gateway.pipeline.complete(EMBEDDINGS, gateway.call(request))

    assert (caught.value.param, "embeddings" in caught.value.message) == ("model", True)
    assert gateway.sink.last.outcome == "error"


async def test_a_failed_request_is_settled_with_the_status_the_client_gets() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(failure(FailureKind.CONNECT))}).started()

    with pytest.raises(AllCandidatesFailed):
        await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload()))

    assert len(gateway.sink.records) == 1
    assert (gateway.sink.last.outcome, gateway.sink.last.error_code) == ("error", "upstream_error")


async def test_a_cancelled_plain_call_stops_upstream_and_is_settled_once() -> None:
    """R-01 for plain calls, R-02."""
    chat = FakeChatProvider(FOREVER)
    gateway = await FakeGateway({"a": chat}).started()
    call = gateway.call(a_chat_payload())
    task = asyncio.ensure_future(gateway.pipeline.complete(CHAT, call))
    await asyncio.sleep(0.01)
    call.trace.client_left = True
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert chat.cancelled == 1
    assert [r.outcome for r in gateway.sink.records] == ["client_cancelled"]
    assert gateway.sink.last.attempts[0].outcome == "cancelled"
    assert gateway.sink.last.attempts[0].usage_source == "estimated"


async def test_a_key_may_use_only_its_models_and_providers() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(OK), "b": FakeChatProvider(OK)}).started()
    elsewhere = Principal("virtual_key", "key_2", "ten_default", Grants(models=(Patterns(["other"]),)))
    only_b = Principal("virtual_key", "key_3", "ten_default", Grants(providers=(Patterns(["b"]),)))

    with pytest.raises(PermissionDenied) as caught:
        await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload(), elsewhere))
    assert caught.value.code == "model_not_allowed"
    call = gateway.call(a_chat_payload(), only_b)
    await gateway.pipeline.complete(CHAT, call)
    assert call.trace.provider_id == "b"
    assert gateway.chats["a"].calls == []


async def test_a_stream_ends_with_done_and_is_settled_before_it() -> None:
    """P-01: the record is there before the last byte."""
    upstream = FakeStream(ROLE, HELLO, WORLD, usage=OK)
    gateway = await FakeGateway({"a": FakeChatProvider(upstream)}).started()

    reply = await gateway.pipeline.stream(CHAT, gateway.call(STREAM))
    blocks = []
    async for block in reply:
        if block == DONE:
            assert len(gateway.sink.records) == 1
        blocks.append(block)
    await reply.aclose()

    assert blocks == [ROLE, HELLO, WORLD, DONE]
    assert upstream.closed
    assert (gateway.sink.last.outcome, gateway.sink.last.usage, len(gateway.sink.records)) == ("ok", OK, 1)


@pytest.mark.parametrize("lifecycle", [[], [ROLE], [ROLE, ROLE]])
async def test_a_stream_that_fails_before_content_is_answered_by_the_next_provider(lifecycle: list[bytes]) -> None:
    """R-07: one clean stream from the fallback, nothing of the first."""
    broken_stream = FakeStream(*lifecycle, failure(FailureKind.TRUNCATED))
    chats = {"a": FakeChatProvider(broken_stream), "b": FakeChatProvider(FakeStream(ROLE, HELLO))}
    gateway = await FakeGateway(chats).started()

    reply = await gateway.pipeline.stream(CHAT, gateway.call(STREAM))
    blocks = [block async for block in reply]
    await reply.aclose()

    assert blocks == [ROLE, HELLO, DONE]
    assert broken_stream.closed


async def test_a_stream_that_fails_after_content_is_broken_and_nobody_else_is_asked() -> None:
    """R-07."""
    chats = {
        "a": FakeChatProvider(FakeStream(ROLE, HELLO, failure(FailureKind.TRUNCATED))),
        "b": FakeChatProvider(FakeStream(ROLE, WORLD)),
    }
    gateway = await FakeGateway(chats).started()

    reply = await gateway.pipeline.stream(CHAT, gateway.call(STREAM))
    seen: list[bytes] = []
    with pytest.raises(StreamBroken) as caught:
        async for block in reply:
            seen.append(block)
    await reply.aclose()

    assert seen == [ROLE, HELLO]
    assert caught.value.code == "upstream_truncated"
    assert chats["b"].calls == []
    record = gateway.sink.last
    assert (record.outcome, record.attempts[-1].outcome, len(gateway.sink.records)) == ("error", "after_content", 1)


async def test_a_stream_nobody_finishes_reading_is_settled_as_the_clients_leaving() -> None:
    """R-02."""
    upstream = FakeStream(ROLE, HELLO, FOREVER)
    gateway = await FakeGateway({"a": FakeChatProvider(upstream)}).started()
    call = gateway.call(STREAM)
    reply = await gateway.pipeline.stream(CHAT, call)

    async def read() -> None:
        async for _ in reply:
            pass

    reading = asyncio.ensure_future(read())
    await asyncio.sleep(0.01)
    call.trace.client_left = True
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await reply.aclose()
    await reply.aclose()

    assert upstream.closed
    assert [r.outcome for r in gateway.sink.records] == ["client_cancelled"]


async def left_after_hello(upstream: FakeStream, *, client_left: bool) -> FakeGateway:
    """A stream of a provider that bills whole answers, given up after its first content."""
    settings = ProviderSettings(on_disconnect="drain")
    providers = [a_provider("a", settings=settings)]
    gateway = await FakeGateway({"a": FakeChatProvider(upstream)}, providers=providers).started()
    call = gateway.call(STREAM)
    reply = await gateway.pipeline.stream(CHAT, call)

    async def read() -> None:
        async for _ in reply:
            await asyncio.sleep(0)

    reading = asyncio.ensure_future(read())
    await asyncio.sleep(0.01)
    call.trace.client_left = client_left
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await reply.aclose()
    await reply.aclose()
    return gateway


class SlowStream(FakeStream):
    """Says hello, and the rest when it is told to; usage comes last."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.has_content = True
        yield HELLO
        await self.go_on.wait()
        yield WORLD
        self.usage = TokenUsage(7, 70)


async def test_a_stream_that_is_billed_whole_is_read_to_its_end_when_the_client_leaves() -> None:
    """R-02: the record has the provider's own figure, and is the client's leaving all the same."""
    upstream = SlowStream()
    gateway = await left_after_hello(upstream, client_left=True)
    assert gateway.sink.records == []

    upstream.go_on.set()
    await asyncio.sleep(0.01)

    assert [(r.outcome, r.usage) for r in gateway.sink.records] == [("client_cancelled", TokenUsage(7, 70))]
    assert upstream.closed


async def test_a_stop_of_the_gateway_waits_for_no_stream_that_nobody_reads() -> None:
    upstream = SlowStream()
    gateway = await left_after_hello(upstream, client_left=True)

    await gateway.pipeline.aclose()

    assert [r.outcome for r in gateway.sink.records] == ["client_cancelled"]
    assert upstream.closed


async def test_a_stream_the_gateway_itself_interrupts_is_not_read_on() -> None:
    upstream = SlowStream()
    gateway = await left_after_hello(upstream, client_left=False)

    assert [r.outcome for r in gateway.sink.records] == ["interrupted"]
    assert upstream.closed


async def test_silence_before_content_fails_over_and_silence_after_it_breaks_the_stream() -> None:
    """R-05, R-07."""
    short = Timeouts(first_content=0.05, idle=0.05)
    chats = {
        "a": FakeChatProvider(FakeStream(ROLE, FOREVER)),
        "b": FakeChatProvider(FakeStream(ROLE, HELLO, FOREVER)),
    }
    gateway = await FakeGateway(chats, timeouts=short).started()

    reply = await gateway.pipeline.stream(CHAT, gateway.call(STREAM))
    with pytest.raises(StreamBroken) as caught:
        async for _ in reply:
            pass
    await reply.aclose()

    assert caught.value.code == "upstream_timeout"
    assert [a.outcome for a in gateway.sink.last.attempts] == ["unknown_outcome", "after_content"]


async def test_the_hold_ends_after_its_time_without_losing_what_comes_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.inference.streams.HOLD_SECONDS", 0.02)
    gate = asyncio.Event()

    class Slow(FakeStream):
        @override
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield ROLE
            await gate.wait()
            self.has_content = True
            yield HELLO

    gateway = await FakeGateway({"a": FakeChatProvider(Slow())}).started()
    reply = await gateway.pipeline.stream(CHAT, gateway.call(STREAM))
    gate.set()
    assert [block async for block in reply] == [ROLE, HELLO, DONE]
    await reply.aclose()


async def test_the_hold_ends_at_its_size() -> None:
    filler = b"data: " + b"x" * HOLD_BYTES + b"\n\n"
    gateway = await FakeGateway({"a": FakeChatProvider(FakeStream(filler, FOREVER))}).started()
    reply = await asyncio.wait_for(gateway.pipeline.stream(CHAT, gateway.call(STREAM)), HANG_SECONDS)
    await reply.aclose()
    assert gateway.sink.last.outcome == "interrupted"


async def test_a_stream_that_ends_properly_without_content_is_an_answer() -> None:
    """After a tool's result, by a filter, by its limit: asked again, it would be billed again."""
    chats = {name: FakeChatProvider(stream) for name, stream in (("a", FakeStream(ROLE)), ("b", FakeStream(HELLO)))}
    gateway = await FakeGateway(chats).started()
    call = gateway.call(STREAM)

    reply = await gateway.pipeline.stream(CHAT, call)
    blocks = [block async for block in reply]
    await reply.aclose()

    assert blocks == [ROLE, DONE]
    assert [(a.provider_id, a.outcome) for a in gateway.sink.last.attempts] == [("a", "ok")]


async def test_a_stream_that_ends_properly_without_a_block_is_an_answer() -> None:
    """Its last event is held back until it is settled."""
    gateway = await FakeGateway({"a": FakeChatProvider(FakeStream())}).started()

    reply = await gateway.pipeline.stream(CHAT, gateway.call(STREAM))

    assert [block async for block in reply] == [DONE]
    await reply.aclose()
    assert gateway.sink.last.outcome == "ok"


async def test_a_client_that_leaves_while_a_stream_is_held_stops_the_upstream() -> None:
    """R-01 (b): before the first token."""
    upstream = FakeStream(ROLE, FOREVER)
    gateway = await FakeGateway({"a": FakeChatProvider(upstream)}).started()
    call = gateway.call(STREAM)
    opening = asyncio.ensure_future(gateway.pipeline.stream(CHAT, call))
    await asyncio.sleep(0.01)
    call.trace.client_left = True
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert upstream.closed
    assert gateway.sink.last.outcome == "client_cancelled"


@pytest.mark.parametrize("asked", ["gone", "a/own", "auto"])
async def test_a_new_providers_list_is_read_before_its_first_answer_counts(asked: str) -> None:
    """A bare name that its list does not have is no model of it, at the first request as at all that follow."""
    gateway = FakeGateway({"a": FakeChatProvider(OK)}, providers=[a_provider("a")])
    gateway.registry.listers["a"] = lister = FakeLister(["a/own"])
    await gateway.started()

    for _ in range(2):
        call = gateway.call(a_chat_payload(model=asked))
        if asked == "gone":
            with pytest.raises(NotFound):
                await gateway.pipeline.complete(CHAT, call)
        else:
            await gateway.pipeline.complete(CHAT, call)

    assert {call.model for call in gateway.chats["a"].calls} <= {"a/own"}
    assert lister.calls == 1


async def test_a_provider_that_cannot_list_is_asked_for_what_it_may_have() -> None:
    gateway = FakeGateway({"a": FakeChatProvider(OK)}, providers=[a_provider("a")])
    gateway.registry.listers["a"] = FakeLister(failure(FailureKind.CONNECT))
    await gateway.started()

    await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload(model="anything")))

    assert [call.model for call in gateway.chats["a"].calls] == ["anything"]
