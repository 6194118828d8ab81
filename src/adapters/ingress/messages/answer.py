"""A chat's answer as a message: text, thoughts and tool calls as blocks, the finish reason as a stop reason.

Source: anthropic-python 2.11 types and wire facts on Anthropic, sections 4 and 8 (November 2026).
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from adapters.wire.errors import unreadable
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from adapters.wire.signatures import Sealed, joined_details, pack, seal
from domain.usage import TokenUsage

_STOP_REASONS: Final = {"length": "max_tokens", "content_filter": "refusal"}

_EMPTY: Final = msgspec.Raw(b"{}")


class Thought(msgspec.Struct, omit_defaults=True):
    """One of Anthropic's own thinking blocks, carried through a chat."""

    type: str
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None


class _Function(msgspec.Struct):
    name: str = ""
    arguments: str = ""


class _Call(msgspec.Struct):
    id: str = ""
    function: _Function | None = None
    extra_content: msgspec.Raw | UnsetType = UNSET  # Gemini's signature


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None
    reasoning_content: object = None
    reasoning: object = None
    thinking_blocks: list[Thought] | None = None
    reasoning_details: list[Any] | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None
    stop_reason: object = None  # vLLM: the stop sequence that was hit


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    id: str = ""
    model: str = ""


_decode = TolerantDecoder(_Completion)
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def as_message(body: bytes, model: str, usage: TokenUsage, stops: Sequence[str] = ()) -> bytes:
    """The message a client gets. `usage` is the provider's count or an estimate; `stops` the client's sequences.

    Raises `UpstreamFailure` for what is no chat completion.
    """
    try:
        completion = _decode(body)
    except UNDECODABLE:
        raise unreadable(body, None) from None
    if not completion.choices:
        raise unreadable(body, None)
    choice = completion.choices[0]
    calls = choice.message.tool_calls or []
    refused = choice.message.refusal
    return _encode(
        {
            "id": message_id(completion.id),
            "type": "message",
            "role": "assistant",
            "model": model or completion.model,
            "content": [*_thoughts(choice.message), *_details(choice.message), *_said(choice.message), *_uses(calls)],
            **stop_facts(choice.finish_reason, choice.stop_reason, stops, has_calls=bool(calls), refused=refused),
            "usage": usage_json(usage),
        }
    )


def message_id(chat_id: str) -> str:
    """A chat's id as a message's."""
    return "msg_" + (chat_id.removeprefix("chatcmpl-") or "0")


def stop_facts(
    finish: str | None, hit: object, stops: Sequence[str], *, has_calls: bool, refused: str | None = None
) -> dict[str, object]:
    """Why the message ended. Some upstreams say `stop` although they called tools; the calls decide."""
    reason = _STOP_REASONS.get(finish or "") or ("tool_use" if has_calls else "end_turn")
    if refused and reason == "end_turn":
        reason = "refusal"
    sequence = hit if reason == "end_turn" and isinstance(hit, str) and hit in stops else None
    details = {"type": "refusal", "category": None, "explanation": refused} if reason == "refusal" else None
    return {
        "stop_reason": "stop_sequence" if sequence is not None else reason,
        "stop_sequence": sequence,
        "stop_details": details,
    }


def usage_json(usage: TokenUsage) -> dict[str, object]:
    """Usage as Anthropic counts it: the input without what was read from or written to a cache."""
    fresh = max(0, usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens)
    return {
        "input_tokens": fresh,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_tokens,
            "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens},
        "server_tool_use": None,
        "service_tier": "standard",
    }


def _thoughts(message: _Message) -> list[object]:
    if message.thinking_blocks:
        return list(message.thinking_blocks)
    text = message.reasoning_content or message.reasoning
    if not isinstance(text, str) or not text:
        return []
    return [{"type": "thinking", "thinking": text, "signature": ""}]


def _details(message: _Message) -> list[object]:
    block = details_block(message.reasoning_details or [])
    return [] if block is None else [block]


def details_block(details: Sequence[Any]) -> dict[str, object] | None:
    """The block that carries a provider's details of its reasoning; None for none. Clients send it back unread."""
    if not details:
        return None
    return {"type": "redacted_thinking", "data": seal(Sealed(reasoning_details=joined_details(details)))}


def _said(message: _Message) -> list[object]:
    """Without `citations`: Vercel's AI SDK takes a list there or nothing, and no `null` (3.0.138)."""
    text = message.content or message.refusal
    return [{"type": "text", "text": text}] if text else []


def _uses(calls: Sequence[_Call]) -> list[object]:
    """What hangs on a call stands before it, as redacted thinking that clients send back unread."""
    found: list[object] = []
    for call in calls:
        if not isinstance(call.extra_content, UnsetType):
            found.append(carried_block(call.id, call.extra_content))
        found.append(_tool_use(call))
    return found


def carried_block(call_id: str, extra_content: msgspec.Raw) -> dict[str, object]:
    """The block that carries a call's extra content."""
    return {"type": "redacted_thinking", "data": pack(call_id, extra_content)}


def _tool_use(call: _Call) -> dict[str, object]:
    function = call.function or _Function()
    return {"type": "tool_use", "id": call.id, "name": function.name, "input": _input(function.arguments)}


def _input(arguments: str) -> msgspec.Raw:
    """Arguments that are no object are shown as what they are, so that the model can be told (Anthropic's own form)."""
    if not arguments.strip():
        return _EMPTY
    try:
        _decode_object(arguments)
    except UNDECODABLE:
        return msgspec.Raw(_encode({"INVALID_JSON": arguments}))
    return msgspec.Raw(arguments.encode())
