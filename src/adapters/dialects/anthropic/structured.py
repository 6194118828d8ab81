"""Carries OpenAI's `response_format` over: by a grammar, by a tool the model must call, or by a sentence.

Source: platform.claude.com structured outputs (read 2026-11): models from 4.5 on take a closed schema. Others,
and schemas that cannot be closed or are too large, get a tool whose input is the answer.
"""

from typing import Final

import msgspec

from adapters.dialects.anthropic.content import Block
from adapters.dialects.anthropic.schemas import Schema, closed_schema, input_schema
from adapters.dialects.anthropic.strict_room import StrictRoom
from adapters.dialects.anthropic.tools import ToolUse
from adapters.dialects.anthropic.traits import Traits
from adapters.wire.sift import unsupported
from domain.chat import ChatRequest

ANSWER_TOOL: Final = "answer_in_json"

JSON_ONLY: Final = "Answer with one JSON object and nothing else: no prose around it, no code fence."


class Format(msgspec.Struct, frozen=True):
    """How the wanted format is asked for: at most one of the three."""

    schema: Schema | None = None  # output_config.format
    tool: Block | None = None  # its input becomes the content
    instruction: str = ""


def wanted_format(request: ChatRequest, traits: Traits) -> Format:
    """Raises `UNSUPPORTED` for formats other than OpenAI's three."""
    wanted = request.response_format
    if wanted is None or wanted.type == "text":
        return Format()
    if wanted.type == "json_object":
        return Format(instruction=JSON_ONLY)
    if wanted.type != "json_schema" or wanted.json_schema is None:
        raise unsupported("response_format", f"Claude knows no format '{wanted.type}'")
    schema: Schema = msgspec.json.decode(msgspec.json.encode(wanted.json_schema.schema or {}))
    closed = closed_schema(schema) if traits.structured else None
    if closed is not None and StrictRoom().takes(closed):
        return Format(schema=closed)
    about = wanted.json_schema.description or f"Gives the answer: {wanted.json_schema.name}."
    return Format(tool={"name": ANSWER_TOOL, "description": about, "input_schema": input_schema(schema)})


def answers_by_tool(request: ChatRequest, traits: Traits) -> bool:
    """Whether a call of `ANSWER_TOOL` in the answer is the answer itself."""
    return request.response_format is not None and wanted_format(request, traits).tool is not None


def with_answer_tool(use: ToolUse, tool: Block) -> ToolUse:
    """The client's tools and the one for the answer. A tool the client insists on comes before the format."""
    if use.choice is not None and use.choice["type"] == "tool":
        return use
    allowed = bool(use.tools) and (use.choice is None or use.choice["type"] != "none")
    choice: dict[str, object] = {"type": "any"} if allowed else {"type": "tool", "name": ANSWER_TOOL}
    if not allowed or (use.choice or {}).get("disable_parallel_tool_use"):
        choice["disable_parallel_tool_use"] = True
    return ToolUse([*use.tools, tool], choice)
