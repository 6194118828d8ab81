"""A Responses request as the chat request that stands for it.

Source: openai-python 3.52 types; captures of Codex 0.169 and of Vercel's AI SDK 6 (2026-11).
"""

from typing import Final

import msgspec

from adapters.ingress.responses.history import read_items, to_messages
from adapters.ingress.responses.params import RESPONSES_OVER_CHAT, not_over_chat
from adapters.ingress.responses.tools import ChatTools, to_chat_tools
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import invalid, sift
from domain.chat import ChatRequest
from domain.inference import Json
from domain.payload import Payload
from domain.responses import ResponsesRequest

LOGPROBS_INCLUDED: Final = "message.output_text.logprobs"

_SAME: Final = (
    "temperature",
    "top_p",
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "user",
)
_OTHERS_OWN: Final = ("top_k", "stop")
"""Not OpenAI's, and taken by servers that speak its API (vLLM): they go along, and each upstream's dialect decides."""

_NEVER_SENT: Final = frozenset({"model", "client_metadata"})
"""`client_metadata` is what Codex tells OpenAI of itself; it asks for nothing."""

_NULL: Final = msgspec.Raw(b"null")


class Translated(msgspec.Struct):
    """A chat request, the tools by their names in it, and what could not be carried over."""

    payload: Payload[ChatRequest]
    tools: ChatTools
    dropped: list[str]


class _Text(msgspec.Struct):
    format: dict[str, Json] | None = None
    verbosity: str | None = None


class _Reasoning(msgspec.Struct):
    effort: str | None = None
    context: str | None = None
    mode: str | None = None


_encode = msgspec.json.Encoder().encode
_decode_chat = msgspec.json.Decoder(ChatRequest).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_text = msgspec.json.Decoder(_Text).decode
_decode_reasoning = msgspec.json.Decoder(_Reasoning).decode
_decode_str = msgspec.json.Decoder(str).decode


def to_chat(payload: Payload[ResponsesRequest], model: str) -> Translated:
    """Raises `UpstreamFailure`: `UNSUPPORTED` for what chat cannot do, `CLIENT_FAULT` for what nobody could."""
    request = payload.value
    if request.previous_response_id:
        raise not_over_chat(
            f"Previous response with id '{request.previous_response_id}' not found: no responses are kept. "
            "Send the whole history in 'input', with `store: false`.",
            "previous_response_id",
            "previous_response_not_found",
        )
    dropped = sift(payload.fields, RESPONSES_OVER_CHAT, ignored=_NEVER_SENT.union(_OTHERS_OWN))
    items, left_out = read_items(request.input)
    messages, lost = to_messages(items, request.instructions)
    tools = to_chat_tools(request.tools, payload.fields.get("tool_choice"))
    out: dict[str, object] = {"model": model, "messages": messages}
    out |= {name: payload.fields[name] for name in (*_SAME, *_OTHERS_OWN) if payload.fields.get(name, _NULL) != _NULL}
    if request.streams:
        out["stream"] = True
    if request.max_output_tokens is not None:
        out["max_completion_tokens"] = request.max_output_tokens
    _add_tools(out, tools, request)
    _add_logprobs(out, request)
    _add_text(out, payload)
    dropped += [*left_out, *lost, *tools.dropped, *_add_reasoning(out, payload)]
    return Translated(_as_payload(out, payload.size_bytes), tools, dropped)


def _as_payload(out: dict[str, object], size_bytes: int) -> Payload[ChatRequest]:
    body = _encode(out)
    try:
        return Payload(_decode_chat(body), _decode_fields(body), size_bytes)
    except UNDECODABLE as error:
        raise invalid(f"Invalid 'input': {error}.", "input", "invalid_value") from None


def _add_tools(out: dict[str, object], tools: ChatTools, request: ResponsesRequest) -> None:
    """Without a tool left, chat refuses what is said of tools."""
    if not tools.functions:
        return
    out["tools"] = tools.functions
    if tools.choice is not None:
        out["tool_choice"] = tools.choice
    if request.parallel_tool_calls is not None:
        out["parallel_tool_calls"] = request.parallel_tool_calls


def _add_logprobs(out: dict[str, object], request: ResponsesRequest) -> None:
    if request.top_logprobs or LOGPROBS_INCLUDED in (request.include or ()):
        out["logprobs"] = True
    if request.top_logprobs:
        out["top_logprobs"] = request.top_logprobs


def _add_text(out: dict[str, object], payload: Payload[ResponsesRequest]) -> None:
    if payload.value.text is None:
        return
    try:
        text = _decode_text(payload.fields["text"])
        format_ = dict(text.format or {})
        type_ = _decode_str(format_.pop("type", b'"text"'))
    except UNDECODABLE as error:
        raise invalid(f"Invalid 'text': {error}.", "text", "invalid_type") from None
    if text.verbosity is not None:
        out["verbosity"] = text.verbosity
    if type_ == "json_schema":
        out["response_format"] = {"type": type_, "json_schema": {"name": "answer", **format_}}
    elif type_ == "json_object":
        out["response_format"] = {"type": type_}
    elif type_ != "text":
        raise not_over_chat(f"Unsupported value: 'text.format' of type '{type_}'.", "text.format.type")


def _add_reasoning(out: dict[str, object], payload: Payload[ResponsesRequest]) -> list[str]:
    """Returns what is dropped of it."""
    if payload.value.reasoning is None:
        return []
    try:
        reasoning = _decode_reasoning(payload.fields["reasoning"])
    except UNDECODABLE as error:
        raise invalid(f"Invalid 'reasoning': {error}.", "reasoning", "invalid_type") from None
    if reasoning.effort is not None:
        out["reasoning_effort"] = reasoning.effort
    asked = {"reasoning.context": reasoning.context, "reasoning.mode": reasoning.mode}
    return [name for name, value in asked.items() if value is not None]
