"""Google's function declarations as a chat's tools, and its schemas, a subset of OpenAPI's, as JSON Schema.

    {"type": "STRING", "nullable": true, "maxLength": "9"}  ->  {"type": ["string", "null"], "maxLength": 9}

Source: google-genai 3.6 `types.Schema`; ai.google.dev function calling (read 2026-11).
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import invalid
from domain.inference import Json

_NOTHING: Final = msgspec.Raw(b"null")
_NO_PARAMETERS: Final[dict[str, object]] = {"type": "object", "properties": {}}
_COUNTS: Final = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_NOT_JSON_SCHEMA: Final = frozenset({"nullable", "propertyOrdering", "example"})
_SCHEMAS: Final = frozenset({"properties", "$defs", "defs"})


class _Declaration(msgspec.Struct, rename="camel"):
    name: str
    description: str | None = None
    parameters: dict[str, Json] | None = None
    parameters_json_schema: Json = _NOTHING


class _CallingConfig(msgspec.Struct, rename="camel"):
    mode: str | None = None
    allowed_function_names: list[str] | None = None


class _ToolConfig(msgspec.Struct, rename="camel"):
    function_calling_config: _CallingConfig | None = None


_decode_tool = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_declarations = msgspec.json.Decoder(list[_Declaration]).decode
_encode = msgspec.json.Encoder().encode


def chat_tools(tools: Sequence[Json], lost: set[str]) -> list[dict[str, Any]]:
    """The functions a chat may call. Tools that Google itself runs are `lost`. Raises `UpstreamFailure`."""
    found: list[dict[str, Any]] = []
    for raw in tools:
        try:
            for kind, value in _decode_tool(raw).items():
                if kind == "functionDeclarations":
                    found += [_function(each) for each in _decode_declarations(value)]
                elif bytes(value) != b"null":
                    lost.add(f"tools.{kind}")
        except UNDECODABLE as error:
            raise invalid(f"A tool cannot be read: {error}.", "tools") from None
    return found


def chat_choice(
    config: dict[str, Json] | None, tools: list[dict[str, Any]]
) -> tuple[object | None, list[dict[str, Any]]]:
    """The `tool_choice`, None for the upstream's own, and the tools that may be called.

    A chat cannot name several: then the others are not on offer. Raises `UpstreamFailure` (the client's fault).
    """
    try:
        read = msgspec.json.decode(_encode(config or {}), type=_ToolConfig).function_calling_config
    except UNDECODABLE as error:
        raise invalid(f"`toolConfig` cannot be read: {error}.", "toolConfig") from None
    if read is None:
        return None, tools
    mode = (read.mode or "AUTO").upper().removeprefix("MODE_UNSPECIFIED")
    if mode == "NONE":
        return "none", tools
    allowed = read.allowed_function_names or []
    if allowed:
        tools = [tool for tool in tools if tool["function"]["name"] in allowed]
    if mode != "ANY":
        return ("auto" if read.mode else None), tools
    if len(tools) == 1 and allowed:
        return {"type": "function", "function": {"name": tools[0]["function"]["name"]}}, tools
    return "required", tools


def _function(declared: _Declaration) -> dict[str, Any]:
    function: dict[str, Any] = {"name": declared.name}
    if declared.description:
        function["description"] = declared.description
    if bytes(declared.parameters_json_schema) != b"null":
        function["parameters"] = declared.parameters_json_schema
    elif declared.parameters is not None:
        function["parameters"] = json_schema(declared.parameters)
    else:
        function["parameters"] = _NO_PARAMETERS
    return {"type": "function", "function": function}


def json_schema(schema: dict[str, Json]) -> dict[str, object]:
    """Raises one of `UNDECODABLE` for a schema that is nested without end."""
    made = _schema(msgspec.json.decode(_encode(schema)))
    return made if isinstance(made, dict) else {}


def _schema(given: object) -> object:
    if isinstance(given, list):
        return [_schema(each) for each in given]
    if not isinstance(given, dict):
        return given
    made: dict[str, object] = {}
    for name, value in given.items():
        if name in _NOT_JSON_SCHEMA:
            continue
        if name == "type" and isinstance(value, str):
            kind = value.lower()
            if kind != "type_unspecified":
                made[name] = [kind, "null"] if given.get("nullable") is True else kind
        elif name in _COUNTS and isinstance(value, str) and value.isdigit():
            made[name] = int(value)  # proto JSON writes 64 bits as text
        elif name in _SCHEMAS and isinstance(value, dict):
            made[name] = {key: _schema(each) for key, each in value.items()}
        elif name in {"enum", "required", "default"}:
            made[name] = value
        else:
            made[name] = _schema(value)
    if given.get("nullable") is True and "enum" in made and isinstance(made["enum"], list):
        made["enum"] = [*made["enum"], None]
    return made
