"""Cuts `application/vnd.amazon.eventstream` into messages, whatever the chunks; botocore's parser checks the sums.

Source: botocore 1.44.5 `eventstream` (read 2026-11): length, header length and a checksum, headers, payload, a
checksum of all. botocore is imported with the first stream, not at start.
"""

import struct
from collections.abc import Iterator

import msgspec

from adapters.wire.sse import MAX_EVENT_BYTES


class Frame(msgspec.Struct, frozen=True):
    """One message. `kind` is `event`, `exception` or `error`; `name` says which."""

    kind: str
    name: str
    payload: bytes
    message: str = ""  # of an error without a payload


class BrokenFrame(Exception):
    """The bytes are no event stream, or were changed on the way."""


class FrameCutter:
    """Fed with bytes; gives whole messages."""

    def __init__(self) -> None:
        from botocore.eventstream import EventStreamBuffer, ParserError

        self._buffer = EventStreamBuffer()
        self._broken = (ParserError, struct.error, UnicodeDecodeError, LookupError, ValueError)
        self._waiting = 0

    @property
    def is_empty(self) -> bool:
        """Whether the bytes so far end with a whole message."""
        return self._waiting == 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The messages that are whole now. Raises `BrokenFrame`."""
        self._buffer.add_data(data)
        self._waiting += len(data)
        while True:
            try:
                message = next(self._buffer)
            except StopIteration:
                break
            except self._broken as error:
                raise BrokenFrame(str(error)) from None
            length = message.prelude.total_length
            if not 0 < length <= min(self._waiting, MAX_EVENT_BYTES):
                raise BrokenFrame(f"a message of {length} bytes")
            self._waiting -= length
            yield _frame(message.headers, message.payload)
        if self._waiting > MAX_EVENT_BYTES:
            raise BrokenFrame(f"a message is longer than {MAX_EVENT_BYTES} bytes")


def _frame(headers: dict[str, object], payload: bytes) -> Frame:
    kind = str(headers.get(":message-type", "event"))
    name = headers.get(":event-type") or headers.get(":exception-type") or headers.get(":error-code") or ""
    return Frame(kind, str(name), payload, str(headers.get(":error-message", "")))
