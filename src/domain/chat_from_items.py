"""Chat requests in the shape of Responses, as Cursor sends them to `/v1/chat/completions`: it reads chat's answers.

Source: reports of Cursor's users and LiteLLM's endpoint for it (2026-11): `input` instead of `messages`, flat tools.
"""

from typing import Final

import msgspec

_Fields = dict[str, msgspec.Raw]

_NULL: Final = msgspec.Raw(b"null")
_TEXT: Final = frozenset({"input_text", "output_text", "text"})
_NOT_CHATS: Final = (
    "background",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "previous_response_id",
    "prompt",
    "reasoning",
    "text",
    "truncation",
)


class _Part(msgspec.Struct):
    type: str
    text: str = ""
    image_url: str = ""
    detail: str | None = None


class _Item(msgspec.Struct):
    type: str = "message"
    role: str = "user"
    content: str | list[_Part] | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = "{}"
    input: str = ""
    output: str | list[_Part] | None = None


class _Reasoning(msgspec.Struct):
    effort: str | None = None


_encode = msgspec.json.Encoder().encode
_decode_input = msgspec.json.Decoder(str | list[_Item]).decode
_decode_reasoning = msgspec.json.Decoder(_Reasoning).decode
_decode_fields = msgspec.json.Decoder(_Fields).decode
_decode_list = msgspec.json.Decoder(list[_Fields]).decode
_decode_text = msgspec.json.Decoder(str).decode


def from_items(fields: _Fields) -> _Fields:
    """The request in chat's shape; as it is where it has `messages`, or cannot be understood."""
    if "messages" in fields or fields.get("input", _NULL) == _NULL:
        return fields
    try:
        return _translated(fields)
    except msgspec.MsgspecError:
        return fields


def _translated(fields: _Fields) -> _Fields:
    given = {name: raw for name, raw in fields.items() if raw != _NULL}
    made = {name: raw for name, raw in given.items() if name not in _NOT_CHATS}
    messages: list[dict[str, object]] = []
    if "instructions" in given:
        messages.append({"role": "system", "content": given["instructions"]})
    items = _decode_input(given["input"])
    for item in [_Item(content=items)] if isinstance(items, str) else items:
        _add(messages, item)
    made["messages"] = _raw(messages)
    if "max_output_tokens" in given:
        made["max_completion_tokens"] = given["max_output_tokens"]
    if "reasoning" in given and (effort := _decode_reasoning(given["reasoning"]).effort) is not None:
        made["reasoning_effort"] = _raw(effort)
    if "text" in given:
        made |= _text_settings(_decode_fields(given["text"]))
    if "tools" in given:
        made["tools"] = _raw([_tool(tool) for tool in _decode_list(given["tools"])])
    if bytes(given.get("tool_choice", b"")).startswith(b"{"):
        made["tool_choice"] = _raw(_tool(_decode_fields(given["tool_choice"])))
    return made


def _add(messages: list[dict[str, object]], item: _Item) -> None:
    """Calls belong to the assistant's message before them; thoughts are left out."""
    if item.type in {"function_call", "custom_tool_call"}:
        if item.type == "function_call":
            call = {"type": "function", "function": {"name": item.name, "arguments": item.arguments}}
        else:
            call = {"type": "custom", "custom": {"name": item.name, "input": item.input}}
        if not messages or messages[-1]["role"] != "assistant":
            messages.append({"role": "assistant", "content": None})
        calls = messages[-1].setdefault("tool_calls", [])
        if isinstance(calls, list):
            calls.append({"id": item.call_id, **call})
    elif item.type in {"function_call_output", "custom_tool_call_output"}:
        messages.append({"role": "tool", "tool_call_id": item.call_id, "content": _content(item.output)})
    elif item.type == "message":
        messages.append({"role": item.role, "content": _content(item.content)})


def _content(content: str | list[_Part] | None) -> object:
    if not isinstance(content, list):
        return content or ""
    if all(part.type in _TEXT for part in content):
        return "".join(part.text for part in content)
    return [_part(part) for part in content]


def _part(part: _Part) -> dict[str, object]:
    if part.type in _TEXT:
        return {"type": "text", "text": part.text}
    image = {"url": part.image_url} | ({"detail": part.detail} if part.detail else {})
    return {"type": "image_url", "image_url": image}


def _tool(tool: _Fields) -> dict[str, object]:
    """A flat tool, or the choice of one, with what it is under its type."""
    type_ = _decode_text(tool.get("type", b'"function"'))
    if type_ in tool or type_ not in {"function", "custom"}:
        return {**tool}
    return {"type": type_, type_: {name: raw for name, raw in tool.items() if name != "type"}}


def _text_settings(text: _Fields) -> _Fields:
    made = {"verbosity": text["verbosity"]} if text.get("verbosity", _NULL) != _NULL else {}
    if text.get("format", _NULL) != _NULL:
        format_ = _decode_fields(text["format"])
        type_ = format_.pop("type", _raw("text"))
        nested = {"json_schema": format_} if bytes(type_) == b'"json_schema"' else {}
        made["response_format"] = _raw({"type": type_, **nested})
    return made


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_encode(value))
