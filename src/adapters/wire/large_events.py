"""Cuts streams whose events hold whole images: a picture in base64 is longer than any other event may be."""

from typing import Final

from typing_extensions import override

from adapters.wire.sse import EventCutter, EventTooLarge

MAX_LARGE_EVENT_BYTES: Final = 32 * 1024 * 1024


class LargeEventCutter(EventCutter):
    """As `EventCutter`, with room for images."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = bytearray()
        self._cr = False

    @override
    def feed(self, data: bytes) -> bytes:
        if self._cr or b"\r" in data:
            data = (b"\r" if self._cr else b"") + data
            self._cr = data.endswith(b"\r")
            data = data[: len(data) - self._cr].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        waiting = self._waiting
        start = max(len(waiting) - 1, 0)
        waiting += data
        end = waiting.rfind(b"\n\n", start) + 2
        block = b""
        if end >= 2:
            block = bytes(waiting[:end])
            del waiting[:end]
        if len(waiting) > MAX_LARGE_EVENT_BYTES:
            raise EventTooLarge(f"an event of the stream is longer than {MAX_LARGE_EVENT_BYTES} bytes")
        return block

    @override
    def rest(self) -> bytes:
        return bytes(self._waiting)
