"""Turns OpenAI's tools, tool choices, `response_format` and `web_search_options` into Anthropic's tools and formats.

Anthropic's own tools (`web_search_20250305`, …) pass as they are. A conversation with calls in it must define tools
again, even where none may be called any more.

The format of an answer is asked for by a grammar (models from 4.5 on take a closed schema), by a tool the model must
call, whose input is the answer (other models, and schemas that cannot be closed or are too large), or by a sentence.

Source: anthropic-python 2.11 and openai-python 3.52 types; platform.claude.com tool use, web search, structured outputs
(read 2026-11).
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from adapters.dialects.anthropic.conversation import Block, Cacheable, Raw, cached
from adapters.dialects.anthropic.errors import invalid
from adapters.dialects.anthropic.schemas import GrammarLimits, Schema, closed_schema
from adapters.dialects.anthropic.traits import Traits
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import unsupported
from adapters.wire.tool_schemas import input_schema
from domain.chat import ChatRequest

_OWN_TYPE = re.compile(r"_20\d{6}$")
_NO_TOOLS: Final = Raw(b"[]")


class _Function(Cacheable, kw_only=True):
    name: str
    description: str | None = None
    parameters: Schema | None = None
    strict: bool | None = None


class _Tool(Cacheable, kw_only=True):
    type: str = "function"
    function: _Function | None = None


class _Named(msgspec.Struct):
    name: str = ""


class _Allowed(msgspec.Struct):
    function: _Named | None = None


class _AllowedTools(msgspec.Struct):
    mode: str = "auto"
    tools: list[_Allowed] = []


class _Choice(msgspec.Struct):
    type: str
    function: _Named | None = None
    allowed_tools: _AllowedTools | None = None


_decode_tools = msgspec.json.Decoder(list[Raw]).decode
_decode_tool = msgspec.json.Decoder(_Tool).decode
_decode_fields = msgspec.json.Decoder(dict[str, Raw]).decode


class ToolUse(msgspec.Struct):
    """The tools on offer, and the choice among them as Anthropic writes it (None: it may choose)."""

    tools: list[Block] = []
    choice: dict[str, object] | None = None

    @property
    def forced(self) -> bool:
        """Whether the model must call a tool, which rules thinking out."""
        return self.choice is not None and self.choice["type"] in {"any", "tool"}


def tool_use(request: ChatRequest, raw_tools: Raw | None, called: Iterable[str], *, strict: bool) -> ToolUse:
    """`called` are the tools in the history; with `strict` the model takes strict tools. Raises `UNSUPPORTED`."""
    limits = GrammarLimits() if strict else GrammarLimits(0)
    made = ToolUse([_tool(raw, f"tools.{index}", limits) for index, raw in enumerate(_items(raw_tools))])
    if not made.tools:
        made.tools = [{"name": name, "input_schema": {"type": "object"}} for name in called]
        made.choice = {"type": "none"} if made.tools else None
        return made
    _choose(made, request)
    if request.parallel_tool_calls is False and (made.choice is None or made.choice["type"] != "none"):
        made.choice = {**(made.choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    return made


def _items(raw: Raw | None) -> list[Raw]:
    try:
        return _decode_tools(raw if raw is not None and raw != Raw(b"null") else _NO_TOOLS)
    except UNDECODABLE as error:
        raise invalid(f"Invalid 'tools': {error}.", "tools") from None


def _tool(raw: Raw, where: str, limits: GrammarLimits) -> Block:
    try:
        tool = _decode_tool(raw)
        if tool.function is None and _OWN_TYPE.search(tool.type):
            return {**_decode_fields(raw)}
    except UNDECODABLE as error:
        raise invalid(f"Invalid '{where}': {error}.", where) from None
    function = tool.function
    if tool.type != "function" or function is None:
        raise unsupported(where, f"Claude takes function tools, not '{tool.type}'")
    made: Block = {"name": function.name, "input_schema": input_schema(function.parameters)}
    if function.description:
        made["description"] = function.description
    closed = closed_schema(made["input_schema"]) if function.strict else None
    if closed is not None and limits.take(closed):
        made |= {"input_schema": closed, "strict": True}
    return cached(cached(made, function), tool)


def _choose(made: ToolUse, request: ChatRequest) -> None:
    given = request.tool_choice
    if given is None or given == "auto":
        return
    if isinstance(given, str):
        kinds = {"none": "none", "required": "any", "any": "any"}
        if given not in kinds:
            raise invalid(f"Invalid 'tool_choice': '{given}' is none of auto, none, required.", "tool_choice")
        made.choice = {"type": kinds[given]}
        return
    try:
        choice = msgspec.convert(_plain(given), _Choice)
    except UNDECODABLE as error:
        raise invalid(f"Invalid 'tool_choice': {error}.", "tool_choice") from None
    if choice.type == "function" and choice.function is not None:
        made.choice = {"type": "tool", "name": choice.function.name}
    elif choice.type == "allowed_tools" and choice.allowed_tools is not None:
        names = {tool.function.name for tool in choice.allowed_tools.tools if tool.function is not None}
        made.tools = [tool for tool in made.tools if tool["name"] in names]
        made.choice = {"type": "any"} if choice.allowed_tools.mode == "required" else None
    else:
        raise unsupported("tool_choice", f"Claude knows no choice of type '{choice.type}'")


def _plain(given: dict[str, Raw]) -> object:
    return msgspec.json.decode(msgspec.json.encode(given))


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
    if closed is not None and GrammarLimits().take(closed):
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


TOOL_TYPE: Final = "web_search_20250305"


class _ApproximateLocation(msgspec.Struct, omit_defaults=True):
    city: str | None = None
    country: str | None = None
    region: str | None = None
    timezone: str | None = None


class _Location(msgspec.Struct):
    approximate: _ApproximateLocation | None = None


class _Options(msgspec.Struct):
    user_location: _Location | None = None


_decode_options = msgspec.json.Decoder(_Options).decode


def web_search_tool(raw: Raw) -> Block:
    """Raises `CLIENT_FAULT` for options that are none."""
    try:
        options = _decode_options(raw)
    except UNDECODABLE as error:
        raise invalid(f"Invalid 'web_search_options': {error}.", "web_search_options") from None
    tool: Block = {"type": TOOL_TYPE, "name": "web_search"}
    if options.user_location is not None and options.user_location.approximate is not None:
        location: dict[str, object] = msgspec.to_builtins(options.user_location.approximate)
        tool["user_location"] = {"type": "approximate", **location}
    return tool
