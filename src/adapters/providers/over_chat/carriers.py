"""The carriers as capabilities, each made by the first call for it: a translation nobody asks for is not loaded."""

import time
from collections.abc import Callable
from functools import cache
from typing import Generic, Protocol, TypeVar

from typing_extensions import override

from domain.inference import InferenceRequest
from domain.ports.providers import (
    Answering,
    ChatProvider,
    CompletionProvider,
    MessagesProvider,
    ProviderAnswer,
    ProviderCall,
    ProviderStream,
    ResponsesProvider,
    Streaming,
    TokenCountProvider,
)

R = TypeVar("R", bound=InferenceRequest)

CountTokens = Callable[[str], int]
"""Estimates the tokens of a text."""


def completions_over_chat(chat: ChatProvider) -> CompletionProvider:
    """OpenAI's legacy completions."""

    def make() -> CompletionProvider:
        from adapters.providers.over_chat.completions import CompletionsOverChat

        return CompletionsOverChat(chat)

    return _Late(make)


def messages_over_chat(chat: ChatProvider, count_tokens: CountTokens) -> MessagesProvider:
    """Anthropic's Messages."""

    def make() -> MessagesProvider:
        from adapters.providers.over_chat.messages import MessagesOverChat

        return MessagesOverChat(chat, count_tokens)

    return _Late(make)


def responses_over_chat(chat: ChatProvider, now: Callable[[], float] = time.time) -> ResponsesProvider:
    """OpenAI's Responses. `now` gives Unix seconds."""

    def make() -> ResponsesProvider:
        from adapters.providers.over_chat.responses import ResponsesOverChat

        return ResponsesOverChat(chat, now)

    return _Late(make)


def estimated_token_counts(count_tokens: CountTokens) -> TokenCountProvider:
    """Anthropic's token counts; asks no chat."""

    def make() -> TokenCountProvider:
        from adapters.providers.over_chat.token_counts import EstimatedTokenCounts

        return EstimatedTokenCounts(count_tokens)

    return _LateAnswering(make)


class _Whole(Answering[R], Streaming[R], Protocol[R]):
    """Answers whole and as a stream."""


class _LateAnswering(Answering[R], Generic[R]):
    """What only answers whole, made by its first call."""

    def __init__(self, make: Callable[[], Answering[R]]) -> None:
        self._made_answering = cache(make)

    @override
    async def complete(self, call: ProviderCall[R]) -> ProviderAnswer:
        return await self._made_answering().complete(call)


class _Late(_LateAnswering[R], Streaming[R], Generic[R]):
    """What streams too."""

    def __init__(self, make: Callable[[], _Whole[R]]) -> None:
        self._made = cache(make)
        super().__init__(self._made)

    @override
    async def stream(self, call: ProviderCall[R]) -> ProviderStream:
        return await self._made().stream(call)
