"""Passes a stream of server-sent events on, one after another, and knows when its answer is complete.

For formats that go through as they come: what is known of a stream is read from its events as they go by.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

from typing_extensions import override

from adapters.wire.error_body import MAX_MESSAGE_CHARS
from adapters.wire.kept_text import KeptText
from adapters.wire.read_stream import ReadStream, lacks_its_end_alone
from adapters.wire.sse import Event, EventCutter, read_event
from adapters.wire.undecodable import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.usage import TokenUsage


class EventReader(ABC):
    """What a format makes of its events: a subclass for each format. Its attributes are what is known so far.

    `complete` is set by the event that ends an answer; what follows it is still passed on.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        self.usage: TokenUsage | None = None
        self.has_content = False
        self.complete = False
        self._kept = KeptText()

    @property
    def output_bytes(self) -> int:
        return self._kept.bytes

    @abstractmethod
    def read(self, event: Event, text: bytes) -> bytes:
        """The block to pass on for an event that has data; `text` is the event as it came, with its blank line.

        Raises `UpstreamFailure` for an error told in the stream, one of `UNDECODABLE` for what is no event of it.
        """

    def last(self) -> bytes:
        """What is still to be said once the answer is complete and the bytes have ended."""
        return b""

    def generated(self, text: str) -> None:
        """Remember text that was generated."""
        self.has_content = True
        self._kept.add(text)

    def output_text(self) -> str:
        return self._kept.text()


class EventStreamDecoder(ReadStream[bytes]):
    """A `StreamDecoder` of events that are passed on. `unreadable` makes the failure of what cannot be read.

    R-08: complete only if the reader saw the event that ends an answer.
    """

    def __init__(
        self,
        reader: EventReader,
        unreadable: Callable[[bytes], UpstreamFailure],
        ending: bytes = b"",
        cutter: EventCutter | None = None,
    ) -> None:
        super().__init__()
        self.ending = ending
        self._reader = reader
        self._unreadable = unreadable
        self._cutter = cutter or EventCutter()

    @property
    def model(self) -> str:
        return self._reader.model

    @property
    def usage(self) -> TokenUsage | None:
        return self._reader.usage

    @property
    def has_content(self) -> bool:
        return self._reader.has_content

    @property
    def output_bytes(self) -> int:
        return self._reader.output_bytes

    def output_text(self) -> str:
        return self._reader.output_text()

    @override
    def _pieces(self, data: bytes) -> Iterable[bytes]:
        return self._cutter.feed(data)[:-2].split(b"\n\n")

    @override
    def _rest(self) -> Iterable[bytes]:
        rest = self._cutter.rest().strip(b"\n")
        return (rest,) if lacks_its_end_alone(rest) or _ends(read_event(rest)) else ()

    @override
    def _conclude(self) -> bytes:
        self.done = self._reader.complete
        return self._reader.last() if self.done else b""

    @override
    def _read(self, piece: bytes) -> bytes:
        event = read_event(piece)
        if event.data is None:
            return b""
        if _ends(event):
            if not (self._reader.complete or self._reader.has_content):
                raise self._unreadable(event.data)
            self.done = True
            return self._reader.last()
        try:
            return self._reader.read(event, _plain(piece))
        except UNDECODABLE:
            raise self._unreadable(event.data[:MAX_MESSAGE_CHARS]) from None


def _ends(event: Event) -> bool:
    return event.data is not None and event.data.strip() == b"[DONE]"


def _plain(text: bytes) -> bytes:
    """An event with its name and its data alone: an `id` breaks clients that are sent comments later on."""
    lines = text.split(b"\n")
    kept = [line for line in lines if line.startswith((b"data:", b"event:"))]
    return (text if len(kept) == len(lines) else b"\n".join(kept)) + b"\n\n"
