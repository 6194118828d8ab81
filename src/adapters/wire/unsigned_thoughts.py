"""Takes out of a conversation for Anthropic the thoughts that Anthropic never signed: it refuses a request with one.

They come from other providers: a conversation may have been theirs before, and their thoughts are shown to
Anthropic's clients with an empty signature, or as redacted thinking of the gateway's own. Source: wire facts on
Anthropic, section 5 (November 2026).
"""

import re
from typing import Final

import msgspec

from adapters.wire.carried_extras import MARK
from adapters.wire.undecodable import UNDECODABLE

_FOREIGN: Final = re.compile(rb'"signature"\s*:\s*""|"data"\s*:\s*"' + re.escape(MARK.encode()))


class _Block(msgspec.Struct):
    type: str = ""
    signature: str | None = None
    data: str | None = None


_decode_turns = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_decode_blocks = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_block = msgspec.json.Decoder(_Block).decode
_encode = msgspec.json.Encoder().encode


def without_unsigned_thoughts(messages: msgspec.Raw) -> msgspec.Raw | None:
    """The list without them, a turn of nothing else left out whole; None where there are none to take out."""
    if not _FOREIGN.search(bytes(messages)):
        return None
    try:
        turns = _decode_turns(messages)
        kept = [turn for turn in turns if _strip(turn)]
    except UNDECODABLE:
        return None  # for Anthropic to refuse in its own words
    return msgspec.Raw(_encode(kept))


def _strip(turn: dict[str, msgspec.Raw]) -> bool:
    """Whether anything of the turn is left."""
    content = turn.get("content", msgspec.Raw(b"null"))
    if bytes(turn.get("role", b"")) != b'"assistant"' or not bytes(content).startswith(b"["):
        return True
    blocks = _decode_blocks(content)
    signed = [block for block in blocks if not _is_unsigned(_decode_block(block))]
    turn["content"] = msgspec.Raw(_encode(signed))
    return bool(signed) or not blocks


def _is_unsigned(block: _Block) -> bool:
    if block.type == "redacted_thinking":
        return (block.data or "").startswith(MARK)
    return block.type == "thinking" and block.signature == ""
