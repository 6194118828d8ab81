"""Anthropic's Messages API as the gateway reads it. Source: anthropic-python 2.11 types (November 2026).

Only what policy reads is modelled; blocks and tools stay raw JSON for whoever serves them.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from typing_extensions import override

from domain.inference import InferenceRequest, Json


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
    def turns(self) -> int:
        return len(self.messages)

    @override
    def prompt_texts(self) -> Iterator[str]:
        """Blocks and tools are taken with their JSON around them: close enough for an estimate."""
        if isinstance(self.system, str):
            yield self.system
        else:
            yield from (_text(block) for block in self.system or ())
        for message in self.messages:
            if isinstance(message.content, str):
                yield message.content
            else:
                yield from (_text(block) for block in message.content)
        yield from (_text(tool) for tool in self.tools or ())


def _text(raw: Json) -> str:
    return bytes(raw).decode(errors="replace")
