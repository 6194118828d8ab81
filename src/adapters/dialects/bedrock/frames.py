"""Cuts `application/vnd.amazon.eventstream` into messages, whatever the chunks; botocore's parser checks the sums.

A message is its length, the headers' length and a checksum, headers, payload, a checksum of all. In InvokeModel's
stream every one holds one event of the model's own format, in base64: `InvokeFrames` unpacks them. botocore is imported
with the first stream, not at start. Source: botocore 1.44.5 `eventstream`, service model (`PayloadPart`), captured
frames (read 2026-11).
"""

import struct
from collections.abc import Iterator

import msgspec

from adapters.dialects.bedrock.errors import failure_in_event
from adapters.wire.errors import invalid_answer
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sse import MAX_EVENT_BYTES
from domain.secrets import Secret


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


class _Part(msgspec.Struct):
    bytes: bytes


_decode = msgspec.json.Decoder(_Part).decode


class InvokeFrames:
    """Fed with bytes as they arrive; gives the events as server-sent ones."""

    def __init__(self, secret: Secret | None) -> None:
        self._cutter = FrameCutter()
        self._secret = secret

    def feed(self, data: bytes, now: float) -> Iterator[bytes]:
        """The events that are whole now. Raises `UpstreamFailure`."""
        try:
            for frame in self._cutter.feed(data):
                yield self._event(frame, now)
        except BrokenFrame as error:
            raise invalid_answer(f"the event stream is broken ({error})") from None

    def _event(self, frame: Frame, now: float) -> bytes:
        if frame.kind != "event":
            raise failure_in_event(frame.name, frame.payload, frame.message, secret=self._secret, now=now)
        if frame.name != "chunk":
            return b""  # events to come
        try:
            event = _decode(frame.payload).bytes
        except UNDECODABLE:
            raise invalid_answer("a part of its stream cannot be read") from None
        return b"data: " + event.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n\n"
