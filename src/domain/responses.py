"""OpenAI's Responses as the gateway reads them. Source: openai-python 3.52 types (November 2026).

Only what policy reads is modelled; items, tools and formats stay raw JSON for whoever serves them.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from typing_extensions import override

from domain.inference import InferenceRequest, Json
from domain.media import media_tokens_of, text_of


class ResponsesRequest(InferenceRequest, kw_only=True):
    """The body of `POST /v1/responses`."""

    input: str | list[Json] | None = None
    instructions: str | None = None
    stream: bool | None = None
    stream_options: dict[str, Json] | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_tool_calls: int | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    tools: list[Json] | None = None
    tool_choice: str | dict[str, Json] | None = None
    parallel_tool_calls: bool | None = None
    text: dict[str, Json] | None = None
    reasoning: dict[str, Json] | None = None
    include: list[str] | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    conversation: str | dict[str, Json] | None = None
    background: bool | None = None
    truncation: str | None = None
    metadata: dict[str, Json] | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    user: str | None = None
    prompt: dict[str, Json] | None = None

    @property
    @override
    def streams(self) -> bool:
        return bool(self.stream)

    @property
    @override
    def media_tokens(self) -> int:
        return sum(media_tokens_of(item) for item in self.input or ()) if not isinstance(self.input, str) else 0

    @property
    @override
    def output_limit(self) -> int | None:
        return self.max_output_tokens

    @property
    @override
    def streamable(self) -> bool:
        """In the background its answer is there at once, and says only that it has begun."""
        return not self.background

    @property
    @override
    def outlives(self) -> bool:
        return bool(self.background)

    @property
    @override
    def turns(self) -> int:
        return len(self.input) if isinstance(self.input, list) else 1

    @override
    def prompt_texts(self) -> Iterator[str]:
        """Items are taken with their JSON around them: close enough for an estimate."""
        if self.instructions:
            yield self.instructions
        if isinstance(self.input, str):
            yield self.input
        else:
            yield from (text_of(item) for item in self.input or ())


class Response(msgspec.Struct):
    """A plain answer. What the request asked for is told back in further fields."""

    id: str
    created_at: float
    model: str
    output: list[dict[str, Json]]
    parallel_tool_calls: bool
    tool_choice: str | dict[str, Json]
    tools: list[dict[str, Json]]
    status: str | None = None
    object: Literal["response"] = "response"
    error: dict[str, Json] | None = None
    incomplete_details: dict[str, Json] | None = None
    previous_response_id: str | None = None
    usage: dict[str, Json] | None = None
