"""Turns OpenAI's tools and tool choices into Anthropic's.

Source: anthropic-python 2.11 types, platform.claude.com tool use (read 2026-11). Anthropic's own tools
(`web_search_20250305`, …) pass as they are. A conversation with calls in it must define tools again, even
where none may be called any more.
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from adapters.dialects.anthropic.content import Block, cached
from adapters.dialects.anthropic.errors import invalid
from adapters.dialects.anthropic.history import Cacheable, Raw
from adapters.dialects.anthropic.schemas import Schema, closed_schema, input_schema
from adapters.dialects.anthropic.strict_room import StrictRoom
from adapters.wire.sift import unsupported
from adapters.wire.undecodable import UNDECODABLE
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
    room = StrictRoom() if strict else StrictRoom(0)
    made = ToolUse([_tool(raw, f"tools.{place}", room) for place, raw in enumerate(_items(raw_tools))])
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


def _tool(raw: Raw, where: str, room: StrictRoom) -> Block:
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
    if closed is not None and room.takes(closed):
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
