"""Offers tools to Converse, and makes one of a wanted JSON schema where a model has no other way.

Rules: `toolConfig` must be there whenever the history has tool blocks; there is no choice `none`; a model that
thinks takes no forced choice. Source: botocore 1.44.5 service model, Amazon Bedrock user guide (read 2026-11).
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.dialects.bedrock.conversation import Block, cache_point
from adapters.dialects.bedrock.families import Family
from adapters.wire.call import DialectCall
from adapters.wire.chat_history import HistoryMessage, OfferedTool, offered_tools
from adapters.wire.sift import unsupported
from adapters.wire.tool_schemas import input_schema, is_plain_object
from domain.chat import ChatRequest, JsonSchemaFormat

JSON_TOOL: Final = "json_answer"
"""The tool that stands for a JSON schema: calling it is answering."""

NO_TOOLS_NOW: Final = "Answer without calling a tool."

_NO_PARAMETERS: Final = msgspec.Raw(b'{"type":"object","properties":{}}')

_encode = msgspec.json.Encoder().encode


class ToolConfig(msgspec.Struct):
    """What to send. `instruction` is to be said to the model; `lost` are parameters that could not be carried over."""

    body: dict[str, object] | None = None
    instruction: str = ""
    lost: tuple[str, ...] = ()


def wanted_schema(request: ChatRequest) -> JsonSchemaFormat | None:
    """The JSON schema the answer is to have."""
    wanted = request.response_format
    return wanted.json_schema if wanted is not None and wanted.type == "json_schema" else None


def answers_by_tool(call: DialectCall[ChatRequest], family: Family) -> bool:
    """Whether calls of `JSON_TOOL` are the answer's text."""
    wanted = wanted_schema(call.payload.value)
    return wanted is not None and wanted.schema is not None and not family.structured


def tool_config(
    call: DialectCall[ChatRequest], family: Family, messages: Sequence[HistoryMessage], *, thinking: bool
) -> ToolConfig:
    """The tools and the choice among them. Raises `UNSUPPORTED` for tools that are no functions."""
    request = call.payload.value
    tools = [block for tool in offered_tools(call.payload) for block in _tool(tool, family)]
    history_has_tools = any(message.tool_calls or message.role == "tool" for message in messages)
    if request.tool_choice == "none":
        if not history_has_tools:
            return ToolConfig(_answer_tool(call, family, thinking=thinking))
        tools = tools or _tools_of(messages)
        return ToolConfig({"tools": tools}, NO_TOOLS_NOW, ("tool_choice",))
    if not tools and history_has_tools:
        tools = _tools_of(messages)
    answer = _answer_tool(call, family, thinking=thinking)
    if answer is not None:
        choice: dict[str, object] | None = {"any": {}} if "toolChoice" in answer else None
        if not tools:
            return ToolConfig(answer)
        tools.append(_json_tool(call))
        return _chosen({"tools": tools, **({"toolChoice": choice} if choice else {})}, call, family, thinking=thinking)
    return _chosen({"tools": tools}, call, family, thinking=thinking) if tools else ToolConfig()


def _chosen(body: dict[str, object], call: DialectCall[ChatRequest], family: Family, *, thinking: bool) -> ToolConfig:
    wanted = call.payload.value.tool_choice
    if wanted is None or not call.payload.value.tools:
        return ToolConfig(body)
    if wanted == "auto":
        body.setdefault("toolChoice", {"auto": {}})
        return ToolConfig(body)
    if thinking or not family.forced_tools:
        return ToolConfig(body, lost=("tool_choice",))
    if wanted == "required":
        body["toolChoice"] = {"any": {}}
        return ToolConfig(body)
    body["toolChoice"] = {"tool": {"name": _chosen_name(wanted)}}
    return ToolConfig(body)


def _chosen_name(choice: object) -> str:
    """Of `{"type": "function", "function": {"name": …}}`. Raises `UNSUPPORTED` for any other choice."""
    decoded = msgspec.json.decode(_encode(choice))
    function = decoded.get("function") if isinstance(decoded, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str):
        raise unsupported("tool_choice", "it can be none, auto, required or one function")
    return name


def _tool(tool: OfferedTool, family: Family) -> list[Block]:
    if tool.type != "function" or tool.function is None:
        raise unsupported("tools", f"a tool of type '{tool.type}' is not a function")
    function = tool.function
    spec: dict[str, object] = {"name": function.name}
    if function.description and function.description.strip():
        spec["description"] = function.description
    spec["inputSchema"] = {"json": _schema(function.parameters)}
    if function.strict and family.structured:
        spec["strict"] = True
    mark = tool.cache_control or function.cache_control
    return [{"toolSpec": spec}, *([cache_point(mark)] if mark is not None else [])]


def _schema(parameters: dict[str, msgspec.Raw] | None) -> object:
    if not parameters:
        return _NO_PARAMETERS
    return parameters if is_plain_object(parameters) else input_schema(msgspec.json.decode(_encode(parameters)))


def _tools_of(messages: Sequence[HistoryMessage]) -> list[Block]:
    """Stand-ins for the tools the history speaks of, where the client sent none."""
    names = {call.name: None for message in messages for call in message.tool_calls or () if call.name}
    specs = [{"name": name, "inputSchema": {"json": _NO_PARAMETERS}} for name in names or {"unknown": None}]
    return [{"toolSpec": spec} for spec in specs]


def _answer_tool(call: DialectCall[ChatRequest], family: Family, *, thinking: bool) -> dict[str, object] | None:
    if not answers_by_tool(call, family):
        return None
    body: dict[str, object] = {"tools": [_json_tool(call)]}
    if family.forced_tools and not thinking:
        body["toolChoice"] = {"tool": {"name": JSON_TOOL}}
    return body


def _json_tool(call: DialectCall[ChatRequest]) -> Block:
    wanted = wanted_schema(call.payload.value)
    described = (wanted.description if wanted else None) or "Give the answer by calling this tool, once."
    schema = _schema(wanted.schema if wanted else None)
    return {"toolSpec": {"name": JSON_TOOL, "description": described, "inputSchema": {"json": schema}}}
