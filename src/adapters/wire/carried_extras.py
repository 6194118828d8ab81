"""Carries what a provider hangs on its tool calls through a client that has no place for it.

Gemini signs its calls and wants the signatures back (`extra_content`); Anthropic's clients send redacted thinking back
unread, so it travels there. Source: wire facts on Gemini, OpenAI compatibility (November 2026).
"""

import base64
import binascii
from typing import Final

import msgspec

from adapters.wire.undecodable import UNDECODABLE

MARK: Final = "omg1."
"""How the data of such a block begins; Anthropic's own never does."""


class Carried(msgspec.Struct):
    """What hangs on one call."""

    id: str
    extra_content: msgspec.Raw


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Carried).decode


def pack(call_id: str, extra_content: msgspec.Raw) -> str:
    """The data of a `redacted_thinking` block."""
    return MARK + base64.urlsafe_b64encode(_encode(Carried(call_id, extra_content))).decode()


def unpack(data: str) -> Carried | None:
    """None for data that is not ours."""
    if not data.startswith(MARK):
        return None
    try:
        return _decode(base64.urlsafe_b64decode(data.removeprefix(MARK)))
    except (binascii.Error, ValueError, *UNDECODABLE):
        return None
