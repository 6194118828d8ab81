"""Serves OpenAI's Responses through an upstream's chat."""

import time
from collections.abc import Callable

from typing_extensions import override

from adapters.dialects.responses.envelope import Envelope
from adapters.dialects.responses.over_chat import ResponseEvents, to_response
from adapters.dialects.responses.params import of_chat
from adapters.dialects.responses.request import Translated, to_chat
from adapters.providers.over_chat.told_stream import ToldStream
from adapters.wire.sift import keep_strict
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.ports.providers import ChatProvider, ProviderAnswer, ProviderCall, ProviderStream, ResponsesProvider
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


class ResponsesStream(ToldStream):
    """A chat's stream, told as a response's events. The terminal event is its `ending`."""

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
        told, self.ending = self._events.finish(usage, int(self._now()))
        return told


def _chat_call(call: ProviderCall[ResponsesRequest], translated: Translated) -> ProviderCall[ChatRequest]:
    return ProviderCall(
        translated.payload, call.model, call.key, False, call.progress, call.strict, call.client_headers
    )


def _all(dropped: tuple[str, ...], by_chat: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*dropped, *(of_chat(name) for name in by_chat)}))


def _estimated(request_bytes: int, output_bytes: int) -> TokenUsage:
    """Clients of Responses break where a complete one has no usage: where none came, it is guessed by length."""
    return TokenUsage(estimate_tokens(request_bytes), estimate_tokens(output_bytes))


def _in_responses_terms(failure: UpstreamFailure) -> UpstreamFailure:
    failure.param = of_chat(failure.param) if failure.param is not None else None
    return failure
