"""Serves OpenAI's Responses through an upstream's chat."""

import time
from collections.abc import Callable
from typing import Final

import msgspec
from typing_extensions import override

from adapters.ingress.responses.answer import ResponseEvents, to_response
from adapters.ingress.responses.envelope import Envelope
from adapters.ingress.responses.params import not_over_chat, of_chat
from adapters.ingress.responses.request import Translated, to_chat
from adapters.ingress.translated_stream import TranslatedStream
from adapters.wire.sift import keep_strict
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.ports.providers import (
    ChatProvider,
    ProviderAnswer,
    ProviderCall,
    ProviderStream,
    ResponseCountProvider,
    ResponsesProvider,
)
from domain.responses import ResponsesRequest
from domain.usage import TokenUsage, estimate_tokens


class ResponsesOverChat(ResponsesProvider):
    """Translates both ways. `now` gives Unix seconds. Nothing is kept: each request carries its whole history."""

    def __init__(self, chat: ChatProvider, now: Callable[[], float] = time.time) -> None:
        self._chat = chat
        self._now = now

    @override
    async def complete(self, call: ProviderCall[ResponsesRequest]) -> ProviderAnswer:
        translated = to_chat(call.payload, call.model)
        dropped = keep_strict(translated.dropped, strict=call.strict)
        try:
            answer = await self._chat.complete(_chat_call(call, translated))
        except UpstreamFailure as failure:
            raise _in_responses_terms(failure) from None
        envelope = Envelope(call.payload, answer.model or call.model, int(self._now()))
        usage = answer.usage or _estimated(call.payload.size_bytes, len(answer.output_text.encode()))
        body = to_response(answer.body, envelope, translated.tools.names, usage, int(self._now()))
        return ProviderAnswer(
            body, answer.model, answer.usage, answer.limits, _all(dropped, answer.dropped_params), answer.output_text
        )

    @override
    async def stream(self, call: ProviderCall[ResponsesRequest]) -> ProviderStream:
        translated = to_chat(call.payload, call.model)
        dropped = keep_strict(translated.dropped, strict=call.strict)
        try:
            chat = await self._chat.stream(_chat_call(call, translated))
        except UpstreamFailure as failure:
            raise _in_responses_terms(failure) from None
        events = ResponseEvents(Envelope(call.payload, call.model, int(self._now())), translated.tools.names)
        dropped = _all(dropped, chat.dropped_params)
        return ResponsesStream(chat, events, call.payload.size_bytes, dropped, self._now)


class ResponsesStream(TranslatedStream):
    """A chat's stream, translated into a response's events. The terminal event is its `ending`."""

    def __init__(
        self,
        chat: ProviderStream,
        events: ResponseEvents,
        request_bytes: int,
        dropped_params: tuple[str, ...],
        now: Callable[[], float],
    ) -> None:
        super().__init__(chat, dropped_params)
        self._events = events
        self._request_bytes = request_bytes
        self._now = now

    @override
    def _feed(self, chunks: bytes) -> bytes:
        return self._events.feed(chunks)

    @override
    def _finish(self) -> bytes:
        usage = self.usage or _estimated(self._request_bytes, self.output_bytes)
        events, self.ending = self._events.finish(usage, int(self._now()))
        return events


def _chat_call(call: ProviderCall[ResponsesRequest], translated: Translated) -> ProviderCall[ChatRequest]:
    return ProviderCall(
        translated.payload, call.model, call.key, False, call.progress, call.strict, call.client_headers, "responses"
    )


def _all(dropped: tuple[str, ...], by_chat: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*dropped, *(of_chat(name) for name in by_chat)}))


def _estimated(request_bytes: int, output_bytes: int) -> TokenUsage:
    """Clients of Responses break where a complete one has no usage: where none came, it is guessed by length."""
    return TokenUsage(estimate_tokens(request_bytes), estimate_tokens(output_bytes))


def _in_responses_terms(failure: UpstreamFailure) -> UpstreamFailure:
    failure.param = of_chat(failure.param) if failure.param is not None else None
    return failure


_PER_TURN_TOKENS: Final = 4  # what chat templates add around a message, by OpenAI's own counting recipe
_REPLY_TOKENS: Final = 3


class EstimatedResponseCounts(ResponseCountProvider):
    """Counts with `count` instead of asking, and says so. Nothing goes upstream, so nothing is booked."""

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count

    @override
    async def complete(self, call: ProviderCall[ResponsesRequest]) -> ProviderAnswer:
        request = call.payload.value
        if request.previous_response_id:
            raise not_over_chat("What a provider keeps cannot be counted here.", "previous_response_id")
        texts = [*request.prompt_texts(), *(bytes(tool).decode(errors="replace") for tool in request.tools or ())]
        counted = self._count("\n".join(texts)) + request.media_tokens
        body = {
            "object": "response.input_tokens",
            "input_tokens": counted + _PER_TURN_TOKENS * request.turns + _REPLY_TOKENS,
            "estimated": True,
        }
        return ProviderAnswer(msgspec.json.encode(body), call.model, TokenUsage(), asked=False)
