"""The carriers as capabilities, each made by the first call for it: a translation nobody asks for is not loaded."""

import time
from collections.abc import Callable

import msgspec
from typing_extensions import override

from adapters.wire.chosen import late, late_answering
from domain.fidelity import Fidelity
from domain.ports.providers import (
    Capabilities,
    ChatProvider,
    CompletionProvider,
    ContentCountProvider,
    ContentEmbeddingProvider,
    ContentProvider,
    EmbeddingProvider,
    ImageProvider,
    MessagesProvider,
    PictureCarrier,
    ResponseCountProvider,
    ResponsesProvider,
    TokenCountProvider,
)

CountTokens = Callable[[str], int]
"""Estimates the tokens of a text."""


def completions_over_chat(chat: ChatProvider) -> CompletionProvider:
    """OpenAI's legacy completions."""

    def make() -> CompletionProvider:
        from adapters.ingress.completions.carrier import CompletionsOverChat

        return CompletionsOverChat(chat)

    return late(make)


def messages_over_chat(chat: ChatProvider, count_tokens: CountTokens) -> MessagesProvider:
    """Anthropic's Messages."""

    def make() -> MessagesProvider:
        from adapters.ingress.messages.carrier import MessagesOverChat

        return MessagesOverChat(chat, count_tokens)

    return late(make)


def responses_over_chat(chat: ChatProvider, now: Callable[[], float] = time.time) -> ResponsesProvider:
    """OpenAI's Responses. `now` gives Unix seconds."""

    def make() -> ResponsesProvider:
        from adapters.ingress.responses.carrier import ResponsesOverChat

        return ResponsesOverChat(chat, now)

    return late(make)


def estimated_token_counts(count_tokens: CountTokens) -> TokenCountProvider:
    """Anthropic's token counts; asks no chat."""

    def make() -> TokenCountProvider:
        from adapters.ingress.messages.carrier import EstimatedTokenCounts

        return EstimatedTokenCounts(count_tokens)

    return late_answering(make)


def estimated_response_counts(count_tokens: CountTokens) -> ResponseCountProvider:
    """OpenAI's token counts for Responses; asks no chat."""

    def make() -> ResponseCountProvider:
        from adapters.ingress.responses.carrier import EstimatedResponseCounts

        return EstimatedResponseCounts(count_tokens)

    return late_answering(make)


def content_over_chat(chat: ChatProvider, count_tokens: CountTokens) -> ContentProvider:
    """Google's `generateContent`."""

    def make() -> ContentProvider:
        from adapters.ingress.gemini.carrier import ContentOverChat

        return ContentOverChat(chat, count_tokens)

    return late(make)


def estimated_content_counts(count_tokens: CountTokens) -> ContentCountProvider:
    """Google's `countTokens`; asks no chat."""

    def make() -> ContentCountProvider:
        from adapters.ingress.gemini.carrier import EstimatedContentCounts

        return EstimatedContentCounts(count_tokens)

    return late_answering(make)


def content_over_embeddings(embeddings: EmbeddingProvider) -> ContentEmbeddingProvider:
    """Google's `embedContent`, one or a batch."""

    def make() -> ContentEmbeddingProvider:
        from adapters.ingress.gemini.carrier import ContentOverEmbeddings

        return ContentOverEmbeddings(embeddings)

    return late_answering(make)


class PicturesAsChats(PictureCarrier):
    """Chats that ask for a picture, over an upstream's images."""

    @override
    def over(self, images: ImageProvider) -> ChatProvider:
        def make() -> ChatProvider:
            from adapters.ingress.pictures.carrier import ChatOverImages

            return ChatOverImages(images)

        return late(make)


def with_over_chat(own: Capabilities, count_tokens: CountTokens) -> Capabilities:
    """The upstream's own capabilities, and for the missing ones of text a carrier over its chat or its embeddings."""
    carriers = _carriers(own.chat, count_tokens) if own.chat is not None else {}
    if own.embeddings is not None:
        carriers["content_embeddings"] = content_over_embeddings(own.embeddings)
    missing = {name: carrier for name, carrier in carriers.items() if getattr(own, name) is None}
    return msgspec.structs.replace(own, **missing) if missing else own


def with_over_chat_fidelity(own: dict[str, Fidelity]) -> dict[str, Fidelity]:
    """The upstream's own parameter tables, and those of the endpoints carried over its chat and its embeddings."""
    carried = over_chat_fidelity() if "chat.completions" in own else {}
    if "embeddings" in own:
        carried |= over_embeddings_fidelity()
    return own | carried | own


def over_chat_fidelity() -> dict[str, Fidelity]:
    """The tables of what is carried over chat, by endpoint: a line each."""
    from adapters.ingress.completions.params import COMPLETIONS_OVER_CHAT
    from adapters.ingress.gemini.params import CONTENT_COUNTS, CONTENT_OVER_CHAT
    from adapters.ingress.messages.params import MESSAGE_COUNTS, MESSAGES_OVER_CHAT
    from adapters.ingress.responses.params import RESPONSE_COUNTS, RESPONSES_OVER_CHAT

    return {
        "completions": COMPLETIONS_OVER_CHAT,
        "messages": MESSAGES_OVER_CHAT,
        "messages.count_tokens": MESSAGE_COUNTS,
        "responses": RESPONSES_OVER_CHAT,
        "responses.input_tokens": RESPONSE_COUNTS,
        "models.generate_content": CONTENT_OVER_CHAT,
        "models.count_tokens": CONTENT_COUNTS,
    }


def over_embeddings_fidelity() -> dict[str, Fidelity]:
    """The table of what is carried over embeddings."""
    from adapters.ingress.gemini.params import CONTENT_OVER_EMBEDDINGS

    return {"models.embed_content": CONTENT_OVER_EMBEDDINGS}


def _carriers(chat: ChatProvider, count_tokens: CountTokens) -> dict[str, object]:
    """By capability: a line each."""
    return {
        "completions": completions_over_chat(chat),
        "messages": messages_over_chat(chat, count_tokens),
        "token_counts": estimated_token_counts(count_tokens),
        "responses": responses_over_chat(chat),
        "response_counts": estimated_response_counts(count_tokens),
        "contents": content_over_chat(chat, count_tokens),
        "content_counts": estimated_content_counts(count_tokens),
    }
