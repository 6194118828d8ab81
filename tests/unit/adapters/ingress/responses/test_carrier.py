"""Responses over a provider's chat: one call to it, its failures in their terms, the terminal event held back."""

import json
from collections.abc import AsyncIterator

import pytest
from typing_extensions import override

from adapters.dialects.openai.chat import OpenAIChat
from adapters.dialects.openai.quirks import Quirks
from adapters.ingress.responses.carrier import ResponsesOverChat
from adapters.providers.upstream import Unwatched
from adapters.wire.call import DialectCall
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.ports.providers import ChatProvider, ProviderAnswer, ProviderCall, ProviderStream
from domain.responses import ResponsesRequest
from domain.usage import TokenUsage
from tests.fakes.providers import FakeChatProvider, FakeStream
from tests.unit.adapters.ingress.responses.grammar import follow
from tests.unit.adapters.ingress.responses.samples import NOW, delta, payload

STOP = delta("stop")
BROKEN = UpstreamFailure(FailureKind.TRUNCATED, "cut", status=200)


class _Chat(ChatProvider):
    """Answers whole with a dialect's own translation of what it was asked."""

    def __init__(self, quirks: Quirks, usage: TokenUsage | None = None) -> None:
        self._dialect = OpenAIChat(quirks)
        self._usage = usage
        self.sent: dict[str, object] = {}

    @override
    async def complete(self, call: ProviderCall[ChatRequest]) -> ProviderAnswer:
        wire = DialectCall(call.payload, call.model, None, lambda: float(NOW), strict=call.strict)
        encoded = self._dialect.encode(wire, stream=False)
        self.sent = json.loads(encoded.body)
        choice = {"index": 0, "message": {"role": "assistant", "content": "four"}, "finish_reason": "stop"}
        body = json.dumps({"id": "c", "model": "m-1", "choices": [choice]}).encode()
        return ProviderAnswer(body, "m-1", self._usage, (), encoded.dropped, "four")

    @override
    async def stream(self, call: ProviderCall[ChatRequest]) -> ProviderStream:
        raise AssertionError


def asked(*, strict: bool = False, **body: object) -> ProviderCall[ResponsesRequest]:
    return ProviderCall(payload({"input": "hi", **body}), "real-model", None, False, Unwatched(), strict)


async def opened(*steps: bytes | UpstreamFailure, usage: TokenUsage | None = None) -> ProviderStream:
    provider = ResponsesOverChat(FakeChatProvider(FakeStream(*steps, usage=usage)), lambda: float(NOW))
    return await provider.stream(asked(stream=True))


async def test_a_whole_answer_is_translated_and_what_was_dropped_is_told() -> None:
    chat = _Chat(Quirks(drop=frozenset({"reasoning_effort", "verbosity"})), TokenUsage(7, 1))
    provider = ResponsesOverChat(chat, lambda: float(NOW))

    answer = await provider.complete(asked(reasoning={"effort": "low"}, text={"verbosity": "low"}, store=True))

    received = json.loads(answer.body)
    assert received["output"][0]["content"][0]["text"] == "four"
    assert received["model"] == answer.model == "m-1"
    assert answer.usage == TokenUsage(7, 1)
    assert answer.dropped_params == ("reasoning", "store", "text")
    assert chat.sent["model"] == "real-model"


async def test_an_answer_without_usage_gets_a_guess_that_is_not_booked() -> None:
    answer = await ResponsesOverChat(_Chat(Quirks())).complete(asked())

    assert json.loads(answer.body)["usage"]["output_tokens"] == 1
    assert answer.usage is None
    assert answer.output_text == "four"


async def test_a_strict_key_refuses_what_either_side_would_drop() -> None:
    chat = _Chat(Quirks(drop=frozenset({"reasoning_effort"})))
    for body in ({"store": True}, {"reasoning": {"effort": "low"}}):
        with pytest.raises(UpstreamFailure) as refused:
            await ResponsesOverChat(chat).complete(asked(strict=True, **body))
        assert refused.value.kind is FailureKind.UNSUPPORTED
        assert refused.value.param == next(iter(body))


async def test_chats_failures_name_the_parameters_of_responses() -> None:
    wrong = UpstreamFailure(FailureKind.CLIENT_FAULT, "no", status=400, param="messages.0.content")
    provider = ResponsesOverChat(FakeChatProvider(wrong))

    for call in (provider.complete(asked()), provider.stream(asked(stream=True))):
        with pytest.raises(UpstreamFailure) as refused:
            await call
        assert refused.value.param == "input.0.content"


async def test_a_stream_is_told_in_order_and_its_terminal_event_is_the_ending() -> None:
    stream = await opened(delta(role="assistant", content=""), delta(content="four"), STOP, usage=TokenUsage(7, 1))

    received = b"".join([block async for block in stream])

    assert b"response.completed" not in received
    assert stream.ending.startswith(b"event: response.completed\n")
    assert follow(received + stream.ending)["usage"]["total_tokens"] == 8
    assert stream.has_content
    assert stream.content_type.startswith("text/event-stream")


async def test_the_client_hears_of_a_response_with_the_first_block() -> None:
    stream = await opened(delta(role="assistant", content=""), STOP)

    first = await anext(_blocks(stream))

    assert first.startswith(b"event: response.created\n")
    assert b"event: response.in_progress\n" in first


async def test_a_stream_that_breaks_has_no_ending() -> None:
    """R-08."""
    stream = await opened(delta(content="fo"), BROKEN)
    received = b""

    with pytest.raises(UpstreamFailure):
        async for block in stream:
            received += block

    assert stream.ending == b""
    assert b"response.completed" not in received


async def test_closing_the_stream_gives_up_chats() -> None:
    inner = FakeStream(delta(content="fo"), STOP)
    stream = await ResponsesOverChat(FakeChatProvider(inner)).stream(asked(stream=True))

    await stream.aclose()

    assert inner.closed


async def _blocks(stream: ProviderStream) -> AsyncIterator[bytes]:
    async for block in stream:
        yield block
