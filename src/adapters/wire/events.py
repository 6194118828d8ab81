"""Passes a stream of server-sent events on, one after another, and knows when its answer is complete.

For formats that go through as they come: what is known of a stream is read from its events as they go by.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

import msgspec

from adapters.wire.error_body import MAX_MESSAGE_CHARS
from adapters.wire.sse import EVENT_STREAM, Event, EventCutter, EventTooLarge, read_event
from adapters.wire.undecodable import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage

MAX_KEPT_TEXT_CHARS = 16 * 1024
"""Of what a stream generates, kept for an estimate where its usage never comes."""


_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode


class EventReader(ABC):
    """What a format makes of its events: a subclass for each format. Its attributes are what is known so far.

    `complete` is set by the event that ends an answer; what follows it is still passed on.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        self.usage: TokenUsage | None = None
        self.has_content = False
        self.output_bytes = 0
        self.complete = False
        self._kept: list[str] = []
        self._kept_chars = 0

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
        self.output_bytes += len(text.encode(errors="replace"))
        if self._kept_chars < MAX_KEPT_TEXT_CHARS:
            self._kept.append(text)
            self._kept_chars += len(text)

    def output_text(self) -> str:
        return "".join(self._kept)


class EventStreamDecoder:
    """A `StreamDecoder` of events that are passed on. `unreadable` makes the failure of what cannot be read.

    R-08: complete only if the reader saw the event that ends an answer.
    """

    content_type = EVENT_STREAM

    def __init__(
        self,
        reader: EventReader,
        unreadable: Callable[[bytes], UpstreamFailure],
        ending: bytes = b"",
        cutter: EventCutter | None = None,
    ) -> None:
        self.failure: UpstreamFailure | None = None
        self.done = False
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

    def feed(self, data: bytes) -> bytes:
        if self._is_over():
            return b""
        try:
            block = self._cutter.feed(data)
        except EventTooLarge as error:
            self.failure = UpstreamFailure(
                FailureKind.SERVER_ERROR,
                f"The provider's answer is invalid: {error}.",
                status=200,
                code="invalid_response",
            )
            return b""
        return self._read(block) if block else b""

    def finish(self) -> bytes:
        if self._is_over():
            return b""
        rest = self._cutter.rest().strip(b"\n")
        told = self._read(rest + b"\n\n") if rest and self._is_whole(rest) else b""
        if self._is_over():
            return told
        if self._reader.complete:
            self.done = True
            return told + self._reader.last()
        self.failure = UpstreamFailure(
            FailureKind.TRUNCATED, "The provider's stream ended before its answer was complete.", status=200
        )
        return told

    def _is_over(self) -> bool:
        return self.done or self.failure is not None

    def _is_whole(self, rest: bytes) -> bool:
        """Whether an event lacks its blank line alone: `[DONE]`, or JSON that has its end."""
        data = (read_event(rest).data or b"").strip()
        try:
            _decode_raw(data)
        except UNDECODABLE:
            return data == b"[DONE]"
        return data.startswith(b"{")

    def _read(self, block: bytes) -> bytes:
        told: list[bytes] = []
        for text in block[:-2].split(b"\n\n"):
            event = read_event(text)
            if event.data is None:
                continue
            if event.data.strip() == b"[DONE]":
                if self._reader.complete or self._reader.has_content:
                    self.done = True
                    told.append(self._reader.last())
                else:
                    self.failure = self._unreadable(event.data)
                break
            try:
                told.append(self._reader.read(event, _plain(text)))
            except UpstreamFailure as failure:
                self.failure = failure
                break
            except UNDECODABLE:
                self.failure = self._unreadable(event.data[:MAX_MESSAGE_CHARS])
                break
        return b"".join(told)


def _plain(text: bytes) -> bytes:
    """An event with its name and its data alone: an `id` breaks clients that are sent comments later on."""
    lines = text.split(b"\n")
    kept = [line for line in lines if line.startswith((b"data:", b"event:"))]
    return (text if len(kept) == len(lines) else b"\n".join(kept)) + b"\n\n"
