"""Answers without a provider: what a route's `mock` says, whole or as a stream, in OpenAI's form."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from itertools import groupby

import msgspec
from typing_extensions import override

from adapters.dialects.openai.quirks import Quirks
from adapters.wire.chat_answer import usage_json
from adapters.wire.errors import failure_from_answer
from adapters.wire.sse import EVENT_STREAM
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.ports.providers import (
    Capabilities,
    ChatProvider,
    ProviderAnswer,
    ProviderCall,
    ProviderClient,
    ProviderStream,
)
from domain.routes import Mock
from domain.usage import TokenUsage

_TOKENS_A_MESSAGE = 4  # what chat templates add around one

_encode = msgspec.json.Encoder().encode


class MockClient(ProviderClient):
    """Has no connection."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities

    @property
    @override
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @override
    async def aclose(self) -> None:
        """Nothing is open."""


class MockChat(ChatProvider):
    """Says one text to every chat. `now` gives Unix seconds.

    Its tokens are estimated by `count_tokens`. Raises `UpstreamFailure` as for a provider's answer of that status.
    """

    def __init__(self, mock: Mock, count_tokens: Callable[[str], int], now: Callable[[], float] = time.time) -> None:
        self._mock = mock
        self._count_tokens = count_tokens
        self._now = now

    @override
    async def complete(self, call: ProviderCall[ChatRequest]) -> ProviderAnswer:
        await self._wait_or_fail(call)
        usage, message = self._usage(call), {"role": "assistant", "content": self._mock.text, "refusal": None}
        body = self._head(call, "chat.completion") | {
            "choices": [
                {"index": index, "message": message, "finish_reason": "stop", "logprobs": None}
                for index in range(call.payload.value.answers)
            ],
            "usage": usage_json(usage),
        }
        return ProviderAnswer(_encode(body), call.model, usage, asked=False)

    @override
    async def stream(self, call: ProviderCall[ChatRequest]) -> ProviderStream:
        await self._wait_or_fail(call)
        head = self._head(call, "chat.completion.chunk")
        if call.include_usage:
            head["usage"] = None
        deltas: list[tuple[dict[str, str], str | None]] = [({"role": "assistant", "content": ""}, None)]
        deltas += [({"content": word}, None) for word in _words(self._mock.text)]
        deltas.append(({}, "stop"))
        chunks = [
            head | {"choices": [{"index": index, "delta": delta, "finish_reason": reason, "logprobs": None}]}
            for index in range(call.payload.value.answers)
            for delta, reason in deltas
        ]
        usage = self._usage(call)
        if call.include_usage:
            chunks.append(head | {"choices": [], "usage": usage_json(usage)})
        return _MockStream(call, [b"data: %b\n\n" % _encode(chunk) for chunk in chunks], usage, self._mock.text)

    async def _wait_or_fail(self, call: ProviderCall[ChatRequest]) -> None:
        if self._mock.delay_seconds:
            await asyncio.sleep(self._mock.delay_seconds)
        call.progress.headers_received()
        if self._mock.status is not None:
            said = _encode({"error": {"message": self._mock.text, "type": "mock", "code": None}})
            raise failure_from_answer(self._mock.status, (), said, Quirks(), secret=None, now=self._now())
        call.progress.content_received()

    def _usage(self, call: ProviderCall[ChatRequest]) -> TokenUsage:
        request = call.payload.value
        prompt = self._count_tokens("\n".join(request.prompt_texts())) + _TOKENS_A_MESSAGE * request.turns
        return TokenUsage(prompt, self._count_tokens(self._mock.text) * request.answers)

    def _head(self, call: ProviderCall[ChatRequest], kind: str) -> dict[str, object]:
        created = int(self._now())
        return {"id": f"chatcmpl-{secrets.token_hex(12)}", "object": kind, "created": created, "model": call.model}


class _MockStream(ProviderStream):
    """Event by event, as a model's would come."""

    def __init__(self, call: ProviderCall[ChatRequest], events: list[bytes], usage: TokenUsage, text: str) -> None:
        self.model = call.model
        self.usage: TokenUsage | None = usage
        self.limits: tuple[RateLimitWindow, ...] = ()
        self.dropped_params: tuple[str, ...] = ()
        self.content_type = EVENT_STREAM
        self.ending = b"data: [DONE]\n\n"
        self.has_content = False
        self.output_bytes = 0
        self._events = events
        self._text = text

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number, event in enumerate(self._events):
            self.has_content = number > 0
            self.output_bytes = len(self._text.encode()) if number else 0
            yield event

    @override
    def output_text(self) -> str:
        return self._text

    @override
    async def aclose(self) -> None:
        """Nothing is open."""


def _words(text: str) -> list[str]:
    """With the spaces behind each, so that together they are the text."""
    pieces = ["".join(group) for _, group in groupby(text, str.isspace)]
    return ["".join(pieces[place : place + 2]) for place in range(0, len(pieces), 2)]
