"""Reads a plain chat answer: forwarded as the bytes it came in where it is OpenAI's shape, else mended.

Source: typed clients of November 2026 read `choices[].finish_reason` as one of five words, tool arguments as
a string and content as a string or null; the quirks mended here are the providers' of `providers.json`.
"""

import secrets
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.dialects.openai.call import CallFacts
from adapters.dialects.openai.finish import FAILURES, finish_reason
from adapters.dialects.openai.output_text import output_text
from adapters.dialects.openai.usage import Usage, count_usage, read_usage
from adapters.wire.answer import PlainAnswer
from adapters.wire.errors import failure_in_body, unreadable
from adapters.wire.undecodable import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage

_OBJECT: Final = "chat.completion"
_NULL: Final = msgspec.Raw(b"null")


class _Function(msgspec.Struct):
    name: str
    arguments: str


class _ToolCall(msgspec.Struct):
    id: str
    type: Literal["function", "custom"]
    function: _Function | UnsetType = UNSET


class _Message(msgspec.Struct):
    role: Literal["assistant"]
    content: str | None = None
    tool_calls: list[_ToolCall] | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    index: int
    message: _Message
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
    error: msgspec.Raw | UnsetType = UNSET


class _Completion(msgspec.Struct):
    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: Annotated[list[_Choice], Meta(min_length=1)]
    usage: Usage | UnsetType | None = UNSET
    error: msgspec.Raw | UnsetType = UNSET


_decode = msgspec.json.Decoder(_Completion).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_decode_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_Fields = dict[str, msgspec.Raw]


def read_answer(body: bytes, call: CallFacts) -> PlainAnswer:
    """Raises `UpstreamFailure` for an error in a 200 and for what is no answer."""
    body = body.strip()  # DeepSeek sends empty lines while it queues
    try:
        answer = _decode(body)
    except UNDECODABLE:
        return _mended(body, call)
    tokens, sound = None, answer.error is UNSET
    if isinstance(answer.usage, Usage):
        counted = count_usage(answer.usage, completion_excludes_reasoning=call.quirks.completion_excludes_reasoning)
        tokens, mended = counted or (None, True)
        sound = sound and not mended
    for choice in answer.choices:
        calls = choice.message.tool_calls
        sound = sound and choice.error is UNSET and (calls is None or _whole(calls))
        if calls and call.quirks.stop_with_tool_calls and choice.finish_reason == "stop":
            sound = False
    if not sound:
        return _mended(body, call)
    return _answer(body, answer.model, tokens)


def _answer(body: bytes, model: str, tokens: TokenUsage | None) -> PlainAnswer:
    return PlainAnswer(body, model, tokens, "" if tokens is not None else output_text(body))


def _whole(calls: list[_ToolCall]) -> bool:
    return bool(calls) and all(call.type == "custom" or call.function is not UNSET for call in calls)


def _mended(body: bytes, call: CallFacts) -> PlainAnswer:
    try:
        fields = _decode_fields(body)
    except UNDECODABLE:
        raise unreadable(body, call.secret) from None
    _raise_error(fields, body, call)
    try:
        choices = _decode_list(fields.get("choices", b"[]"))
        if not choices:
            raise unreadable(body, call.secret)
        fields["choices"] = _raw([_mend_choice(place, choice, call) for place, choice in enumerate(choices)])
    except UNDECODABLE:
        raise unreadable(body, call.secret) from None
    answer_model = _mend_head(fields, call)
    told = fields.get("usage", _NULL)
    usage = read_usage(told, completion_excludes_reasoning=call.quirks.completion_excludes_reasoning)
    if usage is None:
        fields.pop("usage", None)
    else:
        fields["usage"] = msgspec.Raw(usage.raw)
    mended = _encode(fields)
    try:
        _decode(mended)
    except UNDECODABLE:
        raise unreadable(body, call.secret) from None
    return _answer(mended, answer_model, usage.tokens if usage is not None else None)


def _raise_error(fields: _Fields, body: bytes, call: CallFacts) -> None:
    """An error told with status 200: at the top, or in a choice once the model had begun (OpenRouter)."""
    error = fields.pop("error", None)
    if error is not None and bytes(error) not in (b"null", b"{}", b'""', b"false"):
        raise failure_in_body(body, call.quirks, secret=call.secret, now=call.now())
    if fields.get("choices") is None and any(name in fields for name in ("errors", "detail")):
        raise failure_in_body(body, call.quirks, secret=call.secret, now=call.now())


def _mend_head(fields: _Fields, call: CallFacts) -> str:
    given_id, given_created, given_model = (_value(fields, name) for name in ("id", "created", "model"))
    fields["id"] = _raw(given_id if isinstance(given_id, str) and given_id else call.answer_id)
    fields["created"] = _raw(int(given_created) if isinstance(given_created, (int, float)) else call.created)
    answer_model = given_model if isinstance(given_model, str) and given_model else call.model
    fields["model"] = _raw(answer_model)
    fields["object"] = _raw(_OBJECT)
    return answer_model


def _mend_choice(place: int, choice: _Fields, call: CallFacts) -> _Fields:
    error = choice.pop("error", None)
    if error is not None and bytes(error) != b"null":
        raise failure_in_body(_encode({"error": error}), call.quirks, secret=call.secret, now=call.now())
    message = _decode_fields(choice.get("message", b"{}"))
    has_calls = _mend_message(message)
    reason = _value(choice, "finish_reason")
    if isinstance(reason, str) and reason in FAILURES:
        raise UpstreamFailure(
            FailureKind.OVERLOADED if reason == "insufficient_system_resource" else FailureKind.SERVER_ERROR,
            f"The provider broke off its answer: {reason}.",
            status=200,
        )
    if not isinstance(reason, str) or not reason:
        reason = "tool_calls" if has_calls else "stop"
    reason = finish_reason(reason, call.quirks.finish_reasons)
    if reason == "stop" and has_calls and call.quirks.stop_with_tool_calls:
        reason = "tool_calls"
    index = _value(choice, "index")
    choice |= {
        "index": _raw(index if isinstance(index, int) else place),
        "message": _raw(message),
        "finish_reason": _raw(reason),
    }
    return choice


def _mend_message(message: _Fields) -> bool:
    """Returns whether the message holds tool calls."""
    message["role"] = _raw("assistant")
    text, reasoning = text_and_reasoning(_value(message, "content"))
    message["content"] = _raw(text)
    if reasoning and "reasoning_content" not in message:
        message["reasoning_content"] = _raw(reasoning)
    raw_calls = message.pop("tool_calls", None)
    calls = _decode_list(raw_calls) if raw_calls is not None and bytes(raw_calls) != b"null" else []
    if calls:
        message["tool_calls"] = _raw([_mend_call(call) for call in calls])
    return bool(calls)


def _mend_call(call: _Fields) -> _Fields:
    if "custom" in call:
        call["type"] = _raw("custom")
    else:
        call["type"] = _raw("function")
        function = _decode_fields(call.get("function", b"{}"))
        function["arguments"] = _raw(arguments_text(_value(function, "arguments")))
        call["function"] = _raw(function)
    if not isinstance(_value(call, "id"), str):
        call["id"] = _raw(f"call_{secrets.token_hex(12)}")
    return call


def text_and_reasoning(content: object) -> tuple[str | None, str]:
    """Content that may be a list of parts (Mistral's reasoning models), as its text and its thinking."""
    if not isinstance(content, list):
        return (content if isinstance(content, str) else None), ""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in content:
        if not isinstance(part, dict):
            continue
        if isinstance(text := part.get("text"), str):
            texts.append(text)
        thinking = part.get("thinking")
        if isinstance(thinking, str):
            thoughts.append(thinking)
        elif isinstance(thinking, list):
            thoughts.append(text_and_reasoning(thinking)[0] or "")
    return "".join(texts), "".join(thoughts)


def arguments_text(arguments: object) -> str:
    """Tool arguments as the string OpenAI sends, whether they came as that, as an object, or not at all."""
    if isinstance(arguments, str):
        return arguments
    return "{}" if arguments is None else _encode(arguments).decode()


def _value(fields: _Fields, name: str) -> object:
    raw = fields.get(name)
    value: object = None if raw is None else _decode_any(raw)
    return value


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_encode(value))
