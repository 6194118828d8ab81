"""Anthropic's Messages where an upstream has only chat: asked as a chat, answered as a message."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
from typing_extensions import override

from adapters.ingress.messages.answer import as_message
from adapters.ingress.messages.params import messages_name
from adapters.ingress.messages.request import ChatForm, as_chat, estimated_input_tokens
from adapters.ingress.messages.stream import MESSAGE_STOP, MessageEvents
from adapters.ingress.translated_stream import TranslatedStream
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.messages import MessagesRequest
from domain.ports.providers import (
    ChatProvider,
    MessagesProvider,
    ProviderAnswer,
    ProviderCall,
    ProviderStream,
    TokenCountProvider,
)
from domain.usage import TokenUsage

CountTokens = Callable[[str], int]

_ASIDE_BYTES: Final = 256 * 1024


class MessagesOverChat(MessagesProvider):
    """Carries messages over `chat`. `count` estimates the usage a client is told where the upstream tells none."""

    def __init__(self, chat: ChatProvider, count: CountTokens) -> None:
        self._chat = chat
        self._count = count

    @override
    async def complete(self, call: ProviderCall[MessagesRequest]) -> ProviderAnswer:
        form = await _as_chat(call, stream=False)
        try:
            answer = await self._chat.complete(_chat_call(call, form))
        except UpstreamFailure as failure:
            raise _in_its_words(failure, call) from failure
        usage = answer.usage or self._estimate(call, answer.output_text)
        return ProviderAnswer(
            as_message(answer.body, answer.model, usage, call.payload.value.stop_sequences or ()),
            answer.model,
            answer.usage,
            answer.limits,
            _dropped(call, form, answer.dropped_params),
            answer.output_text,
        )

    @override
    async def stream(self, call: ProviderCall[MessagesRequest]) -> ProviderStream:
        form = await _as_chat(call, stream=True)
        try:
            chat = await self._chat.stream(_chat_call(call, form))
        except UpstreamFailure as failure:
            raise _in_its_words(failure, call) from failure
        events = MessageEvents(call.model, call.payload.value.stop_sequences or (), form.estimated_input_tokens)
        dropped = _dropped(call, form, chat.dropped_params)
        return _MessageStream(chat, events, dropped, lambda text: self._estimate(call, text))

    def _estimate(self, call: ProviderCall[MessagesRequest], output_text: str) -> TokenUsage:
        return TokenUsage(estimated_input_tokens(call.payload, self._count), self._count(output_text))


class _MessageStream(TranslatedStream):
    """A chat's stream as a message's."""

    def __init__(
        self,
        chat: ProviderStream,
        events: MessageEvents,
        dropped: tuple[str, ...],
        estimate: Callable[[str], TokenUsage],
    ) -> None:
        super().__init__(chat, dropped, MESSAGE_STOP)
        self._events = events
        self._estimate = estimate

    @override
    def _feed(self, chunks: bytes) -> bytes:
        return self._events.feed(chunks)

    @override
    def _finish(self) -> bytes:
        return self._events.finish(self.usage or self._estimate(self.output_text()))


async def _as_chat(call: ProviderCall[MessagesRequest], *, stream: bool) -> ChatForm:
    """Large bodies, which are pictures mostly, are translated in a thread, so that the loop goes on."""
    if call.payload.size_bytes <= _ASIDE_BYTES:
        return as_chat(call.payload, call.model, stream=stream, strict=call.strict)
    return await asyncio.to_thread(as_chat, call.payload, call.model, stream=stream, strict=call.strict)


def _chat_call(call: ProviderCall[MessagesRequest], form: ChatForm) -> ProviderCall[ChatRequest]:
    return ProviderCall(
        payload=form.payload,
        model=call.model,
        key=call.key,
        include_usage=True,
        progress=call.progress,
        strict=call.strict,
        client_headers=call.client_headers,
        carried_from="messages",
    )


def _dropped(call: ProviderCall[MessagesRequest], form: ChatForm, by_chat: tuple[str, ...]) -> tuple[str, ...]:
    """What was lost on either step, in the client's own words."""
    asked = frozenset(call.payload.fields)
    names = (messages_name(name, asked) for name in by_chat)
    return tuple(sorted({*form.dropped, *(name for name in names if name is not None)}))


def _in_its_words(failure: UpstreamFailure, call: ProviderCall[MessagesRequest]) -> UpstreamFailure:
    """A parameter the chat cannot carry, named as the client named it."""
    if failure.kind is not FailureKind.UNSUPPORTED or failure.param is None:
        return failure
    name = messages_name(failure.param, frozenset(call.payload.fields)) or failure.param
    return UpstreamFailure(
        failure.kind,
        failure.message.replace(f"'{failure.param}'", f"'{name}'"),
        status=failure.status,
        type_=failure.type,
        code=failure.code,
        param=name,
    )


class EstimatedTokenCounts(TokenCountProvider):
    """Counts with `count` instead of asking. Nothing goes upstream, so nothing is booked."""

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count

    @override
    async def complete(self, call: ProviderCall[MessagesRequest]) -> ProviderAnswer:
        tokens = estimated_input_tokens(call.payload, self._count)
        return ProviderAnswer(msgspec.json.encode({"input_tokens": tokens}), call.model, TokenUsage(), asked=False)
