"""Anthropic's Messages API as the gateway reads it. Source: anthropic-python 2.11 types (November 2026).

Only what policy reads is modelled; blocks and tools stay raw JSON for whoever serves them.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from typing_extensions import override

from domain.inference import InferenceRequest, Json
from domain.media import media_tokens_of, text_of


class MessageParam(msgspec.Struct):
    """One turn; newer models take `system` turns in the middle."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Json]


class MessagesRequest(InferenceRequest, kw_only=True):
    """The body of `POST /v1/messages`, and without `max_tokens` of `/v1/messages/count_tokens`."""

    messages: Annotated[list[MessageParam], Meta(min_length=1)]
    max_tokens: Annotated[int, Meta(ge=0)] | None = None
    system: str | list[Json] | None = None
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    tools: list[Json] | None = None
    tool_choice: dict[str, Json] | None = None
    thinking: dict[str, Json] | None = None
    output_config: dict[str, Json] | None = None
    metadata: dict[str, Json] | None = None
    service_tier: str | None = None

    @property
    @override
    def streams(self) -> bool:
        return bool(self.stream)

    @property
    @override
    def media_tokens(self) -> int:
        blocks = (message.content for message in self.messages if not isinstance(message.content, str))
        return sum(media_tokens_of(block) for content in blocks for block in content)

    @property
    @override
    def output_limit(self) -> int | None:
        return self.max_tokens

    @property
    @override
    def least_output(self) -> int:
        budget = (self.thinking or {}).get("budget_tokens")
        text = bytes(budget) if budget is not None else b""
        return int(text) + 1 if text.isdigit() and len(text) < 10 else 1

    @property
    @override
    def turns(self) -> int:
        return len(self.messages)

    @override
    def prompt_texts(self) -> Iterator[str]:
        """Blocks and tools are taken with their JSON around them: close enough for an estimate."""
        if isinstance(self.system, str):
            yield self.system
        else:
            yield from (text_of(block) for block in self.system or ())
        for message in self.messages:
            if isinstance(message.content, str):
                yield message.content
            else:
                yield from (text_of(block) for block in message.content)
        yield from (text_of(tool) for tool in self.tools or ())


class TokenCountRequest(MessagesRequest, kw_only=True):
    """The body of `POST /v1/messages/count_tokens`. Nothing is generated and nothing read for a price: where its
    outcome is unknown, there is nothing to estimate either."""

    @property
    @override
    def streams(self) -> bool:
        return False

    @property
    @override
    def output_limit(self) -> int | None:
        return 0

    @property
    @override
    def turns(self) -> int:
        return 0

    @override
    def prompt_texts(self) -> Iterator[str]:
        yield from ()


class CacheCreation(msgspec.Struct):
    """Tokens written to a cache, by how long it keeps them."""

    ephemeral_5m_input_tokens: int = 0
    ephemeral_1h_input_tokens: int = 0


class MessageUsage(msgspec.Struct):
    """Usage as Anthropic counts it: `input_tokens` are those that came from no cache and went to none."""

    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    service_tier: str | None = None


class MessageAnswer(msgspec.Struct):
    """A plain answer. Content blocks are `text`, `thinking`, `tool_use` and what else the provider makes."""

    id: str
    model: str
    content: list[Json]
    usage: MessageUsage
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: dict[str, Json] | None = None
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"


class TokenCount(msgspec.Struct):
    """The answer of `POST /v1/messages/count_tokens`."""

    input_tokens: int
