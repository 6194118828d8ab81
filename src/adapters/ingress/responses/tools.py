"""Tools as Responses has them (flat, in namespaces, or with free text), as chat's functions; and their names back.

Source: openai-python 3.52 types and a capture of Codex 0.169, which offers `namespace` and `web_search` (2026-11).
"""

import hashlib
import re
from typing import Any, Final, Literal, NamedTuple

import msgspec

from adapters.ingress.responses.params import not_over_chat
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import invalid
from domain.inference import Json

MAX_NAME_CHARS: Final = 64
CUSTOM_FIELD: Final = "input"
"""The one argument of the function that stands for a custom tool."""

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")

_encode = msgspec.json.Encoder().encode


class Tool(msgspec.Struct):
    type: str
    name: str = ""
    description: str | None = None
    parameters: dict[str, Json] | None = None
    strict: bool | None = None
    format: dict[str, Json] | None = None
    tools: list["Tool"] | None = None


class _Choice(msgspec.Struct):
    type: str
    name: str = ""
    mode: Literal["auto", "required"] = "auto"
    tools: list[Tool] = []


class Offered(NamedTuple):
    """A tool as the client knows it."""

    name: str
    namespace: str | None = None
    is_custom: bool = False


class ToolNames(msgspec.Struct):
    """The tools on offer by the names chat knows them by: all of them that reading an answer takes."""

    by_chat_name: dict[str, Offered] = {}

    def offered(self, chat_name: str) -> Offered:
        """The tool behind a function's name; one that was never offered is a function of that name."""
        return self.by_chat_name.get(chat_name, Offered(chat_name))


class ChatTools(msgspec.Struct):
    """The tools of one request. `choice` is chat's `tool_choice`; `dropped` names what chat has no tool for."""

    functions: list[dict[str, object]] = []
    choice: object = None
    dropped: list[str] = []
    names: ToolNames = msgspec.field(default_factory=ToolNames)


_decode_tool = msgspec.json.Decoder(Tool).decode
_decode_choice = msgspec.json.Decoder(_Choice | str).decode


def chat_name(name: str, namespace: str | None = None) -> str:
    """What a tool is called in chat, where names have 64 characters and no namespaces. Always the same for one tool."""
    if not namespace:
        return name
    plain = _NOT_IN_NAMES.sub("_", f"{namespace}__{name}")
    if len(plain) <= MAX_NAME_CHARS:
        return plain
    digest = hashlib.sha256(f"{namespace}/{name}".encode()).hexdigest()[:8]
    return f"{plain[: MAX_NAME_CHARS - 9]}_{digest}"


def to_chat_tools(tools: list[Json] | None, choice: Json | None) -> ChatTools:
    """Raises `UpstreamFailure` for tools that are none, and for a choice that chat cannot be held to."""
    made = ChatTools()
    for place, raw in enumerate(tools or ()):
        try:
            _add(made, _decode_tool(raw))
        except UNDECODABLE as error:
            raise invalid(f"Invalid 'tools.{place}': {error}.", f"tools.{place}", "invalid_type") from None
    if choice is not None and bytes(choice) != b"null":
        _choose(made, choice)
    return made


def _add(made: ChatTools, tool: Tool, namespace: str | None = None) -> None:
    if tool.type == "namespace":
        for inner in tool.tools or ():
            _add(made, inner, tool.name)
        return
    if tool.type not in {"function", "custom"}:
        made.dropped.append(f"tools.{tool.type}")
        return
    name = chat_name(tool.name, namespace)
    made.names.by_chat_name[name] = Offered(tool.name, namespace, tool.type == "custom")
    made.functions.append(
        {"type": "function", "function": _custom(tool, name) if tool.type == "custom" else _function(tool, name)}
    )


def _function(tool: Tool, name: str) -> dict[str, object]:
    """Responses makes functions strict unless told not to; chat does not, and refuses a schema that does not fit."""
    function: dict[str, object] = {"name": name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parameters"] = tool.parameters
    if tool.strict is not None:
        function["strict"] = tool.strict
    elif tool.parameters is not None and fits_strict(_encode(tool.parameters)):
        function["strict"] = True
    return function


def _custom(tool: Tool, name: str) -> dict[str, object]:
    """A tool that takes free text, as a function of one text; its grammar is told in words."""
    description = tool.description or ""
    grammar = (tool.format or {}).get("definition")
    if grammar is not None:
        syntax = msgspec.json.decode((tool.format or {}).get("syntax", b'"grammar"'))
        text = msgspec.json.decode(grammar)
        description = f"{description}\n\nThe input is text that fits this {syntax} grammar:\n{text}".strip()
    parameters = {
        "type": "object",
        "properties": {CUSTOM_FIELD: {"type": "string", "description": "The tool's whole input, as plain text."}},
        "required": [CUSTOM_FIELD],
        "additionalProperties": False,
    }
    return {"name": name, "description": description, "parameters": parameters}


def _choose(made: ChatTools, raw: Json) -> None:
    try:
        choice = _decode_choice(raw)
    except UNDECODABLE as error:
        raise invalid(f"Invalid 'tool_choice': {error}.", "tool_choice", "invalid_type") from None
    if isinstance(choice, str):
        if choice == "required" and not made.functions and made.dropped:
            raise _unreachable("tools that run at the provider")
        made.choice = choice
    elif choice.type in {"function", "custom"}:
        made.choice = _named(_known(made, choice.name))
    elif choice.type == "allowed_tools":
        _allow(made, choice)
    else:
        raise _unreachable(f"a tool of type '{choice.type}'")


def _allow(made: ChatTools, choice: _Choice) -> None:
    """Few upstreams know chat's `allowed_tools`; all know a shorter list of tools."""
    allowed = {_known(made, tool.name) for tool in choice.tools if tool.type in {"function", "custom"}}
    if not allowed:
        raise _unreachable("none but tools that run at the provider")
    made.functions = [tool for tool in made.functions if _function_name(tool) in allowed]
    made.choice = choice.mode


def _known(made: ChatTools, name: str) -> str:
    """The name in chat of a tool that a choice names, in a namespace or not."""
    for known, offered in made.names.by_chat_name.items():
        if name in {offered.name, known, f"{offered.namespace}.{offered.name}"}:
            return known
    raise invalid(f"Tool choice '{name}' not found in 'tools' parameter.", "tool_choice", "invalid_value")


def _named(name: str) -> dict[str, object]:
    return {"type": "function", "function": {"name": name}}


def _function_name(tool: dict[str, object]) -> object:
    function = tool["function"]
    return function["name"] if isinstance(function, dict) else None


def _unreachable(what: str) -> Exception:
    return not_over_chat(f"Unsupported parameter: 'tool_choice' asks for {what}.", "tool_choice")


_decode = msgspec.json.Decoder().decode


def fits_strict(schema: bytes) -> bool:
    """For a schema as JSON text. Source: OpenAI's structured outputs, supported schemas (read 2026-11)."""
    return _fits(_decode(schema))


def _fits(schema: Any) -> bool:
    if isinstance(schema, list):
        return all(_fits(part) for part in schema)
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        names = set(properties) if isinstance(properties, dict) else set()
        required = schema.get("required", [])
        if schema.get("additionalProperties") is not False or set(required) != names:
            return False
    inner = [*properties.values()] if isinstance(properties, dict) else []
    inner += [schema[name] for name in ("items", "anyOf", "oneOf", "allOf") if name in schema]
    for name in ("$defs", "definitions"):
        inner += schema[name].values() if isinstance(schema.get(name), dict) else []
    return all(_fits(part) for part in inner)
