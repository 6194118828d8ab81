"""Encodes chat requests for /api/chat.

Ollama's context is small unless told otherwise, and a longer prompt loses its beginning without a word. So that
nothing is lost in silence `truncate` is false unless the client says otherwise: servers that know it (0.12 and newer)
then refuse the prompt, older ones ignore it. Source: ollama 0.6.3 types, the server's API types (read 2026-11).
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.dialects.ollama.params import OLLAMA_CHAT_PARAMS, OPTIONS
from adapters.wire.call import DialectCall, Encoded
from adapters.wire.chat_history import HistoryMessage, HistoryPart, history, offered_tools
from adapters.wire.files import read_data_url
from adapters.wire.sift import keep_strict, sift, stop_sequences, unsupported
from domain.chat import ChatRequest

_UNTOUCHED: Final = ("logprobs", "top_logprobs", "keep_alive")
_LEVELS: Final = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

_Json = dict[str, object]


def encode_chat(call: DialectCall[ChatRequest], drop: Sequence[str], num_ctx: int | None, *, stream: bool) -> Encoded:
    """The body to send. `num_ctx` is an operator's, for requests that name none. Raises `UNSUPPORTED`."""
    given, request = call.payload.fields, call.payload.value
    fields = {name: raw for name, raw in given.items() if name not in drop and raw != b"null"}
    choice = request.tool_choice if "tool_choice" in fields else None
    ignored = ("model", "messages", *(("tool_choice",) if choice in {"auto", "none"} else ()))
    lost = sift(fields, OLLAMA_CHAT_PARAMS, ignored=ignored)
    lost.extend(name for name in drop if name in given)
    messages = history(call.payload)
    names = {made.id: made.name for message in messages for made in message.tool_calls or ()}
    body: _Json = {
        "model": call.model,
        "messages": [_message(message, f"messages.{index}", names) for index, message in enumerate(messages)],
        "stream": stream,
        "truncate": fields.get("truncate", False),
    }
    body |= {name: fields[name] for name in _UNTOUCHED if name in fields}
    sent = options(fields, num_ctx)
    limit = fields.get("max_completion_tokens", fields.get("max_tokens"))
    if limit is not None:
        sent.setdefault("num_predict", limit)
    stops, cut = stop_sequences(request.stop if "stop" in fields else None)
    if stops:
        sent.setdefault("stop", stops)
    if cut:
        lost.append("stop")
    if sent:
        body["options"] = sent
    tools = _tools(call) if "tools" in fields and choice != "none" else []
    if tools:
        body["tools"] = tools
    if "response_format" in fields:
        _add_format(body, request)
    _add_thinking(body, fields, lost, call.model)
    return Encoded(_encode(body), keep_strict(lost, strict=call.strict))


def options(fields: dict[str, msgspec.Raw], num_ctx: int | None) -> _Json:
    """Ollama's `options`: the client's own win over what is derived from other fields."""
    sent: _Json = {"num_ctx": num_ctx} if num_ctx is not None else {}
    sent |= {name: fields[name] for name in OPTIONS if name in fields}
    own = _decode(fields["options"]) if "options" in fields else None
    return sent | (own if isinstance(own, dict) else {})


def _tools(call: DialectCall[ChatRequest]) -> list[_Json]:
    sent: list[_Json] = []
    for tool in offered_tools(call.payload):
        function = tool.function
        if tool.type != "function" or function is None:
            raise unsupported("tools", f"a tool of type '{tool.type}' is not a function")
        parameters: object = function.parameters or {"type": "object", "properties": {}}
        described = {"name": function.name, "description": function.description or "", "parameters": parameters}
        sent.append({"type": "function", "function": described})
    return sent


def _add_format(body: _Json, request: ChatRequest) -> None:
    wanted = request.response_format
    schema = wanted.json_schema.schema if wanted is not None and wanted.json_schema is not None else None
    if schema is not None:
        body["format"] = schema
    elif wanted is not None and wanted.type in {"json_object", "json_schema"}:
        body["format"] = "json"


def _add_thinking(body: _Json, fields: dict[str, msgspec.Raw], lost: list[str], model: str) -> None:
    if "think" in fields:
        body["think"] = fields["think"]
        return
    effort = _decode(fields["reasoning_effort"]) if "reasoning_effort" in fields else None
    if effort is None:
        return
    if effort == "none":
        body["think"] = False
    elif effort not in _LEVELS:
        lost.append("reasoning_effort")
    else:
        body["think"] = _LEVELS[effort] if "gpt-oss" in model else True


def _message(message: HistoryMessage, where: str, names: dict[str, str]) -> _Json:
    role = "system" if message.role == "developer" else "tool" if message.role == "function" else message.role
    texts: list[str] = []
    images: list[str] = []
    for index, part in enumerate(message.parts):
        _add_part(part, f"{where}.content.{index}", texts, images)
    said: _Json = {"role": role, "content": "\n".join(texts) or message.refusal or ""}
    if images:
        said["images"] = images
    if role == "tool":
        name = names.get(message.tool_call_id or "") or message.name
        said |= {"tool_name": name} if name else {}
        said |= {"tool_call_id": message.tool_call_id} if message.tool_call_id else {}
    if message.reasoning_content:
        said["thinking"] = message.reasoning_content
    if message.tool_calls:
        said["tool_calls"] = [
            {"id": made.id, "function": {"name": made.name, "arguments": made.arguments()}}
            for made in message.tool_calls
        ]
    return said


def _add_part(part: HistoryPart, where: str, texts: list[str], images: list[str]) -> None:
    """Raises `UNSUPPORTED`, naming the part by its path."""
    if part.type in {"text", "refusal"}:
        texts.append(part.text or part.refusal or "")
    elif part.type == "image_url" and part.image_url is not None:
        try:
            data = read_data_url(part.image_url.url)
        except ValueError as error:
            raise unsupported(f"{where}.image_url", str(error)) from None
        if data is None:
            raise unsupported(f"{where}.image_url", "Ollama fetches no images; send it as a data URL")
        images.append(data.base64)
    else:
        raise unsupported(where, f"parts of type '{part.type}' are not taken")
