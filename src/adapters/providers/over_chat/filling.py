"""Fills in what an upstream lacks from what it has: chat can carry other APIs of text."""

import msgspec

from adapters.providers.over_chat.carriers import (
    CountTokens,
    completions_over_chat,
    estimated_token_counts,
    messages_over_chat,
    responses_over_chat,
)
from domain.fidelity import Fidelity
from domain.ports.providers import Capabilities, ChatProvider


def with_over_chat(own: Capabilities, count_tokens: CountTokens) -> Capabilities:
    """The upstream's own capabilities, and for the missing ones of text a carrier over its chat."""
    if own.chat is None:
        return own
    carriers = _carriers(own.chat, count_tokens)
    missing = {name: carrier for name, carrier in carriers.items() if getattr(own, name) is None}
    return msgspec.structs.replace(own, **missing)


def with_over_chat_fidelity(own: dict[str, Fidelity]) -> dict[str, Fidelity]:
    """The upstream's own parameter tables, and those of the endpoints carried over its chat."""
    return own | over_chat_fidelity() | own if "chat.completions" in own else own


def over_chat_fidelity() -> dict[str, Fidelity]:
    """The tables of what is carried over chat, by endpoint: a line each."""
    from adapters.dialects.legacy.params import COMPLETIONS_OVER_CHAT
    from adapters.dialects.messages.params import MESSAGE_COUNTS, MESSAGES_OVER_CHAT
    from adapters.dialects.responses.params import RESPONSES_OVER_CHAT

    return {
        "completions": COMPLETIONS_OVER_CHAT,
        "messages": MESSAGES_OVER_CHAT,
        "messages.count_tokens": MESSAGE_COUNTS,
        "responses": RESPONSES_OVER_CHAT,
    }


def _carriers(chat: ChatProvider, count_tokens: CountTokens) -> dict[str, object]:
    """By capability: a line each."""
    return {
        "completions": completions_over_chat(chat),
        "messages": messages_over_chat(chat, count_tokens),
        "token_counts": estimated_token_counts(count_tokens),
        "responses": responses_over_chat(chat),
    }
