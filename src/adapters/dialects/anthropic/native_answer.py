"""A whole message that is passed on: as the bytes it came in where Anthropic's SDKs can read it, else mended.

Anthropic's own messages are sound. Imitators (other makers' `/anthropic` addresses, local servers) leave out an id or a
role, give calls without one, or write a count as text; typed clients refuse all of the message for it.
Source: anthropic-python 2.11 types (read 2026-11).
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.dialects.anthropic.answer import AnthropicMessage, ContentBlock
from adapters.wire.call import DialectCall, R, made_call_id
from adapters.wire.errors import invalid_answer
from adapters.wire.raw_json import UNDECODABLE, mended

_Text = Annotated[str, Meta(min_length=1)]


class _SoundBlock(msgspec.Struct):
    type: _Text
    text: str | UnsetType = UNSET
    thinking: str | UnsetType = UNSET
    signature: str | UnsetType = UNSET
    id: _Text | UnsetType = UNSET
    name: _Text | UnsetType = UNSET


class _SoundUsage(msgspec.Struct):
    input_tokens: int
    output_tokens: int


class _SoundMessage(msgspec.Struct):
    id: _Text
    type: Literal["message"]
    role: Literal["assistant"]
    model: _Text
    content: list[_SoundBlock]
    stop_reason: _Text
    usage: _SoundUsage


_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "text": ("text",),
    "thinking": ("thinking", "signature"),
    "tool_use": ("id", "name"),
}
"""By type of block, what no client can read it without."""

_decode_sound: Final = msgspec.json.Decoder(_SoundMessage).decode
_decode_any: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


def sound_message(body: bytes, call: DialectCall[R]) -> bytes:
    """The very same object where nothing is odd. `body` was read as a message already.

    Raises `UpstreamFailure` for a call that has no name: nobody could run it.
    """
    try:
        if all(_is_whole(block) for block in _decode_sound(body).content):
            return body
    except UNDECODABLE:
        pass
    message: dict[str, Any] = _decode_any(mended(body, AnthropicMessage))
    content = [
        sound_block(block, f"{call.answer_id}/{place}")
        for place, block in enumerate(message.get("content") or ())
        if block.get("type") or isinstance(block.get("text"), str)
    ]
    calls = any(block["type"] == "tool_use" for block in content)
    usage = message.get("usage") or {}
    counts = {name: usage.get(name) or 0 for name in ("input_tokens", "output_tokens")}
    return _encode(
        {
            "stop_sequence": None,
            **message,
            "id": message.get("id") or "msg_" + call.answer_id.removeprefix("chatcmpl-"),
            "type": "message",
            "role": "assistant",
            "model": message.get("model") or call.model,
            "content": content,
            "stop_reason": message.get("stop_reason") or ("tool_use" if calls else "end_turn"),
            "usage": usage | {name: int(count) for name, count in counts.items()},
        }
    )


def sound_block(block: dict[str, Any], seed: str) -> dict[str, Any]:
    """One block of a message, its fields as an SDK reads them. `seed` makes an id. Raises `UpstreamFailure`."""
    kind = block.get("type") or "text"
    missing = {name: "" for name in _NEEDS.get(kind, ()) if not isinstance(block.get(name), str)}
    whole = {**block, "type": kind, **missing}
    if kind == "tool_use":
        if not whole["name"]:
            raise invalid_answer("a tool call came without its name")
        whole["id"] = whole["id"] or made_call_id(seed)
        whole["input"] = whole["input"] if isinstance(whole.get("input"), dict) else {}
    return whole


def is_sound(block: ContentBlock) -> bool:
    """Whether a block, as it begins in a stream, has what its type needs then; a signature may come later."""
    wanted = [getattr(block, name) for name in _NEEDS.get(block.type, ()) if name != "signature"]
    return bool(block.type) and all(wanted if block.type == "tool_use" else (value is not None for value in wanted))


def _is_whole(block: _SoundBlock) -> bool:
    return all(getattr(block, name) is not UNSET for name in _NEEDS.get(block.type, ()))
