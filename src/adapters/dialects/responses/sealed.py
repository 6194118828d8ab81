"""What an upstream wants back in the next turn, carried through the client in `encrypted_content`.

Anthropic signs its thinking, Gemini its tool calls, OpenRouter details its reasoning. Chat has fields for them and
Responses has not, but clients send a reasoning item back as they got it: what chat said is sealed into one. It is
no secret and trusted no more than the rest of a client's history.
"""

import base64
import binascii
from typing import Any

import msgspec

from adapters.wire.undecodable import UNDECODABLE

_PREFIX = "omg1."

REASONING_ID_PREFIX = "rs_omg"
"""Of the reasoning items made here, by which they are told from an upstream's own."""


class Sealed(msgspec.Struct, omit_defaults=True):
    """`extra_content` is by the id of the tool call it belongs to."""

    thinking_blocks: list[Any] = []
    reasoning_details: list[Any] = []
    extra_content: dict[str, Any] = {}

    def __bool__(self) -> bool:
        return bool(self.thinking_blocks or self.reasoning_details or self.extra_content)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Sealed).decode


def seal(value: Sealed) -> str | None:
    """None where there is nothing to carry."""
    return _PREFIX + base64.b64encode(_encode(value)).decode() if value else None


def unseal(text: str | None) -> Sealed | None:
    """None for what was not sealed here, or not like this."""
    if text is None or not text.startswith(_PREFIX):
        return None
    try:
        return _decode(base64.b64decode(text[len(_PREFIX) :], validate=True))
    except (binascii.Error, ValueError, *UNDECODABLE):
        return None
