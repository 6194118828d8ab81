"""Messages carried over a chat: what the chat is asked, what its answer becomes, what is booked."""

import json
from typing import Any

import msgspec
import pytest
from typing_extensions import override

from adapters.ingress.messages.carrier import EstimatedTokenCounts, MessagesOverChat
from adapters.providers.upstream import Unwatched
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.messages import MessagesRequest
from domain.ports.providers import ProviderAnswer, ProviderCall, ProviderStream
from domain.usage import TokenUsage
from tests.fakes.providers import FakeChatProvider, FakeStream
from tests.unit.adapters.dialects.openai.samples import delta
from tests.unit.adapters.ingress.messages.samples import payload, reassembled

ANSWER = json.dumps(
    {"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi you"}, "finish_reason": "stop"}]}
).encode()


def words(text: str) -> int:
    return len(text.split())


def call(*, strict: bool = False, **body: object) -> ProviderCall[MessagesRequest]:
    headers = (("anthropic-beta", "a"),)
    return ProviderCall(payload(**body), "asked-model", None, False, Unwatched(), strict, headers)


class Chat(FakeChatProvider):
    """Answers with `answer`, or as its script says."""

    def __init__(self, answer: ProviderAnswer | UpstreamFailure | FakeStream) -> None:
        super().__init__()
        self.answer = answer

    @override
    async def complete(self, call: ProviderCall[ChatRequest]) -> ProviderAnswer:
        self.calls.append(call)
        if isinstance(self.answer, UpstreamFailure):
            raise self.answer
        assert isinstance(self.answer, ProviderAnswer)
        return self.answer

    @override
    async def stream(self, call: ProviderCall[ChatRequest]) -> ProviderStream:
        self.calls.append(call)
        if isinstance(self.answer, UpstreamFailure):
            raise self.answer
        assert isinstance(self.answer, FakeStream)
        return self.answer


async def test_the_chat_is_asked_for_its_usage_with_the_same_facts() -> None:
    chat = Chat(ProviderAnswer(ANSWER, "served", TokenUsage(3, 2), (), ("stop", "top_p", "stream_options")))

    answer = await MessagesOverChat(chat, words).complete(call(container={}, strict=False))

    asked = chat.calls[0]
    assert (asked.model, asked.include_usage, asked.strict) == ("asked-model", True, False)
    assert asked.client_headers == (("anthropic-beta", "a"),)
    assert msgspec.json.decode(msgspec.json.encode(asked.payload.fields), type=ChatRequest) == asked.payload.value
    assert answer.dropped_params == ("container", "stop_sequences", "top_p")
    assert (answer.usage, answer.model, json.loads(answer.body)["model"]) == (TokenUsage(3, 2), "served", "served")


async def test_a_large_request_is_the_same_chat() -> None:
    chat = Chat(ProviderAnswer(ANSWER, "served", TokenUsage(3, 2)))

    await MessagesOverChat(chat, words).complete(call(messages=[{"role": "user", "content": "x" * 300_000}]))

    assert chat.calls[0].payload.value.messages[0].content == "x" * 300_000


async def test_usage_nobody_told_is_estimated_for_the_client_and_left_open_for_the_books() -> None:
    """R-22."""
    chat = Chat(ProviderAnswer(ANSWER, "served", None, output_text="hi you"))

    answer = await MessagesOverChat(chat, words).complete(call())

    usage = json.loads(answer.body)["usage"]
    assert (answer.usage, answer.output_text) == (None, "hi you")
    assert (usage["input_tokens"], usage["output_tokens"]) == (8, 2)


async def streamed(stream: FakeStream) -> tuple[ProviderStream, bytes]:
    reply = await MessagesOverChat(Chat(stream), words).stream(call())
    return reply, b"".join([block async for block in reply])


async def test_a_stream_keeps_its_stop_back_until_the_call_is_settled() -> None:
    chunks = (delta(role="assistant", content=""), delta(content="hi you"), delta("stop"))

    reply, received = await streamed(FakeStream(*chunks, usage=TokenUsage(3, 2)))

    assert b"message_stop" not in received
    message = reassembled(received + reply.ending)
    assert (message["content"][0]["text"], message["usage"]["output_tokens"]) == ("hi you", 2)
    assert (reply.usage, reply.model, reply.has_content) == (TokenUsage(3, 2), "answered-by", True)
    assert reply.content_type.startswith("text/event-stream")
    assert reply.output_text() == "hello world"


async def test_a_streams_missing_usage_is_estimated_for_the_client_alone() -> None:
    reply, received = await streamed(FakeStream(delta(content="hi"), delta("stop")))

    assert reply.usage is None
    assert reassembled(received + reply.ending)["usage"]["output_tokens"] == 2


async def test_a_stream_that_breaks_is_a_failure_and_not_an_end() -> None:
    """R-08."""
    broken = UpstreamFailure(FailureKind.TRUNCATED, "gone")
    reply = await MessagesOverChat(Chat(FakeStream(delta(content="hi"), broken)), words).stream(call())

    received = b""
    with pytest.raises(UpstreamFailure) as failed:
        async for block in reply:
            received += block

    assert failed.value.kind is FailureKind.TRUNCATED
    assert b"message_delta" not in received
    await reply.aclose()
    await reply.aclose()


async def test_closing_gives_the_chat_up() -> None:
    stream = FakeStream(delta(content="hi"))
    reply = await MessagesOverChat(Chat(stream), words).stream(call())

    await reply.aclose()

    assert stream.closed


@pytest.mark.parametrize("streams", [False, True])
async def test_what_the_chat_cannot_carry_is_named_as_the_client_named_it(streams: bool) -> None:
    refusal = UpstreamFailure(FailureKind.UNSUPPORTED, "Unsupported: 'stop'.", status=400, param="stop")
    carrier = MessagesOverChat(Chat(refusal), words)

    with pytest.raises(UpstreamFailure) as refused:
        await (carrier.stream(call()) if streams else carrier.complete(call()))

    assert (refused.value.param, refused.value.message) == ("stop_sequences", "Unsupported: 'stop_sequences'.")


async def test_a_strict_key_is_refused_before_anything_is_sent() -> None:
    chat = Chat(ProviderAnswer(ANSWER, "served", None))

    with pytest.raises(UpstreamFailure) as refused:
        await MessagesOverChat(chat, words).complete(call(container={}, strict=True))

    assert (refused.value.kind, refused.value.param, chat.calls) == (FailureKind.UNSUPPORTED, "container", [])


async def test_other_failures_pass_as_they_are() -> None:
    limit = UpstreamFailure(FailureKind.RATE_LIMITED, "slow down", status=429)

    with pytest.raises(UpstreamFailure) as failed:
        await MessagesOverChat(Chat(limit), words).complete(call())

    assert failed.value is limit


async def test_tokens_are_counted_here_and_booked_as_none() -> None:
    picture: dict[str, Any] = {"type": "image", "source": {"type": "base64", "data": "aGk="}}
    content = [{"type": "text", "text": "one two"}, picture]
    asked = call(system="be brief", messages=[{"role": "user", "content": content}], tools=[{"name": "look"}])

    answer = await EstimatedTokenCounts(words).complete(asked)

    assert json.loads(answer.body) == {"input_tokens": 2 + 2 + 1 + 2 * 4 + 1500 + 3}
    assert answer.usage == TokenUsage()
