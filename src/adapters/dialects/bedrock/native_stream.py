"""Unpacks InvokeModel's stream: every frame holds one event of the model's own format, in base64.

Source: botocore 1.44.5 service model (`PayloadPart`), captured frames (read 2026-11).
"""

from collections.abc import Iterator

import msgspec

from adapters.dialects.bedrock.errors import failure_in_event
from adapters.dialects.bedrock.frames import BrokenFrame, Frame, FrameCutter
from adapters.wire.errors import invalid_answer
from adapters.wire.undecodable import UNDECODABLE
from domain.secrets import Secret


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
