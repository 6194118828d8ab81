"""Cuts a byte stream into whole server-sent events, whatever the chunks, the line ends and the padding.

Works on bytes: a chunk may end inside a character, a line end or an event. Source: WHATWG HTML, 9.2.6.
"""

import re
from typing import Final, NamedTuple

EVENT_STREAM: Final = "text/event-stream; charset=utf-8"

MAX_EVENT_BYTES: Final = 1024 * 1024
MAX_LARGE_EVENT_BYTES: Final = 32 * 1024 * 1024
"""Of a stream whose events hold images, or the whole answer."""

MAX_EVENT_LINES: Final = 16 * 1024

_BOM: Final = b"\xef\xbb\xbf"
_BLANK_LINES: Final = re.compile(rb"\n{3,}")


class EventTooLarge(Exception):
    """An event is longer than `MAX_EVENT_BYTES`."""


class EventCutter:
    """Hands out blocks of whole events, line ends made LF, each event ending with one blank line.

    Further blank lines are left out, however many: a flood of them costs no more than its bytes.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._tail = bytearray()
        self._beginning: bytes | None = b""  # held while it could still become a byte order mark
        self._after_cr = False

    def feed(self, data: bytes) -> bytes:
        """The events that are whole now, empty where none is. Raises `EventTooLarge`."""
        if self._beginning is not None:
            data = self._beginning + data
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._beginning = data
                return b""
            self._beginning = None
            data = data.removeprefix(_BOM)
        if self._after_cr or b"\r" in data:
            data = self._without_cr(data)
        if b"\n\n\n" in data:
            data = _BLANK_LINES.sub(b"\n\n", data)
        tail = self._tail
        if not tail:
            if data.startswith(b"\n"):
                data = data.lstrip(b"\n")
            end = data.rfind(b"\n\n") + 2
            block = b"" if end < 2 else data if end == len(data) else data[:end]
            if len(block) != len(data):
                tail += data[len(block) :]
        else:
            start = len(tail) - 1
            tail += data
            end = tail.rfind(b"\n\n", start) + 2
            if end < 2:
                block = b""
            else:
                block = bytes(tail[:end])
                del tail[:end]
                if b"\n\n\n" in block:
                    block = _BLANK_LINES.sub(b"\n\n", block)
        self._check(block)
        return block

    def rest(self) -> bytes:
        """What is left without the blank line that would end it."""
        return (self._beginning or b"") + bytes(self._tail)

    def _check(self, block: bytes) -> None:
        most = self._max_event_bytes
        if len(self._tail) > most:
            raise _too_large(most)
        if len(block) > most and max(map(len, block.split(b"\n\n"))) > most:
            raise _too_large(most)
        if block.count(b"\n") > MAX_EVENT_LINES and _lines_of_an_event(block) > MAX_EVENT_LINES:
            raise EventTooLarge(f"an event of the stream has more than {MAX_EVENT_LINES} lines")

    def _without_cr(self, data: bytes) -> bytes:
        """A CR ends its line at once; a LF that follows it, be it in the next piece, is the same line end."""
        if not data:
            return data
        if self._after_cr:
            data = data.removeprefix(b"\n")
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _lines_of_an_event(block: bytes) -> int:
    return max(event.count(b"\n") for event in block.split(b"\n\n"))


def _too_large(most: int) -> EventTooLarge:
    return EventTooLarge(f"an event of the stream is longer than {most} bytes")


class Event(NamedTuple):
    """One event: its name (empty for a plain message) and its data, None where it has none."""

    name: bytes
    data: bytes | None


def read_event(text: bytes) -> Event:
    """The fields of one event. Comments, ids and retry times are dropped; llama.cpp's `error:` line is kept."""
    name, data = b"", None
    for line in text.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data = value if data is None else data + b"\n" + value
        elif field == b"event":
            name = value
        elif field == b"error":
            name, data = b"error", value
    return Event(name, data)
