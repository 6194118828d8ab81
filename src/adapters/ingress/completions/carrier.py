"""Serves OpenAI's legacy completions through an upstream's chat: prompts of an array run beside each other."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import reduce
from typing import Any, Final, TypeVar

from typing_extensions import override

from adapters.ingress.completions.answer import CompletionChunks, Head, to_completion, usage_chunk
from adapters.ingress.completions.request import dropped_params, to_chats
from adapters.tokens.text_of_tokens import texts_of
from adapters.wire.chat_answer import usage_json
from adapters.wire.sift import keep_strict, unsupported
from adapters.wire.sse import EVENT_STREAM
from domain.chat import ChatRequest
from domain.completions import CompletionRequest
from domain.errors import UpstreamFailure
from domain.payload import Payload
from domain.ports.providers import (
    ChatProvider,
    CompletionProvider,
    ProviderAnswer,
    ProviderCall,
    ProviderStream,
)
from domain.usage import TokenUsage

MAX_PROMPTS: Final = 16
"""Of one request: each is a call of its own, made at the same time as the others."""

T = TypeVar("T")


class CompletionsOverChat(CompletionProvider):
    """Each prompt becomes one user message. `now` gives Unix seconds."""

    def __init__(self, chat: ChatProvider, now: Callable[[], float] = time.time) -> None:
        self._chat = chat
        self._now = now

    @override
    async def complete(self, call: ProviderCall[CompletionRequest]) -> ProviderAnswer:
        request = call.payload.value
        dropped, prompts = await _prepared(call)
        chats = to_chats(call.payload, prompts)
        answers = await _together([self._chat.complete(_chat_call(call, chat)) for chat in chats])
        usage = summed([answer.usage for answer in answers])
        body = to_completion(
            [answer.body for answer in answers],
            prompts if request.echo else [""] * len(prompts),
            request.n or 1,
            self._head(call),
            usage_json(usage) if usage is not None else None,
        )
        text = "" if usage is not None else "\n".join(answer.output_text for answer in answers)
        lost = _all(dropped, [answer.dropped_params for answer in answers])
        return ProviderAnswer(body, answers[0].model, usage, answers[-1].limits, lost, text)

    @override
    async def stream(self, call: ProviderCall[CompletionRequest]) -> ProviderStream:
        request = call.payload.value
        dropped, prompts = await _prepared(call)
        chats = to_chats(call.payload, prompts)
        streams = await _together([self._chat.stream(_chat_call(call, chat)) for chat in chats])
        head = self._head(call)
        chunks = [
            CompletionChunks(
                place, prompt if request.echo else "", request.n or 1, head, include_usage=call.include_usage
            )
            for place, prompt in enumerate(prompts)
        ]
        lost = _all(dropped, [stream.dropped_params for stream in streams])
        return CompletionStream(streams, chunks, head, lost, include_usage=call.include_usage)

    def _head(self, call: ProviderCall[CompletionRequest]) -> Head:
        return Head(f"cmpl-{secrets.token_hex(12)}", int(self._now()), call.model)


async def _prepared(call: ProviderCall[CompletionRequest]) -> tuple[tuple[str, ...], list[str]]:
    """What is dropped, and the prompts as texts. Raises `UNSUPPORTED`."""
    dropped = keep_strict(dropped_params(call.payload), strict=call.strict)
    parts = call.payload.value.prompts()
    if len(parts) > MAX_PROMPTS:
        raise unsupported("prompt", f"it has chat alone, which carries up to {MAX_PROMPTS} prompts of one request")
    return dropped, await texts_of(parts, "prompt")


def _chat_call(call: ProviderCall[CompletionRequest], chat: Payload[ChatRequest]) -> ProviderCall[ChatRequest]:
    return ProviderCall(chat, call.model, call.key, False, call.progress, call.strict, call.client_headers)


def _all(dropped: tuple[str, ...], by_chat: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({*dropped, *(name for names in by_chat for name in names)}))


async def _together(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Every result in its place. The first failure, or a cancellation, gives the others up and is raised."""
    if len(calls) == 1:
        return [await calls[0]]
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.shield(_given_up(tasks))
        raise


async def _given_up(tasks: Sequence[asyncio.Task[T]]) -> None:
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, ProviderStream):
            await outcome.aclose()


_Arrival = tuple[int, bytes | UpstreamFailure | None]


class CompletionStream(ProviderStream):
    """Owns its chats' streams. The first that fails is the failure of all."""

    def __init__(
        self,
        chats: Sequence[ProviderStream],
        chunks: Sequence[CompletionChunks],
        head: Head,
        dropped_params: tuple[str, ...],
        *,
        include_usage: bool,
    ) -> None:
        self.content_type = EVENT_STREAM
        self.limits = chats[-1].limits
        self.dropped_params = dropped_params
        self.ending = b"data: [DONE]\n\n"
        self._chats = chats
        self._chunks = chunks
        self._head = head
        self._include_usage = include_usage
        self._arrivals: asyncio.Queue[_Arrival] = asyncio.Queue(maxsize=len(chats))
        self._readers: list[asyncio.Task[None]] = []
        self._note()

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            if len(self._chats) == 1:
                async for block in self._chats[0]:
                    chunks = self._chunks[0].feed(block)
                    self._note()
                    if chunks:
                        yield chunks
            else:
                async for chunks in self._interleaved():
                    yield chunks
        finally:
            self._note()  # what was counted before it broke
        if self._include_usage and self.usage is not None:
            yield usage_chunk(self._head, self.model, usage_json(self.usage))

    @override
    def output_text(self) -> str:
        return "\n".join(chat.output_text() for chat in self._chats)

    @override
    async def aclose(self) -> None:
        for reader in self._readers:
            reader.cancel()
        await asyncio.shield(self._closed())

    async def _interleaved(self) -> AsyncIterator[bytes]:
        self._readers = [asyncio.ensure_future(self._read(place)) for place in range(len(self._chats))]
        open_chats = len(self._chats)
        while open_chats:
            place, arrival = await self._arrivals.get()
            self._note()
            if isinstance(arrival, UpstreamFailure):
                raise arrival
            if arrival is None:
                open_chats -= 1
            elif chunks := self._chunks[place].feed(arrival):
                yield chunks

    async def _read(self, place: int) -> None:
        try:
            async for block in self._chats[place]:
                await self._arrivals.put((place, block))
        except UpstreamFailure as failure:
            await self._arrivals.put((place, failure))
        else:
            await self._arrivals.put((place, None))

    async def _closed(self) -> None:
        await asyncio.gather(*self._readers, return_exceptions=True)
        for chat in self._chats:
            await chat.aclose()

    def _note(self) -> None:
        self.model = self._chats[0].model
        self.usage: TokenUsage | None = summed([chat.usage for chat in self._chats])
        self.has_content = any(chat.has_content for chat in self._chats)
        self.output_bytes = sum(chat.output_bytes for chat in self._chats)


def summed(usages: Sequence[TokenUsage | None]) -> TokenUsage | None:
    """None where any of them is unknown: half of a count is none."""
    known = [usage for usage in usages if usage is not None]
    return reduce(TokenUsage.plus, known) if len(known) == len(usages) else None
