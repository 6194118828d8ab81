"""Reads a plain chat answer: forwarded as the bytes it came in where it is OpenAI's shape, else mended.

Source: typed clients of November 2026 read `choices[].finish_reason` as one of five words, tool arguments as
a string and content as a string or null; the quirks mended here are the providers' of `providers.json`.
"""

import logging
from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.dialects.openai.chunk import Delta
from adapters.dialects.openai.quirks import Quirks
from adapters.dialects.openai.tool_calls import FunctionDelta, arguments_text
from adapters.dialects.openai.usage import Usage, after_search, at_tier, cites_pages, count_usage, read_usage
from adapters.wire.call import AnswerFacts, PlainAnswer, made_call_id
from adapters.wire.errors import failure_in_body, unreadable
from adapters.wire.raw_json import UNDECODABLE, mended
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage

_OBJECT: Final = "chat.completion"
_NULL: Final = msgspec.Raw(b"null")


_Anything = object  # a field of an answer has that name
_Text = Annotated[str, Meta(min_length=1)]


class _Function(msgspec.Struct):
    name: _Text
    arguments: _Text


class _ToolCall(msgspec.Struct):
    id: _Text
    type: Literal["function", "custom"]
    function: _Function | UnsetType = UNSET
    index: int | None = None


class _Message(msgspec.Struct):
    role: Literal["assistant"]
    content: str | None = None
    tool_calls: list[_ToolCall] | None = None
    refusal: str | None = None
    annotations: msgspec.Raw | UnsetType = UNSET


class _Choice(msgspec.Struct):
    index: int
    message: _Message
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
    error: msgspec.Raw | UnsetType = UNSET


class _Completion(msgspec.Struct):
    id: _Text
    object: Literal["chat.completion"]
    created: int
    model: _Text
    choices: Annotated[list[_Choice], Meta(min_length=1)]
    usage: Usage | UnsetType | None = UNSET
    error: msgspec.Raw | UnsetType = UNSET
    service_tier: _Anything = None


class _OddChoice(msgspec.Struct):
    """As upstreams send it. A whole message is read like a delta."""

    index: int | None = None
    message: Delta | None = None
    finish_reason: str | None = None


class _OddCompletion(msgspec.Struct):
    choices: list[_OddChoice] | None = None
    id: str | None = None
    created: int | None = None
    model: str | None = None


_decode = msgspec.json.Decoder(_Completion).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_decode_odd = msgspec.json.Decoder(_OddCompletion).decode
_decode_function = msgspec.json.Decoder(FunctionDelta).decode
_decode_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_Fields = dict[str, msgspec.Raw]


def read_answer(body: bytes, call: AnswerFacts, quirks: Quirks) -> PlainAnswer:
    """Raises `UpstreamFailure` for an error in a 200 and for what is no answer. `quirks`: how this upstream differs."""
    body = body.strip()  # DeepSeek sends empty lines while it queues
    try:
        answer = _decode(body)
    except UNDECODABLE:
        return _mended(body, call, quirks)
    tokens, sound = None, answer.error is UNSET
    if isinstance(answer.usage, Usage):
        counted = count_usage(answer.usage, completion_excludes_reasoning=quirks.completion_excludes_reasoning)
        tokens, mended = counted or (None, True)
        sound = sound and not mended
    for choice in answer.choices:
        calls = choice.message.tool_calls
        sound = sound and choice.error is UNSET and (calls is None or _whole(calls))
        if calls and quirks.stop_with_tool_calls and choice.finish_reason == "stop":
            sound = False
    if not sound:
        return _mended(body, call, quirks)
    return _answer(body, answer.model, _billed(tokens, answer))


def _billed(tokens: TokenUsage | None, answer: _Completion) -> TokenUsage | None:
    """The usage with what the rest of the answer says of its bill."""
    for choice in answer.choices:
        if choice.message.annotations is not UNSET and cites_pages(choice.message.annotations):
            tokens = after_search(tokens)
            break
    return at_tier(tokens, answer.service_tier)


def _answer(body: bytes, model: str, tokens: TokenUsage | None) -> PlainAnswer:
    return PlainAnswer(body, model, tokens, "" if tokens is not None else output_text(body))


def _whole(calls: list[_ToolCall]) -> bool:
    """Whether each is one that a client can run and answer."""
    whole = bool(calls) and all(call.type == "custom" or call.function is not UNSET for call in calls)
    return whole and len({call.id for call in calls}) == len(calls)


def _mended(body: bytes, call: AnswerFacts, quirks: Quirks) -> PlainAnswer:
    try:
        fields = _decode_fields(_readable(body))
    except UNDECODABLE:
        raise unreadable(body, call.secret) from None
    _raise_error(fields, body, call, quirks)
    try:
        choices = _decode_list(fields.get("choices", b"[]")) if fields.get("choices") != _NULL else []
        if not choices:
            raise unreadable(body, call.secret)
        fields["choices"] = _raw([_mend_choice(place, choice, call, quirks) for place, choice in enumerate(choices)])
    except UNDECODABLE:
        raise unreadable(body, call.secret) from None
    answer_model = _mend_head(fields, call)
    reported = fields.get("usage", _NULL)
    usage = read_usage(reported, completion_excludes_reasoning=quirks.completion_excludes_reasoning)
    if usage is None:
        fields.pop("usage", None)
    else:
        fields["usage"] = msgspec.Raw(usage.raw)
    whole = _encode(fields)
    try:
        answer = _decode(whole)
    except UNDECODABLE:
        raise unreadable(body, call.secret) from None
    return _answer(whole, answer_model, _billed(usage.tokens if usage is not None else None, answer))


def _readable(body: bytes) -> bytes:
    """With every field that is mended below in a form that it can be read in."""
    try:
        _decode_odd(body)
    except UNDECODABLE:
        return mended(body, _OddCompletion)
    return body


def _raise_error(fields: _Fields, body: bytes, call: AnswerFacts, quirks: Quirks) -> None:
    """An error reported with status 200: at the top, or in a choice once the model had begun (OpenRouter)."""
    error = fields.pop("error", None)
    if error is not None and bytes(error) not in (b"null", b"{}", b'""', b"false"):
        raise failure_in_body(body, quirks, secret=call.secret, now=call.now())
    if fields.get("choices") is None and any(name in fields for name in ("errors", "detail")):
        raise failure_in_body(body, quirks, secret=call.secret, now=call.now())


def _mend_head(fields: _Fields, call: AnswerFacts) -> str:
    answer_model = str(_value(fields, "model") or call.model)
    fields["id"] = _raw(_value(fields, "id") or call.answer_id)
    created = _value(fields, "created")
    fields["created"] = _raw(call.created if created is None else created)
    fields["model"] = _raw(answer_model)
    fields["object"] = _raw(_OBJECT)
    return answer_model


def _mend_choice(place: int, choice: _Fields, call: AnswerFacts, quirks: Quirks) -> _Fields:
    error = choice.pop("error", None)
    if error is not None and bytes(error) != b"null":
        raise failure_in_body(_encode({"error": error}), quirks, secret=call.secret, now=call.now())
    message = _decode_fields(choice["message"]) if choice.get("message", _NULL) != _NULL else {}
    has_calls = _mend_message(message, f"{call.answer_id}/{place}")
    reason = _value(choice, "finish_reason")
    if isinstance(reason, str) and reason in FAILURES:
        raise UpstreamFailure(
            FailureKind.OVERLOADED if reason == "insufficient_system_resource" else FailureKind.SERVER_ERROR,
            f"The provider broke off its answer: {reason}.",
            status=200,
        )
    if not isinstance(reason, str) or not reason:
        reason = "tool_calls" if has_calls else "stop"
    reason = finish_reason(reason, quirks.finish_reasons)
    if reason == "stop" and has_calls and quirks.stop_with_tool_calls:
        reason = "tool_calls"
    index = _value(choice, "index")
    choice |= {
        "index": _raw(place if index is None else index),
        "message": _raw(message),
        "finish_reason": _raw(reason),
    }
    return choice


def _mend_message(message: _Fields, seed: str) -> bool:
    """Returns whether the message holds tool calls."""
    message["role"] = _raw("assistant")
    text, reasoning = text_and_reasoning(_value(message, "content"))
    message["content"] = _raw(text)
    if reasoning and "reasoning_content" not in message:
        message["reasoning_content"] = _raw(reasoning)
    if "refusal" in message and not isinstance(_value(message, "refusal"), str):
        message["refusal"] = _NULL
    raw_calls = message.pop("tool_calls", _NULL)
    calls = _decode_list(raw_calls) if raw_calls != _NULL else []
    known: set[str] = set()
    told = [_mend_call(call, f"{seed}/{place}", known) for place, call in enumerate(calls) if _says_anything(call)]
    if told:
        message["tool_calls"] = _raw(told)
    return bool(told)


def _says_anything(call: _Fields) -> bool:
    """Whether it is more than an empty place for a call."""
    function = call.get("function", _NULL)
    said = _decode_function(function) if function != _NULL else FunctionDelta()
    return bool(said.name or said.text().strip() or set(call) - {"index", "id", "type", "function"})


def _mend_call(call: _Fields, seed: str, known: set[str]) -> _Fields:
    if "custom" in call:
        call["type"] = _raw("custom")
    else:
        call["type"] = _raw("function")
        function = _decode_fields(call.get("function", b"{}"))
        function["arguments"] = _raw(arguments_text(_value(function, "arguments")) or "{}")
        call["function"] = _raw(function)
        call.pop("index", None)
    given = _value(call, "id")
    call_id = given if isinstance(given, str) and given and given not in known else made_call_id(seed)
    known.add(call_id)
    call["id"] = _raw(call_id)
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


def _value(fields: _Fields, name: str) -> object:
    raw = fields.get(name)
    value: object = None if raw is None else _decode_any(raw)
    return value


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_encode(value))


log = logging.getLogger(__name__)

KNOWN: Final = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})

FAILURES: Final = frozenset({"error", "insufficient_system_resource", "abort", "network_error"})
"""Not an end of an answer but of the service: what was said so far is no complete answer."""

_WORDS: Final[Mapping[str, str]] = {
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "complete": "stop",
    "model_length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "safety": "content_filter",
    "recitation": "content_filter",
    "sensitive": "content_filter",
}


def finish_reason(reason: str, own_words: Mapping[str, str]) -> str:
    """OpenAI's word for a provider's; an unknown one reads `stop`, with a log line."""
    if reason in KNOWN:
        return reason
    known = own_words.get(reason) or _WORDS.get(reason.lower())
    if known is not None:
        return known
    if reason.lower() in KNOWN:
        return reason.lower()
    log.warning("unknown finish reason", extra={"finish_reason": reason[:64]})
    return "stop"


class _SpokenFunction(msgspec.Struct):
    name: str = ""
    arguments: str = ""


class _SpokenCall(msgspec.Struct):
    function: _SpokenFunction | UnsetType = UNSET
    custom: msgspec.Raw | UnsetType = UNSET


class _SpokenMessage(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: object = None
    reasoning: object = None
    tool_calls: list[_SpokenCall] | None = None


class _SpokenChoice(msgspec.Struct):
    message: _SpokenMessage


class _SpokenAnswer(msgspec.Struct):
    choices: list[_SpokenChoice]


_decode_spoken = msgspec.json.Decoder(_SpokenAnswer).decode


def output_text(body: bytes) -> str:
    """Everything generated, of every choice: thinking, content, refusals, calls. `body` is a valid answer."""
    pieces: list[str] = []
    for choice in _decode_spoken(body).choices:
        message = choice.message
        thinking = message.reasoning_content or message.reasoning  # some providers send the same under both names
        pieces += [text for text in (thinking, message.content, message.refusal) if isinstance(text, str)]
        for call in message.tool_calls or ():
            if call.function is not UNSET:
                pieces += [call.function.name, call.function.arguments]
            elif call.custom is not UNSET:
                pieces.append(bytes(call.custom).decode())
    return "\n".join(pieces)
