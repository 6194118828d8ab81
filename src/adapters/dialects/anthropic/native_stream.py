"""Passes a Messages stream on as the bytes it came, and reads along.

R-08: the parser only observes, and mends what SDKs cannot follow. Held back is `message_stop` alone, which is sent
when the call is settled. An event without a name gets the one its data says: SDKs do not see events that have none.
Source: wire facts of November 2026.
"""

from adapters.dialects.anthropic.errors import cut_off, failure_told, not_an_answer
from adapters.dialects.anthropic.events import Delta, StreamEvent, read_stream_event
from adapters.dialects.anthropic.history import ABSENT
from adapters.dialects.anthropic.native_order import NativeOrder
from adapters.dialects.anthropic.usage import Usage
from adapters.wire.call import WireCall
from adapters.wire.chat_answer import MAX_KEPT_TEXT_CHARS
from adapters.wire.errors import unreadable
from adapters.wire.sse import EVENT_STREAM, EventCutter, EventTooLarge, read_event
from adapters.wire.undecodable import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.messages import MessagesRequest
from domain.usage import TokenUsage


class NativeStreamDecoder:
    """Fed with bytes as they arrive; gives back whole events. Never raises."""

    content_type = EVENT_STREAM

    def __init__(self, call: WireCall[MessagesRequest]) -> None:
        self.failure: UpstreamFailure | None = None
        self.done = False
        self.model = call.model
        self.has_content = False
        self.output_bytes = 0
        self.ending = b""
        self._call = call
        self._cutter = EventCutter()
        self._order = NativeOrder(call)
        self._counts = Usage()
        self._counted = False
        self._begun = False
        self._kept: list[str] = []
        self._kept_chars = 0

    @property
    def usage(self) -> TokenUsage | None:
        """None until the output was counted: the beginning's count is no count of it."""
        return self._counts.tokens() if self._counted and self._counts.input_tokens is not None else None

    def output_text(self) -> str:
        return "".join(self._kept)

    def feed(self, data: bytes) -> bytes:
        if self._is_over():
            return b""
        output: list[bytes] = []
        try:
            block = self._cutter.feed(data)
            for text in block[:-2].split(b"\n\n") if block else ():
                event = self._pass(text)
                if self.done:
                    self.ending = event
                    break
                output.append(event)
        except EventTooLarge as error:
            self.failure = not_an_answer(str(error))
        except UpstreamFailure as failure:
            self.failure = failure
        return b"".join(output)

    def finish(self) -> bytes:
        if not self._is_over():
            self.failure = cut_off()
        return b""

    def _is_over(self) -> bool:
        return self.done or self.failure is not None

    def _pass(self, text: bytes) -> bytes:
        """The event as it goes to the client; nothing for an imitator's `[DONE]`."""
        name, data = read_event(text)
        if data is None or not data.strip():
            return text + b"\n\n"
        if data.strip() == b"[DONE]":
            return b""
        try:
            event = read_stream_event(data)
        except UNDECODABLE:
            if name == b"ping":
                return text + b"\n\n"
            if name == b"error":
                raise self._told(data) from None
            raise unreadable(data, self._call.secret, "an event of a message") from None
        if name == b"error" or event.type == "error" or event.error != ABSENT:
            raise self._told(data)
        self._observe(event)
        named = text if name or not event.type else b"event: " + event.type.encode() + b"\n" + text
        return self._order.kept(event, named, data, self._counts)

    def _told(self, data: bytes) -> UpstreamFailure:
        return failure_told(data, secret=self._call.secret, now=self._call.now())

    def _observe(self, event: StreamEvent) -> None:
        if event.type == "message_start":
            self._begun = True
            if event.message is not None:
                self.model = event.message.model or self.model
                self._counts = event.message.usage or self._counts
        elif event.type == "content_block_start" and event.content_block is not None:
            block = event.content_block
            self._say(block.text or block.thinking or block.name or "", always=block.type not in {"text", "thinking"})
        elif event.type == "content_block_delta" and event.delta is not None:
            self._say(_said(event.delta), always=False)
        elif event.type == "message_delta":
            self._note_end(event)
        elif event.type == "message_stop":
            if not self._begun:
                raise not_an_answer("the stream ended without an answer")
            self.done = True

    def _note_end(self, event: StreamEvent) -> None:
        self.has_content = self.has_content or (event.delta is not None and event.delta.stop_reason is not None)
        if event.usage is not None:
            self._counts = self._counts.with_later(event.usage)
            self._counted = self._counted or event.usage.output_tokens is not None

    def _say(self, text: str, *, always: bool) -> None:
        if not text and not always:
            return
        self._begun = self.has_content = True
        self.output_bytes += len(text.encode())
        if self._kept_chars < MAX_KEPT_TEXT_CHARS:
            self._kept.append(text)
            self._kept_chars += len(text)


def _said(delta: Delta) -> str:
    return delta.text or delta.thinking or delta.partial_json or ""
