"""What stands in for JSON in an upstream's bytes: what decoding it can raise, and what can be mended before."""

import re
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""Bytes of an upstream may be no JSON, no UTF-8, or nested without end."""

_ESCAPES = re.compile(
    rb"\\\\"  # an escaped backslash: what follows it is no escape
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"  # half of one
)
_HALF_BYTES = len(rb"\ud83d")


def without_halves(text: bytes) -> bytes:
    r"""JSON with each lone surrogate escape replaced by U+FFFD; the same object where there is none.

    Relays that cut text by UTF-16 units split an emoji into `"\ud83d"` and `"\ude00"`, which are JSON (RFC 8259 8.2)
    and no Unicode: strict decoders refuse all of the answer for them. Example: `{"a": "\ud83d"}` becomes
    `{"a": "\ufffd"}`, and `{"a": "\ud83d\ude00"}` stays.
    """
    if b"\\ud" not in text and b"\\uD" not in text:
        return text
    return _ESCAPES.sub(_whole, text)


def _whole(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if len(escape[0]) == _HALF_BYTES else escape[0]


def without_odd_bytes(data: bytes) -> bytes:
    """With U+FFFD for what is no UTF-8; the same object where all is. JSON outside of its strings has none to lose."""
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode()
    return data


def mended(data: bytes, shape: type) -> bytes:
    """JSON that a strict decoder of `shape` refused, with what can be read of it in the form that it takes.

    Halves of characters and bytes that are none become U+FFFD, and each field is read by itself (`fitting`).
    Raises one of `UNDECODABLE`.
    """
    from adapters.wire.fitting import fitted

    return fitted(without_odd_bytes(without_halves(data)), shape)


class TolerantDecoder(Generic[T]):
    """Decodes JSON strictly; where that fails, again with each field read by itself. Raises one of `UNDECODABLE`."""

    def __init__(self, shape: type[T]) -> None:
        self._shape = shape
        self._decode = msgspec.json.Decoder(shape).decode

    def __call__(self, data: bytes | bytearray | msgspec.Raw) -> T:
        try:
            return self._decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._decode(mended(bytes(data), self._shape))
