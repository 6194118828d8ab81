"""A message as a chat: each parameter as the table says, blocks as parts, tools as functions.

Source: wire facts on Anthropic, sections 3 and 8 (November 2026).
"""

from typing import Final

import msgspec

from adapters.dialects.messages.blocks import NOTHING, is_told, wrong
from adapters.dialects.messages.conversation import chat_messages
from adapters.dialects.messages.params import MESSAGES_OVER_CHAT
from adapters.dialects.messages.reasoning import effort_at, wanted_effort
from adapters.dialects.messages.tools import chat_tool_choice, chat_tools
from adapters.wire.sift import keep_strict, sift, worth_a_report
from adapters.wire.undecodable import UNDECODABLE
from domain.chat import ChatRequest
from domain.messages import MessagesRequest
from domain.wire import Payload

_MAX_STOPS: Final = 4
_SIGNS_CALLS: Final = "gemini"  # the models that want back what they hung on their calls
_MAX_USER_CHARS: Final = 128
_SCHEMA_NAME: Final = "answer"  # a chat's schema needs a name, and Anthropic's has none


class _Metadata(msgspec.Struct):
    user_id: str | None = None


class _Format(msgspec.Struct):
    type: str
    schema: msgspec.Raw = NOTHING


class _OutputConfig(msgspec.Struct):
    format: _Format | None = None


class ChatForm(msgspec.Struct, frozen=True):
    """A message as a chat, and the parameters it lost on the way, sorted."""

    payload: Payload[ChatRequest]
    dropped: tuple[str, ...]


_encode = msgspec.json.Encoder().encode
_decode_chat = msgspec.json.Decoder(ChatRequest).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_metadata = msgspec.json.Decoder(_Metadata).decode
_decode_config = msgspec.json.Decoder(_OutputConfig).decode


def as_chat(payload: Payload[MessagesRequest], model: str, *, stream: bool, strict: bool = False) -> ChatForm:
    """The chat to ask `model` for. Raises `UpstreamFailure`: the client's fault, or `UNSUPPORTED`."""
    request = payload.value
    lost = set(sift(payload.fields, MESSAGES_OVER_CHAT, ignored=("model", "messages")))
    chat: dict[str, object] = {
        "model": model,
        "messages": chat_messages(request.system, request.messages, lost, extras=_SIGNS_CALLS in model.lower()),
    }
    if stream:
        chat["stream"] = True
    for name in ("max_tokens", "temperature", "top_p"):
        value = getattr(request, name)
        if value is not None:
            chat[name] = value
    if request.stop_sequences:
        chat["stop"] = request.stop_sequences[:_MAX_STOPS]
        if len(request.stop_sequences) > _MAX_STOPS:
            lost.add("stop_sequences")
    _add_tools(chat, request, lost)
    try:
        _add_thinking(chat, request, model, lost)
        _add_rest(chat, payload, lost)
        body = _encode(chat)
        value = _decode_chat(body)
    except UNDECODABLE as error:
        raise wrong(f"The request cannot be read: {error}", "messages") from None
    dropped = keep_strict(lost, strict=strict)
    return ChatForm(Payload(value, _decode_fields(body), payload.size_bytes), dropped)


def countable_text(payload: Payload[MessagesRequest]) -> tuple[str, int, int]:
    """What an estimate of the input counts: its text with its tools, its turns, its pictures and files."""
    request, lost = payload.value, set[str]()
    messages = chat_messages(request.system, request.messages, lost)
    texts: list[str] = []
    others = 0
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            texts += (str(part["text"]) for part in content if part["type"] == "text")
            others += sum(part["type"] != "text" for part in content)
        elif content:
            texts.append(str(content))
        if "tool_calls" in message:
            texts.append(_encode(message["tool_calls"]).decode())
    tools = chat_tools(request.tools or (), request.messages, lost)
    texts += (_encode(tool).decode() for tool in tools)
    return "\n".join(texts), len(messages), others


def _add_tools(chat: dict[str, object], request: MessagesRequest, lost: set[str]) -> None:
    tools = chat_tools(request.tools or (), request.messages, lost)
    if not tools:
        return
    chat["tools"] = tools
    if request.tool_choice is not None:
        chat["tool_choice"], parallel = chat_tool_choice(request.tool_choice)
        if not parallel:
            chat["parallel_tool_calls"] = False


def _add_thinking(chat: dict[str, object], request: MessagesRequest, model: str, lost: set[str]) -> None:
    wanted = wanted_effort(request.thinking, request.output_config)
    if wanted is None:
        return
    effort, param = wanted
    word = effort_at(model, effort)
    if word is None:
        lost.add(param)
    else:
        chat["reasoning_effort"] = word


def _add_rest(chat: dict[str, object], payload: Payload[MessagesRequest], lost: set[str]) -> None:
    request, fields = payload.value, payload.fields
    if request.output_config is not None:
        wanted = _decode_config(fields["output_config"]).format
        if wanted is not None and is_told(wanted.schema):
            schema = {"name": _SCHEMA_NAME, "schema": wanted.schema}
            chat["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.metadata is not None:
        user = _decode_metadata(fields["metadata"]).user_id
        if user and len(user) <= _MAX_USER_CHARS:
            chat["user"] = user
        elif user and worth_a_report("metadata", fields["metadata"]):
            lost.add("metadata")
    if request.service_tier == "standard_only":
        chat["service_tier"] = "default"
