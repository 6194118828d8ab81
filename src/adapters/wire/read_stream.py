"""Follows an upstream's stream piece by piece: what every decoder does, whatever its pieces are.

Three steps, each a class: any pieces; pieces that become the chunks of a chat; server-sent events that do.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Generic, TypeVar

import msgspec
from typing_extensions import override

from adapters.wire.call import WireCall
from adapters.wire.chat_answer import ChunkWriter
from adapters.wire.errors import cut_off, invalid_answer, unreadable
from adapters.wire.sse import EVENT_STREAM, EventCutter, EventTooLarge, read_event
from adapters.wire.undecodable import UNDECODABLE
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
        told = self._follow(None)
        if not self._is_over():
            told += self._conclude()
        if not self._is_over():
            self.failure = cut_off()
        return told

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
        told: list[bytes] = []
        try:
            for piece in self._pieces(data) if data is not None else self._rest():
                told.append(self._read(piece))
                if self._is_over():
                    break
        except EventTooLarge as error:
            self.failure = invalid_answer(str(error))
        except UpstreamFailure as failure:
            self.failure = failure
        return b"".join(told)

    def _is_over(self) -> bool:
        return self.done or self.failure is not None


class WrittenChat(ReadStream[Piece]):
    """A stream told in OpenAI's chunks. What is known of it is what its writer wrote."""

    ending = b"data: [DONE]\n\n"

    def __init__(self, call: WireCall[ChatRequest]) -> None:
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

    def __init__(self, call: WireCall[ChatRequest]) -> None:
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
            return self._event(name, data)
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
