"""Passes a Messages stream on as the bytes it came, and reads along.

R-08: the parser only observes, and mends what SDKs cannot follow. Held back is `message_stop` alone, which is sent
when the call is settled. An event without a name gets the one its data says: SDKs do not see events that have none.
Source: wire facts of November 2026.
"""

from collections.abc import Iterable

from typing_extensions import override

from adapters.dialects.anthropic.errors import failure_told
from adapters.dialects.anthropic.events import Delta, StreamEvent, read_told
from adapters.dialects.anthropic.native_order import NativeOrder
from adapters.dialects.anthropic.usage import StreamedUsage
from adapters.wire.call import WireCall
from adapters.wire.errors import invalid_answer, unreadable
from adapters.wire.kept_text import KeptText
from adapters.wire.read_stream import ReadStream
from adapters.wire.sse import EventCutter, read_event
from adapters.wire.undecodable import UNDECODABLE
from domain.messages import MessagesRequest
from domain.usage import TokenUsage


class NativeStreamDecoder(ReadStream[bytes]):
    """Fed with bytes as they arrive; gives back whole events. Never raises."""

    def __init__(self, call: WireCall[MessagesRequest]) -> None:
        super().__init__()
        self.model = call.model
        self.has_content = False
        self.ending = b""
        self._call = call
        self._cutter = EventCutter()
        self._order = NativeOrder(call)
        self._counts = StreamedUsage()
        self._begun = False
        self._kept = KeptText()

    @property
    def usage(self) -> TokenUsage | None:
        return self._counts.tokens()

    @property
    def output_bytes(self) -> int:
        return self._kept.bytes

    def output_text(self) -> str:
        return self._kept.text()

    @override
    def _pieces(self, data: bytes) -> Iterable[bytes]:
        block = self._cutter.feed(data)
        return block[:-2].split(b"\n\n") if block else ()

    @override
    def _read(self, piece: bytes) -> bytes:
        event = self._pass(piece)
        if not self.done:
            return event
        self.ending = event
        return b""

    def _pass(self, text: bytes) -> bytes:
        """The event as it goes to the client; nothing for an imitator's `[DONE]`."""
        name, data = read_event(text)
        if data is None or not data.strip():
            return text + b"\n\n"
        if data.strip() == b"[DONE]":
            return b""
        event = read_told(name, data, self._call)
        if event is None:
            return text + b"\n\n"
        if name == b"error" or event.type == "error":
            raise failure_told(data, secret=self._call.secret, now=self._call.now())
        self._observe(event)
        named = text if name or not event.type else b"event: " + event.type.encode() + b"\n" + text.lstrip(b"\n")
        try:
            return self._order.kept(event, named, data, self._counts.so_far)
        except UNDECODABLE:  # in a field that nobody read until now
            raise unreadable(data, self._call.secret, "an event of a message") from None

    def _observe(self, event: StreamEvent) -> None:
        if event.type == "message_start":
            self._begun = True
            if event.message is not None:
                self.model = event.message.model or self.model
                self._counts.start(event.message.usage)
        elif event.type == "content_block_start" and event.content_block is not None:
            block = event.content_block
            self._say(block.text or block.thinking or block.name or "", always=block.type not in {"text", "thinking"})
        elif event.type == "content_block_delta" and event.delta is not None:
            self._say(_said(event.delta), always=False)
        elif event.type == "message_delta":
            self._note_end(event)
        elif event.type == "message_stop":
            if not self._begun:
                raise invalid_answer("the stream ended without an answer")
            self.done = True

    def _note_end(self, event: StreamEvent) -> None:
        self.has_content = self.has_content or (event.delta is not None and event.delta.stop_reason is not None)
        self._counts.add(event.usage)

    def _say(self, text: str, *, always: bool) -> None:
        if not text and not always:
            return
        self._begun = self.has_content = True
        self._kept.add(text)


def _said(delta: Delta) -> str:
    return delta.text or delta.thinking or delta.partial_json or ""
