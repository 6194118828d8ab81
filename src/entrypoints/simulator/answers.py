"""What a simulated model says: its words, its tool calls and its token counts, all from the request alone."""

import json
import re
import zlib
from typing import Any

import msgspec

from entrypoints.simulator.behaviour import Behaviour, ScriptedToolCall, ScriptedUsage

_WORD = re.compile(r"\s*\S+|\s+$")


class SimulatedAnswer(msgspec.Struct, frozen=True):
    """A complete answer. `pieces` are the tokens of its text; joined they are the text."""

    pieces: tuple[str, ...]
    tool_calls: tuple[dict[str, str], ...]  # `id`, `name`, `arguments` (a JSON string)
    reasoning: str | None
    finish_reason: str
    usage: dict[str, Any] | None
    refusal: str | None = None
    stop_sequence: str | None = None  # the one that ended the text
    cached_for_an_hour: int = 0  # of the tokens that were written to the cache

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def answer_to(request: dict[str, Any], behaviour: Behaviour, received: object = None) -> SimulatedAnswer:
    """What this behaviour answers to this request, which is given in OpenAI's words; `received` is its wire form."""
    refused = behaviour.refusal is not None
    calls = () if refused else _tool_calls(request, behaviour)
    pieces = () if calls or refused else _pieces(request, behaviour, received)
    pieces, stopped_by = _until_stop(pieces, request.get("stop"))
    limit = request.get("max_completion_tokens") or request.get("max_tokens")
    truncated = isinstance(limit, int) and len(pieces) > limit
    if truncated:
        pieces, stopped_by = pieces[:limit], None
    finish = "tool_calls" if calls else "length" if truncated else "stop"
    return SimulatedAnswer(
        pieces=pieces,
        tool_calls=calls,
        reasoning=behaviour.reasoning,
        finish_reason=behaviour.finish_reason or finish,
        usage=_usage(request, behaviour, pieces, calls),
        refusal=behaviour.refusal,
        stop_sequence=stopped_by,
        cached_for_an_hour=behaviour.usage.cache_write_1h_tokens if behaviour.usage else 0,
    )


def _until_stop(pieces: tuple[str, ...], stop: Any) -> tuple[tuple[str, ...], str | None]:
    """The text as far as the first stop sequence, and which one it was."""
    text = "".join(pieces)
    wanted = [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []
    found = [(text.index(word), word) for word in wanted if isinstance(word, str) and word and word in text]
    if not found:
        return pieces, None
    end, word = min(found)
    kept = []
    for piece in pieces:
        kept.append(piece[:end])
        end -= len(piece)
        if end <= 0:
            break
    return tuple(piece for piece in kept if piece), word


def words_of(text: str) -> tuple[str, ...]:
    """Cut before each gap, so that joining gives the text back: one piece counts as one token."""
    return tuple(_WORD.findall(text))


def numbered_words(count: int) -> tuple[str, ...]:
    """`word1 word2 …`, one piece each."""
    return tuple(f"word{number}" if number == 1 else f" word{number}" for number in range(1, count + 1))


def _pieces(request: dict[str, Any], behaviour: Behaviour, received: object) -> tuple[str, ...]:
    if behaviour.chunks is not None:
        return behaviour.chunks
    if behaviour.reply is not None:
        return words_of(behaviour.reply)
    if behaviour.words is not None:
        return numbered_words(behaviour.words)
    if behaviour.echo == "request":
        return words_of(json.dumps(request if received is None else received, ensure_ascii=False))
    if behaviour.echo == "system":
        return words_of(system_text(request))
    schema = _json_schema(request)
    if behaviour.json_answer or schema is not None:
        return words_of(json.dumps(instance_of(schema or {}, last_text(request)), ensure_ascii=False))
    return words_of(last_text(request))


def last_text(request: dict[str, Any]) -> str:
    """The text of the last user or tool message; parts that are no text appear as `[type]`."""
    messages = request.get("messages")
    if not isinstance(messages, list):
        return ""
    for message in reversed(messages):
        if isinstance(message, dict) and message.get("role") in {"user", "tool", "function"}:
            return _text_of(message.get("content"))
    return ""


def system_text(request: dict[str, Any]) -> str:
    """What the system and developer messages say, a line each."""
    messages = [message for message in request.get("messages") or [] if isinstance(message, dict)]
    return "\n".join(_text_of(m.get("content")) for m in messages if m.get("role") in {"system", "developer"})


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [part for part in content if isinstance(part, dict)]
    return " ".join(str(part["text"]) if "text" in part else f"[{part.get('type')}]" for part in parts)


def _json_schema(request: dict[str, Any]) -> dict[str, Any] | None:
    wanted = request.get("response_format")
    if not isinstance(wanted, dict) or wanted.get("type") not in {"json_schema", "json_object"}:
        return None
    definition = wanted.get("json_schema")
    schema = definition.get("schema") if isinstance(definition, dict) else None
    return schema if isinstance(schema, dict) else {}


class _Endless(Exception):
    """A schema that refers to itself, where nothing else will do."""


def instance_of(schema: Any, text: str) -> Any:
    """A small value that fits the schema; strings in it are `text`. References lead to its own definitions."""
    try:
        return _instance(schema, text, schema, ())
    except _Endless:
        return {}


def _instance(schema: Any, text: str, root: Any, within: tuple[str, ...]) -> Any:
    """`within` are the references on the way here. Raises `_Endless`."""
    if not isinstance(schema, dict):
        return text
    reference = schema.get("$ref")
    if isinstance(reference, str):
        if reference in within:
            raise _Endless
        return _instance(_referred(root, reference), text, root, (*within, reference))
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    for choice in ("anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(choice), list) and schema[choice]:
            return _first_of(schema[choice], text, root, within)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    properties = schema.get("properties")
    if isinstance(properties, dict):
        return _object_of(schema, properties, text, root, within)
    if kind == "array":
        try:
            return [_instance(schema.get("items"), text, root, within)]
        except _Endless:
            return []
    simple: dict[Any, Any] = {"integer": 1, "number": 1.5, "boolean": True, "null": None, "string": text}
    return simple.get(kind, {"answer": text})


def _first_of(choices: list[Any], text: str, root: Any, within: tuple[str, ...]) -> Any:
    """Of the first that has an end."""
    for choice in choices:
        try:
            return _instance(choice, text, root, within)
        except _Endless:
            continue
    raise _Endless


def _object_of(
    schema: dict[str, Any], properties: dict[str, Any], text: str, root: Any, within: tuple[str, ...]
) -> dict[str, Any]:
    """All of its properties; without those that have no end, where it may be."""
    made = {}
    for name, part in properties.items():
        try:
            made[name] = _instance(part, text, root, within)
        except _Endless:
            if name in (schema.get("required") or ()):
                raise
    return made


def _referred(root: Any, reference: str) -> Any:
    """What `#/$defs/Name` means in a schema; anything at all where it means nothing."""
    found = root
    for step in reference.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _tool_calls(request: dict[str, Any], behaviour: Behaviour) -> tuple[dict[str, str], ...]:
    if behaviour.tool_calls is not None:
        return tuple(_call(request, number, call) for number, call in enumerate(behaviour.tool_calls))
    declared = [tool["function"] for tool in request.get("tools") or [] if isinstance(tool.get("function"), dict)]
    wanted = _wanted_functions(request, behaviour, declared)
    text = last_text(request)
    calls = [ScriptedToolCall(function["name"], instance_of(function.get("parameters"), text)) for function in wanted]
    return tuple(_call(request, number, call) for number, call in enumerate(calls))


def _wanted_functions(
    request: dict[str, Any], behaviour: Behaviour, declared: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    choice = request.get("tool_choice")
    named = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    if named is not None:
        return [function for function in declared if function.get("name") == named]
    if choice == "none" or not declared:
        return []
    if behaviour.tools == "all" and request.get("parallel_tool_calls") is not False:
        return declared if len(declared) > 1 else declared * 2
    return declared[:1] if behaviour.tools or choice == "required" else []


def _call(request: dict[str, Any], number: int, call: ScriptedToolCall) -> dict[str, str]:
    arguments = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments, ensure_ascii=False)
    seed = zlib.crc32(f"{last_text(request)}/{call.name}/{number}".encode())
    return {"id": call.id or f"call_{seed:08x}{number}", "name": call.name, "arguments": arguments}


def _usage(
    request: dict[str, Any], behaviour: Behaviour, pieces: tuple[str, ...], calls: tuple[dict[str, str], ...]
) -> dict[str, Any] | None:
    if behaviour.usage is False:
        return None
    if behaviour.usage is not None:
        return _counts(behaviour.usage)
    messages = [message for message in request.get("messages") or [] if isinstance(message, dict)]
    prompt = sum(len(words_of(_text_of(message.get("content")))) for message in messages)
    thought = len(words_of(behaviour.reasoning or ""))
    said = len(pieces) + sum(len(words_of(call["arguments"])) + 1 for call in calls) + thought
    return _counts(ScriptedUsage(prompt, said, reasoning_tokens=thought))


def _counts(given: ScriptedUsage) -> dict[str, Any]:
    return {
        "prompt_tokens": given.prompt_tokens,
        "completion_tokens": given.completion_tokens,
        "total_tokens": given.prompt_tokens + given.completion_tokens,
        "prompt_tokens_details": {
            "cached_tokens": given.cached_tokens,
            "audio_tokens": 0,
            "cache_write_tokens": given.cache_write_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": given.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
