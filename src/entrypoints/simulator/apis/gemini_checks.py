"""What Gemini refuses with a 400. Each check gives the message, or nothing.

Source: ai.google.dev pages on function calling, thinking and structured output, google-genai 3.4 types (read 2026-11).
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

from entrypoints.simulator.apis.endpoint import objects

FOREIGN_SIGNATURES = {"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"}
"""Documented stand-ins for calls that another model made."""

_FIELDS = frozenset(
    "model contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent labels"
    " serviceTier store".split()
)
_SCHEMA_FIELDS = frozenset(
    "type format title description nullable enum maxItems minItems properties required minProperties maxProperties"
    " minLength maxLength pattern example anyOf propertyOrdering default items minimum maximum".split()
)
_PART_KINDS = frozenset(
    "text inlineData fileData functionCall functionResponse executableCode codeExecutionResult toolCall".split()
)
_TYPES = {"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL", "TYPE_UNSPECIFIED"}
_OLD = re.compile(r"gemini-(?:1|2)\b")
_TOOL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")
_MOST_STOPS = 5
_SIGNED = "sim-signature-"


def camel(value: Any) -> Any:
    """Proto JSON takes `snake_case` as well: every key of the API in one form, arguments and schemas untouched."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    opaque = {"args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema"}
    named = ((re.sub(r"_([a-z])", lambda match: match[1].upper(), key), item) for key, item in value.items())
    return {key: item if key in opaque else camel(item) for key, item in named}


def signature_of(number: int) -> str:
    """What this simulator signs its calls with."""
    return b64encode(f"{_SIGNED}{number}".encode()).decode()


def complaint(fields: dict[str, Any], model: str, *, roles_needed: bool = False) -> str | None:
    """The first thing that is wrong with a request, in Gemini's words."""
    contents = objects(fields.get("contents"))
    checks = (
        _top_level(fields, contents, roles_needed=roles_needed),
        _contents(contents, signed=not _OLD.search(model)),
        _tools(fields),
        _generation(fields.get("generationConfig") or {}),
    )
    return next((message for found in checks for message in found), None)


def _unknown(name: str, where: str) -> str:
    return f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field."


def _top_level(fields: dict[str, Any], contents: list[dict[str, Any]], *, roles_needed: bool) -> Iterator[str]:
    for name in sorted(set(fields) - _FIELDS):
        yield f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
    if not contents:
        yield "* GenerateContentRequest.contents: contents is not specified"
    for content in contents:
        role = content.get("role")
        if role not in {"user", "model"} and (roles_needed or role is not None):
            yield "Please use a valid role: user, model."
    for part in objects((fields.get("systemInstruction") or {}).get("parts")):
        if not isinstance(part.get("text"), str):
            yield "systemInstruction: only text parts are supported"


def _contents(contents: list[dict[str, Any]], *, signed: bool) -> Iterator[str]:
    open_calls: list[Any] = []
    for number, content in enumerate(contents):
        where = f"contents[{number}].parts"
        parts = objects(content.get("parts"))
        if not parts:
            yield f"* GenerateContentRequest.{where}: contents.parts must not be empty."
        for index, part in enumerate(parts):
            if len(_PART_KINDS & set(part)) != 1:
                yield f"* GenerateContentRequest.{where}[{index}].data: required oneof field 'data' must have one value"
        yield from _signed(where, parts) if signed and content.get("role") == "model" else ()
        calls = [part["functionCall"].get("name") for part in parts if "functionCall" in part]
        answers = [part["functionResponse"] for part in parts if "functionResponse" in part]
        for answer in answers:
            if not isinstance(answer.get("response"), dict) or not answer.get("name"):
                yield f"{where}: function_response needs a name and an object as response"
        if (open_calls or answers) and len(open_calls) != len(answers):
            yield (
                "Please ensure that the number of function response parts is equal to the number of function call"
                " parts of the function call turn."
            )
        open_calls = calls


def _signed(where: str, parts: list[dict[str, Any]]) -> Iterator[str]:
    """Gemini 3 signs the first call of a turn, and wants that signature back."""
    first = next((part for part in parts if "functionCall" in part), None)
    if first is None:
        return
    signature = str(first.get("thoughtSignature") or "")
    if not signature:
        name = first["functionCall"].get("name")
        yield f"Function call is missing a thought_signature in functionCall parts. {where}, `default_api:{name}`."
    elif signature not in FOREIGN_SIGNATURES and not _is_ours(signature):
        yield "Thought signature is not valid."


def _is_ours(signature: str) -> bool:
    try:
        return b64decode(signature, validate=True).startswith(_SIGNED.encode())
    except ValueError:
        return False


def _tools(fields: dict[str, Any]) -> Iterator[str]:
    declared = [
        function for tool in objects(fields.get("tools")) for function in objects(tool.get("functionDeclarations"))
    ]
    for number, function in enumerate(declared):
        where = f"tools[0].function_declarations[{number}]"
        if not _TOOL_NAME.fullmatch(str(function.get("name"))):
            yield f"* GenerateContentRequest.{where}.name: Invalid function name."
        if "parameters" in function and "parametersJsonSchema" in function:
            yield f"{where}: parameters and parameters_json_schema are mutually exclusive"
        if "parameters" in function:
            yield from schema_complaints(function["parameters"], f"{where}.parameters")
    config = (fields.get("toolConfig") or {}).get("functionCallingConfig") or {}
    if config.get("mode", "AUTO") not in {"AUTO", "ANY", "NONE", "VALIDATED"}:
        yield f"Invalid value at 'tool_config.function_calling_config.mode': {config['mode']}"
    allowed = config.get("allowedFunctionNames") or []
    if allowed and config.get("mode") not in {"ANY", "VALIDATED"}:
        yield "allowed_function_names should only be set when the mode is ANY or VALIDATED"
    if unknown := set(allowed) - {function.get("name") for function in declared}:
        yield f"allowed_function_names has undeclared functions: {sorted(unknown)}"


def schema_complaints(schema: Any, where: str) -> Iterator[str]:
    """What does not belong into the subset of OpenAPI that `parameters` and `responseSchema` are."""
    if not isinstance(schema, dict):
        yield f"Invalid value at '{where}': not an object"
        return
    for name in sorted(set(schema) - _SCHEMA_FIELDS):
        yield _unknown(name, where)
    kind = schema.get("type")
    if not isinstance(kind, str | None):
        yield f"Invalid value at '{where}.type': Proto field is not repeating, cannot start list."
    elif kind is not None and kind.upper() not in _TYPES:
        yield f"Invalid value at '{where}.type': {kind}"
    if any(not isinstance(value, str) for value in schema.get("enum") or ()):
        yield f"Invalid value at '{where}.enum': TYPE_STRING"
    if str(kind).upper() == "ARRAY" and "items" not in schema:
        yield f"{where}.items: missing field."
    for name, part in (schema.get("properties") or {}).items():
        yield from schema_complaints(part, f"{where}.properties[{name}]")
    for name in schema.get("required") or ():
        if name not in (schema.get("properties") or {}):
            yield f"{where}.required: property '{name}' is not defined"
    if "items" in schema:
        yield from schema_complaints(schema["items"], f"{where}.items")
    for part in schema.get("anyOf") or ():
        yield from schema_complaints(part, f"{where}.any_of")


def _generation(config: dict[str, Any]) -> Iterator[str]:
    if len(config.get("stopSequences") or ()) > _MOST_STOPS:
        yield f"The number of stop sequences is more than {_MOST_STOPS}."
    thinking = config.get("thinkingConfig") or {}
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        yield "You can only set one of thinking budget and thinking level."
    if "responseSchema" in config and "responseJsonSchema" in config:
        yield "response_schema and response_json_schema are mutually exclusive"
    if "responseSchema" in config:
        yield from schema_complaints(config["responseSchema"], "generation_config.response_schema")
    shaped = "responseSchema" in config or "responseJsonSchema" in config
    if shaped and config.get("responseMimeType") not in {"application/json", "text/x.enum"}:
        yield "A response schema needs response_mime_type application/json."
