"""Google's API where an upstream has another: asked as a chat, or for embeddings, and answered as Google would."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec
from typing_extensions import override

from adapters.ingress.gemini.answer import as_generated
from adapters.ingress.gemini.embeddings import as_embedded, as_embeddings
from adapters.ingress.gemini.params import content_name
from adapters.ingress.gemini.request import ChatForm, as_chat, estimated_input_tokens, shows_thoughts
from adapters.ingress.gemini.stream import ContentChunks
from adapters.ingress.translated_stream import TranslatedStream
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.generate_content import EmbedContentRequest, GenerateContentRequest
from domain.inference import InferenceRequest
from domain.ports.providers import (
    ChatProvider,
    ContentCountProvider,
    ContentEmbeddingProvider,
    ContentProvider,
    EmbeddingProvider,
    ProviderAnswer,
    ProviderCall,
    ProviderStream,
)
from domain.usage import TokenUsage

R = TypeVar("R", bound=InferenceRequest)
CountTokens = Callable[[str], int]

_ASIDE_BYTES: Final = 256 * 1024


class ContentOverChat(ContentProvider):
    """Carries `generateContent` over `chat`. `count` estimates the usage a client is told where there is none."""

    def __init__(self, chat: ChatProvider, count: CountTokens) -> None:
        self._chat = chat
        self._count = count

    @override
    async def complete(self, call: ProviderCall[GenerateContentRequest]) -> ProviderAnswer:
        form = await _as_chat(call, stream=False)
        try:
            answer = await self._chat.complete(_chat_call(call, form))
        except UpstreamFailure as failure:
            raise _in_its_words(failure) from failure
        usage = answer.usage or self._estimate(call, answer.output_text)
        return ProviderAnswer(
            as_generated(answer.body, answer.model, usage, thoughts=shows_thoughts(call.payload.value)),
            answer.model,
            answer.usage,
            answer.limits,
            _dropped(form.dropped, answer.dropped_params),
            answer.output_text,
        )

    @override
    async def stream(self, call: ProviderCall[GenerateContentRequest]) -> ProviderStream:
        form = await _as_chat(call, stream=True)
        try:
            chat = await self._chat.stream(_chat_call(call, form))
        except UpstreamFailure as failure:
            raise _in_its_words(failure) from failure
        chunks = ContentChunks(call.model, thoughts=shows_thoughts(call.payload.value))
        dropped = _dropped(form.dropped, chat.dropped_params)
        return _ContentStream(chat, chunks, dropped, lambda text: self._estimate(call, text))

    def _estimate(self, call: ProviderCall[GenerateContentRequest], output_text: str) -> TokenUsage:
        return TokenUsage(estimated_input_tokens(call.payload, self._count), self._count(output_text))


class _ContentStream(TranslatedStream):
    """A chat's stream as Google's. What closes it is its last event, which says why it ended."""

    def __init__(
        self,
        chat: ProviderStream,
        chunks: ContentChunks,
        dropped: tuple[str, ...],
        estimate: Callable[[str], TokenUsage],
    ) -> None:
        super().__init__(chat, dropped)
        self._chunks = chunks
        self._estimate = estimate

    @override
    def _feed(self, chunks: bytes) -> bytes:
        return self._chunks.feed(chunks)

    @override
    def _finish(self) -> bytes:
        self.ending = self._chunks.ending(self.usage or self._estimate(self.output_text()))
        return self._chunks.rest()


async def _as_chat(call: ProviderCall[GenerateContentRequest], *, stream: bool) -> ChatForm:
    """Large bodies, which are pictures mostly, are translated in a thread, so that the loop goes on."""
    if call.payload.size_bytes <= _ASIDE_BYTES:
        return as_chat(call.payload, call.model, stream=stream, strict=call.strict)
    return await asyncio.to_thread(as_chat, call.payload, call.model, stream=stream, strict=call.strict)


def _chat_call(call: ProviderCall[GenerateContentRequest], form: ChatForm) -> ProviderCall[ChatRequest]:
    return ProviderCall(
        payload=form.payload,
        model=call.model,
        key=call.key,
        include_usage=True,
        progress=call.progress,
        strict=call.strict,
        client_headers=call.client_headers,
        carried_from="models.generate_content",
    )


def _dropped(by_form: tuple[str, ...], by_upstream: tuple[str, ...]) -> tuple[str, ...]:
    """What was lost on either step, in the client's own words."""
    names = (content_name(name) for name in by_upstream)
    return tuple(sorted({*by_form, *(name for name in names if name is not None)}))


def _in_its_words(failure: UpstreamFailure) -> UpstreamFailure:
    """A parameter the upstream cannot carry, named as the client named it."""
    if failure.kind is not FailureKind.UNSUPPORTED or failure.param is None:
        return failure
    name = content_name(failure.param) or failure.param
    return UpstreamFailure(
        failure.kind,
        failure.message.replace(f"'{failure.param}'", f"'{name}'"),
        status=failure.status,
        type_=failure.type,
        code=failure.code,
        param=name,
    )


class EstimatedContentCounts(ContentCountProvider):
    """Counts with `count` instead of asking. Nothing goes upstream, so nothing is booked."""

    def __init__(self, count: CountTokens) -> None:
        self._count = count

    @override
    async def complete(self, call: ProviderCall[GenerateContentRequest]) -> ProviderAnswer:
        tokens = estimated_input_tokens(call.payload, self._count)
        return ProviderAnswer(msgspec.json.encode({"totalTokens": tokens}), call.model, TokenUsage(), asked=False)


class ContentOverEmbeddings(ContentEmbeddingProvider):
    """Carries `embedContent` and `batchEmbedContents` over `embeddings`."""

    def __init__(self, embeddings: EmbeddingProvider) -> None:
        self._embeddings = embeddings

    @override
    async def complete(self, call: ProviderCall[EmbedContentRequest]) -> ProviderAnswer:
        form = as_embeddings(call.payload, call.model, strict=call.strict)
        asked = ProviderCall(
            payload=form.payload,
            model=call.model,
            key=call.key,
            include_usage=False,
            progress=call.progress,
            strict=call.strict,
            client_headers=call.client_headers,
        )
        try:
            answer = await self._embeddings.complete(asked)
        except UpstreamFailure as failure:
            raise _in_its_words(failure) from failure
        return msgspec.structs.replace(
            answer,
            body=as_embedded(answer.body, batch=call.payload.value.requests is not None),
            dropped_params=_dropped(form.dropped, answer.dropped_params),
        )
