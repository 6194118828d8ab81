"""Encodes chat requests for Cohere's v2/chat. Source: cohere 7.3.1 types (read 2026-11)."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.dialects.cohere.params import COHERE_CHAT_PARAMS
from adapters.wire.call import DialectCall, Encoded
from adapters.wire.chat_history import HistoryMessage, HistoryPart, history, offered_tools
from adapters.wire.sift import NEUTRAL, keep_strict, sift, stop_sequences, top_k, unsupported, within
from domain.chat import ChatRequest

_UNTOUCHED: Final = ("temperature", "seed", "citation_options", "documents", "safety_mode", "strict_tools")
_MAX_STOP_SEQUENCES: Final = 5
_MAX_TOP_K: Final = 500
_BUDGETS: Final = {"minimal": 512, "low": 1024, "medium": 4096, "high": 16_384, "xhigh": 32_768, "max": 32_768}
_DOES_NOT_THINK: Final = re.compile(r"command-(?:r|light|nightly|a-(?:03-2025|vision|translate))|command$|c4ai|aya")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

_Json = dict[str, object]


def encode_chat(call: DialectCall[ChatRequest], drop: Sequence[str], *, stream: bool) -> Encoded:
    """The body to send. `drop` are an operator's own parameters to leave out. Raises `UNSUPPORTED`."""
    given = call.payload.fields
    fields = {name: raw for name, raw in given.items() if name not in drop and raw != b"null"}
    lost = sift(fields, COHERE_CHAT_PARAMS, ignored=("model", "messages"))
    lost.extend(name for name in drop if name in given)
    thinks = _DOES_NOT_THINK.match(call.model) is None
    body: _Json = {"model": call.model, "stream": stream}
    body["messages"] = [
        _message(message, f"messages.{index}", thinks=thinks) for index, message in enumerate(history(call.payload))
    ]
    body |= {name: fields[name] for name in _UNTOUCHED if name in fields}
    _add_limits(body, fields, call.payload.value, lost)
    _add_tools(body, fields, call)
    _add_format(body, fields, call.payload.value, lost)
    _add_thinking(body, fields, lost, thinks=thinks)
    return Encoded(_encode(body), keep_strict(lost, strict=call.strict))


def _add_limits(body: _Json, fields: dict[str, msgspec.Raw], request: ChatRequest, lost: list[str]) -> None:
    limit = fields.get("max_completion_tokens", fields.get("max_tokens"))
    if limit is not None:
        body["max_tokens"] = limit
    if "top_k" in fields:
        candidates, cut = top_k(fields["top_k"], _MAX_TOP_K)
        if candidates is not None:
            body["k"] = candidates
        if cut:
            lost.append("top_k")
    if "top_p" in fields and request.top_p is not None:
        body["p"], cut = within(request.top_p, 0.01, 0.99)
        if cut and request.top_p != 1:  # 1 is no wish
            lost.append("top_p")
    if "stop" in fields:
        stops, cut = stop_sequences(request.stop, most=_MAX_STOP_SEQUENCES)
        if stops:
            body["stop_sequences"] = stops
        if cut:
            lost.append("stop")
    for name in ("frequency_penalty", "presence_penalty"):
        value = getattr(request, name)
        if name not in fields or value is None or bytes(fields[name]) in NEUTRAL[name]:
            continue
        body[name], cut = within(value, 0, 1)
        if cut:
            lost.append(name)


def _add_tools(body: _Json, fields: dict[str, msgspec.Raw], call: DialectCall[ChatRequest]) -> None:
    tools = offered_tools(call.payload) if "tools" in fields else []
    sent: list[_Json] = []
    for tool in tools:
        function = tool.function
        if tool.type != "function" or function is None:
            raise unsupported("tools", f"a tool of type '{tool.type}' is not a function")
        parameters: object = function.parameters or {"type": "object", "properties": {}}
        described = {"description": function.description} if function.description else {}
        sent.append({"type": "function", "function": {"name": function.name, **described, "parameters": parameters}})
        if function.strict:
            body.setdefault("strict_tools", True)
    choice = _decode(fields["tool_choice"]) if "tool_choice" in fields and sent else None
    if isinstance(choice, dict):
        function_choice = choice.get("function")
        name = function_choice.get("name") if isinstance(function_choice, dict) else None
        sent = [tool for tool in sent if isinstance(tool["function"], dict) and tool["function"]["name"] == name]
        if not sent:
            raise unsupported("tool_choice", "it can be none, auto, required or one of the functions")
        body["tool_choice"] = "REQUIRED"
    elif choice in {"required", "none"}:
        body["tool_choice"] = str(choice).upper()
    if sent:
        body["tools"] = sent


def _add_format(body: _Json, fields: dict[str, msgspec.Raw], request: ChatRequest, lost: list[str]) -> None:
    wanted = request.response_format if "response_format" in fields else None
    if wanted is None or wanted.type == "text":
        return
    if "tools" in body or "documents" in body:
        lost.append("response_format")
        return
    schema = wanted.json_schema.schema if wanted.json_schema is not None else None
    body["response_format"] = {"type": "json_object", **({"json_schema": schema} if schema else {})}


def _add_thinking(body: _Json, fields: dict[str, msgspec.Raw], lost: list[str], *, thinks: bool) -> None:
    if "thinking" in fields:
        body["thinking"] = fields["thinking"]
        return
    effort = _decode(fields["reasoning_effort"]) if "reasoning_effort" in fields else None
    if effort is None or (effort == "none" and not thinks):
        return
    if not thinks or (effort != "none" and effort not in _BUDGETS):
        lost.append("reasoning_effort")
    elif effort == "none":
        body["thinking"] = {"type": "disabled"}
    else:
        body["thinking"] = {"type": "enabled", "token_budget": _BUDGETS[effort]}


def _message(message: HistoryMessage, where: str, *, thinks: bool) -> _Json:
    if message.role in {"system", "developer"}:
        return {"role": "system", "content": message.text()}
    if message.role in {"tool", "function"}:
        call_id = message.tool_call_id or message.name or ""
        return {"role": "tool", "tool_call_id": call_id, "content": _content(message.parts, where, images=False)}
    if message.role == "user":
        return {"role": "user", "content": _content(message.parts, where, images=True)}
    return _assistant(message, thinks=thinks)


def _assistant(message: HistoryMessage, *, thinks: bool) -> _Json:
    said: _Json = {"role": "assistant"}
    text = message.text() or message.refusal or ""
    thought = message.reasoning_content if message.tool_calls else None
    content: list[_Json] = []
    if thought and thinks:
        content.append({"type": "thinking", "thinking": thought})
    elif thought:
        said["tool_plan"] = thought
    if text:
        content.append({"type": "text", "text": text})
    if message.tool_calls:
        said["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _encode(call.arguments()).decode()},
            }
            for call in message.tool_calls
        ]
    if content or not message.tool_calls:
        said["content"] = content or ""
    return said


def _content(parts: list[HistoryPart], where: str, *, images: bool) -> object:
    """A text alone as a text, else the parts. Raises `UNSUPPORTED`, naming the part by its path."""
    if all(part.type == "text" for part in parts):
        return "\n".join(part.text or "" for part in parts)
    return [_part(part, f"{where}.content.{index}", images=images) for index, part in enumerate(parts)]


def _part(part: HistoryPart, where: str, *, images: bool) -> _Json:
    if part.type == "text":
        return {"type": "text", "text": part.text or ""}
    if part.type == "image_url" and part.image_url is not None and images:
        detail = {"detail": part.image_url.detail} if part.image_url.detail else {}
        return {"type": "image_url", "image_url": {"url": part.image_url.url, **detail}}
    raise unsupported(where, f"parts of type '{part.type}' are not taken here")
