"""Follows an upstream's stream piece by piece: what every decoder does, whatever its pieces are.

Three steps, each a class: any pieces; pieces that become the chunks of a chat; server-sent events that do.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import msgspec
from typing_extensions import override

from adapters.wire.call import DialectCall, KeptText
from adapters.wire.chat_answer import ChunkWriter
from adapters.wire.error_body import MAX_MESSAGE_CHARS
from adapters.wire.errors import cut_off, invalid_answer, unreadable
from adapters.wire.raw_json import UNDECODABLE, without_halves, without_odd_bytes
from adapters.wire.sse import EVENT_STREAM, Event, EventCutter, EventTooLarge, read_event
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.usage import TokenUsage

Piece = TypeVar("Piece")

_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode


class ReadStream(ABC, Generic[Piece]):
    """The loop of a `StreamDecoder`. What is raised while it reads is its `failure`; it never raises itself."""

    content_type = EVENT_STREAM

    def __init__(self) -> None:
        self.failure: UpstreamFailure | None = None
        self.done = False

    def feed(self, data: bytes) -> bytes:
        return b"" if self._is_over() else self._follow(data)

    def finish(self) -> bytes:
        """R-08: the end of the bytes makes an answer complete only where `_conclude` says so."""
        if self._is_over():
            return b""
        output = self._follow(None)
        if not self._is_over():
            output += self._conclude()
        if not self._is_over():
            self.failure = cut_off()
        return output

    @abstractmethod
    def _pieces(self, data: bytes) -> Iterable[Piece]:
        """What is whole now. Raises `EventTooLarge` or `UpstreamFailure`."""

    @abstractmethod
    def _read(self, piece: Piece) -> bytes:
        """What to give back for it. Sets `done` or raises `UpstreamFailure` where it is the last."""

    def _rest(self) -> Iterable[Piece]:
        """What the end of the bytes leaves that is whole all the same."""
        return ()

    def _conclude(self) -> bytes:
        """What is to be said when all is read. Sets `done` or `failure` where the bytes ended as they may."""
        return b""

    def _follow(self, data: bytes | None) -> bytes:
        """Reads on; without data, what is left."""
        blocks: list[bytes] = []
        try:
            for piece in self._pieces(data) if data is not None else self._rest():
                blocks.append(self._read(piece))
                if self._is_over():
                    break
        except EventTooLarge as error:
            self.failure = invalid_answer(str(error))
        except UpstreamFailure as failure:
            self.failure = failure
        return b"".join(blocks)

    def _is_over(self) -> bool:
        return self.done or self.failure is not None


class WrittenChat(ReadStream[Piece]):
    """A stream in OpenAI's chunks. What is known of it is what its writer wrote."""

    ending = b"data: [DONE]\n\n"

    def __init__(self, call: DialectCall[ChatRequest]) -> None:
        super().__init__()
        self.usage: TokenUsage | None = None
        self._call = call
        self._writer = ChunkWriter(call)

    @property
    def model(self) -> str:
        return self._writer.model

    @property
    def has_content(self) -> bool:
        return self._writer.has_content

    @property
    def output_bytes(self) -> int:
        return self._writer.output_bytes

    def output_text(self) -> str:
        return self._writer.output_text()


class WrittenEvents(WrittenChat[bytes]):
    """The same for a format of server-sent events. `wanted` is what an event should be, in the words of a failure."""

    wanted = "an event"
    silent = frozenset({b"", b"[DONE]"})  # data that says nothing

    def __init__(self, call: DialectCall[ChatRequest]) -> None:
        super().__init__(call)
        self._cutter = EventCutter()

    @abstractmethod
    def _event(self, name: bytes, data: bytes) -> bytes:
        """What to give back for an event. Raises `UpstreamFailure`, or one of `UNDECODABLE` for what is none."""

    @override
    def _pieces(self, data: bytes) -> Iterable[bytes]:
        return self._cutter.feed(data).split(b"\n\n")

    @override
    def _read(self, piece: bytes) -> bytes:
        name, data = read_event(piece)
        if data is None or data.strip() in self.silent:
            return b""
        try:
            return self._event(name, without_halves(data))
        except UNDECODABLE:
            raise unreadable(data, self._call.secret, self.wanted) from None


def lacks_its_end_alone(rest: bytes) -> bool:
    """Whether what a stream of events leaves is one, but for the blank line: its JSON has its end."""
    data = read_event(rest).data
    if data is None:
        return False
    try:
        _decode_raw(data)
    except UNDECODABLE:
        return False
    return data.lstrip().startswith(b"{")


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

        Raises `UpstreamFailure` for an error reported in the stream, one of `UNDECODABLE` for what is no event of it.
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
        piece = without_odd_bytes(piece)
        event = read_event(piece)
        if event.data is None:
            return b""
        if _ends(event):
            if not (self._reader.complete or self._reader.has_content):
                raise self._unreadable(event.data)
            self.done = True
            return self._reader.last()
        whole = without_halves(piece)
        try:
            return self._reader.read(
                event if whole is piece else read_event(whole), _plain(piece)
            )  # it passes as it came
        except UNDECODABLE:
            raise self._unreadable(event.data[:MAX_MESSAGE_CHARS]) from None


def _ends(event: Event) -> bool:
    return event.data is not None and event.data.strip() == b"[DONE]"


def _plain(text: bytes) -> bytes:
    """An event with its name and its data alone: an `id` breaks clients that are sent comments later on."""
    lines = text.split(b"\n")
    kept = [line for line in lines if line.startswith((b"data:", b"event:"))]
    return (text if len(kept) == len(lines) else b"\n".join(kept)) + b"\n\n"
