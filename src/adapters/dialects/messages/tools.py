"""Anthropic's tools as a chat's functions: which are on offer, and which must be used."""

from collections.abc import Iterable, Sequence

import msgspec

from adapters.dialects.messages.blocks import NOTHING, Block, is_told, read_blocks, wrong
from adapters.wire.undecodable import UNDECODABLE
from domain.inference import Json
from domain.messages import MessageParam

_NO_PARAMETERS = msgspec.Raw(b'{"type":"object","properties":{}}')


class _Tool(msgspec.Struct):
    name: str
    type: str | None = None  # `custom`, or the name of a tool that Anthropic runs
    description: str | None = None
    input_schema: Json = NOTHING
    strict: bool | None = None
    defer_loading: bool | None = None
    cache_control: Json = NOTHING

    @property
    def is_custom(self) -> bool:
        return self.type in (None, "custom")


class _Choice(msgspec.Struct):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


_decode_tool = msgspec.json.Decoder(_Tool).decode
_decode_choice = msgspec.json.Decoder(_Choice).decode
_encode = msgspec.json.Encoder().encode


def chat_tools(tools: Sequence[Json], turns: Sequence[MessageParam], lost: set[str]) -> list[dict[str, object]]:
    """The functions a chat may call. Tools that Anthropic itself runs are `lost`.

    A deferred tool is on offer once the conversation refers to it. Where a tool that Anthropic runs was to find
    the deferred ones, nobody can, and all of them are on offer. Raises `UpstreamFailure` for what is no tool.
    """
    known = [_tool(raw) for raw in tools]
    changes = list(_changes(turns))
    known += [_tool(block.tool.definition) for block in changes if block.tool and is_told(block.tool.definition)]
    served = [tool for tool in known if not tool.is_custom]
    if served:
        lost.add("tools")
    if any(is_told(tool.cache_control) for tool in known):
        lost.add("cache_control")
    offered = {tool.name: tool for tool in known if tool.is_custom}
    referred = _names(changes, "tool_addition") | _names(changes, "tool_reference")
    removed = _names(changes, "tool_removal")
    searched = any((tool.type or "").startswith("tool_search_tool") for tool in served)
    return [
        _function(tool)
        for tool in offered.values()
        if tool.name not in removed and (searched or not tool.defer_loading or tool.name in referred)
    ]


def chat_tool_choice(choice: dict[str, Json]) -> tuple[object, bool]:
    """A chat's `tool_choice`, and whether calls may come in parallel."""
    try:
        read = _decode_choice(_encode(choice))
    except UNDECODABLE as error:
        raise wrong(f"`tool_choice` cannot be read: {error}", "tool_choice") from None
    words: dict[str, object] = {"auto": "auto", "any": "required", "none": "none"}
    if read.type == "tool" and read.name:
        words["tool"] = {"type": "function", "function": {"name": read.name}}
    if read.type not in words:
        raise wrong(f"`tool_choice` has no type '{read.type}', or needs a name", "tool_choice")
    return words[read.type], not read.disable_parallel_tool_use


def _tool(raw: Json) -> _Tool:
    try:
        return _decode_tool(raw)
    except UNDECODABLE as error:
        raise wrong(f"A tool cannot be read: {error}", "tools") from None


def _function(tool: _Tool) -> dict[str, object]:
    function: dict[str, object] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.input_schema if is_told(tool.input_schema) else _NO_PARAMETERS
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _changes(turns: Sequence[MessageParam]) -> Iterable[Block]:
    """Blocks that add, remove or refer to tools, wherever they stand; results hold references one level down."""
    for turn in turns:
        if isinstance(turn.content, str) or not any(b"tool_" in bytes(raw) for raw in turn.content):
            continue
        for block in read_blocks(turn.content):
            if block.type in ("tool_addition", "tool_removal"):
                yield block
            elif block.type == "tool_result" and not isinstance(block.content, str):
                yield from (inner for inner in read_blocks(block.content) if inner.type == "tool_reference")


def _names(changes: Iterable[Block], kind: str) -> set[str]:
    found = (block.tool_name or (block.tool.name if block.tool else None) for block in changes if block.type == kind)
    return {name for name in found if name}
