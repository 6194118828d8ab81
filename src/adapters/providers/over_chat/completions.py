"""Serves OpenAI's legacy completions through an upstream's chat: prompts of an array run beside each other."""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from typing_extensions import override

from adapters.dialects.legacy.answer import CompletionChunks, Head, to_completion
from adapters.dialects.legacy.request import dropped_params, to_chats
from adapters.providers.detokenized import texts_of
from adapters.providers.over_chat.completion_stream import CompletionStream
from adapters.providers.over_chat.sums import summed
from adapters.wire.chat_answer import usage_json
from adapters.wire.sift import keep_strict, unsupported
from domain.chat import ChatRequest
from domain.completions import CompletionRequest
from domain.ports.providers import (
    ChatProvider,
    CompletionProvider,
    ProviderAnswer,
    ProviderCall,
    ProviderStream,
)
from domain.wire import Payload

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
