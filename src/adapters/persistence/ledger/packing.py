"""Decisions as bytes: JSON arrays, compressed where that helps."""

import zlib
from typing import Final

import msgspec

from domain.decisions import DecisionNote

_PLAIN: Final = b"0"
_COMPRESSED: Final = b"1"
_WORTH_COMPRESSING = 400
_MOST_BYTES = 1_000_000

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(DecisionNote).decode


def packed(note: DecisionNote) -> bytes:
    """What `unpacked` reads."""
    body = _encode(note)
    if len(body) < _WORTH_COMPRESSING:
        return _PLAIN + body
    return _COMPRESSED + zlib.compress(body, 6)


def unpacked(body: bytes) -> DecisionNote:
    """Raises `ValueError` for what is none."""
    kind, rest = body[:1], body[1:]
    if kind == _COMPRESSED:
        rest = zlib.decompressobj().decompress(rest, _MOST_BYTES)
    elif kind != _PLAIN:
        raise ValueError(f"{kind!r} is no way in which decisions are kept")
    return _decode(rest)
