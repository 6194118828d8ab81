"""What chat says, read as far as a response tells it: the deltas of chunks, and whole messages, which are one delta.

Chat's answers reach this point mended, whoever gave them: roles, indexes and ids are there, arguments are text.
"""

from typing import Any

import msgspec


class FunctionDelta(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class CallDelta(msgspec.Struct):
    """A fragment of a tool call; a whole message's calls have no index but their place."""

    index: int | None = None
    id: str | None = None
    function: FunctionDelta | None = None
    extra_content: Any = None


class Delta(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    thinking_blocks: Any = None
    tool_calls: list[CallDelta] | None = None
    annotations: Any = None

    def thought(self) -> str:
        """Some providers say the same under both names."""
        for value in (self.reasoning_content, self.reasoning):
            if isinstance(value, str) and value:
                return value
        return ""


class Logprobs(msgspec.Struct):
    content: list[Any] | None = None


class ChunkChoice(msgspec.Struct):
    index: int = 0
    delta: Delta | None = None
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class Chunk(msgspec.Struct):
    choices: list[ChunkChoice] = []
    model: str | None = None
    service_tier: str | None = None


class WholeChoice(msgspec.Struct):
    message: Delta
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class Completion(msgspec.Struct):
    choices: list[WholeChoice]
    model: str | None = None
    service_tier: str | None = None
