"""Tools on offer, and which of them must be used, as Gemini takes them.

Source: google-genai 3.4 types; ai.google.dev function calling and grounding (read 2026-11).
"""

import msgspec

from adapters.dialects.gemini.generation_config import decoded
from adapters.dialects.gemini.schema import openapi_parameters
from adapters.dialects.gemini.settings import GeminiSettings, generation, takes_json_schema
from adapters.wire.sift import unsupported
from domain.chat import ChatRequest, Tool
from domain.inference import Json


class _Named(msgspec.Struct):
    name: str


class _AllowedTool(msgspec.Struct):
    function: _Named | None = None
    name: str | None = None


class _AllowedTools(msgspec.Struct):
    mode: str = "auto"
    tools: list[_AllowedTool] = []


class _Choice(msgspec.Struct):
    type: str
    function: _Named | None = None
    allowed_tools: _AllowedTools | None = None


_decode_choice = msgspec.json.Decoder(_Choice).decode
_encode = msgspec.json.Encoder().encode


def tools(request: ChatRequest, model: str, settings: GeminiSettings) -> list[dict[str, object]]:
    """Raises `UNSUPPORTED` for tools that are no functions."""
    declared = [_declaration(tool, place, model, settings) for place, tool in enumerate(request.tools or ())]
    found: list[dict[str, object]] = [{"functionDeclarations": declared}] if declared else []
    if request.web_search_options is not None:
        if declared and generation(model) < 3:
            raise unsupported("web_search_options", "not beside functions before Gemini 3")
        found.append({"googleSearch": {}})
    return found


def tool_config(choice: str | dict[str, Json] | None) -> dict[str, object]:
    """Empty where the model decides. Raises `UNSUPPORTED` for a choice that Gemini cannot be told."""
    if isinstance(choice, str):
        modes = {"auto": "", "none": "NONE", "required": "ANY", "any": "ANY"}
        if choice not in modes:
            raise unsupported("tool_choice", f"there is no {choice!r}")
        return _config(modes[choice]) if modes[choice] else {}
    if choice is None:
        return {}
    try:
        told = _decode_choice(_encode(choice))
    except msgspec.ValidationError:
        raise unsupported("tool_choice", "its shape is not OpenAI's") from None
    if told.function is not None:
        return _config("ANY", [told.function.name])
    if told.allowed_tools is not None:
        names = [tool.function.name if tool.function else tool.name or "" for tool in told.allowed_tools.tools]
        return _config(
            "ANY" if told.allowed_tools.mode == "required" else "VALIDATED", [name for name in names if name]
        )
    raise unsupported("tool_choice", f"there is no place for {told.type!r}")


def _config(mode: str, names: list[str] | None = None) -> dict[str, object]:
    told: dict[str, object] = {"mode": mode}
    if names:
        told["allowedFunctionNames"] = names
    return {"functionCallingConfig": told}


def _declaration(tool: Tool, place: int, model: str, settings: GeminiSettings) -> dict[str, object]:
    function = tool.function
    if function is None:
        raise unsupported("tools", f"tools.{place} is of type {tool.type!r}, and Gemini takes functions")
    told: dict[str, object] = {"name": function.name}
    if function.description:
        told["description"] = function.description
    if not function.parameters:
        return told
    if takes_json_schema(settings, model):
        told["parametersJsonSchema"] = function.parameters
        return told
    parameters = openapi_parameters(decoded(function.parameters))
    if parameters is not None:
        told["parameters"] = parameters
    return told
