"""Turns ConverseStream's events into OpenAI's chunks.

Rules: R-08. An answer is complete with `messageStop` and a clean end; its usage comes after that, in `metadata`, and
may be lost without the answer being so. Source: botocore 1.44.5 service model (read 2026-11): blocks of text begin
without a start event, payloads carry padding, an exception may come in the midst of a 200.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from typing_extensions import override

from adapters.dialects.bedrock.answer import ConverseTerms, citation, finish_reason
from adapters.dialects.bedrock.errors import failure_in_event
from adapters.dialects.bedrock.frames import BrokenFrame, Frame, FrameCutter
from adapters.dialects.bedrock.tools import JSON_TOOL
from adapters.wire.call import DialectCall
from adapters.wire.errors import invalid_answer
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from adapters.wire.read_stream import WrittenChat
from adapters.wire.signatures import placed
from domain.chat import ChatRequest


class _StartedTool(msgspec.Struct, rename="camel"):
    tool_use_id: str
    name: str


class _Start(msgspec.Struct, rename="camel"):
    tool_use: _StartedTool | None = None


class _ToolInput(msgspec.Struct):
    input: str = ""


class _Thought(msgspec.Struct, rename="camel"):
    text: str = ""
    signature: str = ""
    redacted_content: str = ""


class _Delta(msgspec.Struct, rename="camel"):
    text: str = ""
    tool_use: _ToolInput | None = None
    reasoning_content: _Thought | None = None
    citation: dict[str, object] | None = None


class _Event(ConverseTerms, rename="camel"):
    """Every event's payload: each has some of these."""

    start: _Start | None = None
    delta: _Delta | None = None
    stop_reason: str | None = None


class _OpenBlock:
    """What is known of the content block that is being sent."""

    __slots__ = ("answer", "redacted", "signature", "start", "thought", "tool", "tool_input")

    def __init__(self, start: int = 0) -> None:
        self.start = start  # characters of text before it
        self.tool = False
        self.answer = False  # a call of the tool that stands for a JSON schema
        self.tool_input = False
        self.thought = ""
        self.signature = ""
        self.redacted = ""


_decode = TolerantDecoder(_Event)
_MAX_KEPT_THOUGHT: Final = 1024 * 1024


class ConverseStreamDecoder(WrittenChat[Frame]):
    """One stream. See `StreamDecoder` for the contract."""

    def __init__(self, call: DialectCall[ChatRequest], *, answers_by_tool: bool) -> None:
        super().__init__(call)
        self._answers_by_tool = answers_by_tool
        self._cutter = FrameCutter()
        self._block = _OpenBlock()
        self._stopped = False
        self._text_chars = 0

    @override
    def _pieces(self, data: bytes) -> Iterator[Frame]:
        try:
            yield from self._cutter.feed(data)
        except BrokenFrame as error:
            raise invalid_answer(f"the event stream is broken ({error})") from None

    @override
    def _read(self, piece: Frame) -> bytes:
        call = self._call
        if piece.kind != "event":
            raise failure_in_event(piece.name, piece.payload, piece.message, secret=call.secret, now=call.now())
        try:
            return self._translate(piece.name, _decode(piece.payload))
        except UNDECODABLE:
            raise invalid_answer(f"an event '{piece.name}' cannot be read") from None

    @override
    def _conclude(self) -> bytes:
        self.done = self._stopped and self._cutter.is_empty
        return b""

    def _translate(self, name: str, event: _Event) -> bytes:
        if name == "messageStart":
            return self._writer.begin()
        if name == "contentBlockStart":
            return self._start(event.start or _Start())
        if name == "contentBlockDelta":
            return self._delta(event.delta or _Delta())
        if name == "contentBlockStop":
            return self._stop()
        if name == "messageStop":
            self._stopped = True
            calls = self._writer.tool_calls_of()
            return self._writer.finish(
                finish_reason(event.stop_reason or "", tool_calls=calls, secret=self._call.secret)
            )
        if name == "metadata":
            return self._metadata(event)
        return b""  # events to come

    def _start(self, start: _Start) -> bytes:
        self._block = block = _OpenBlock(self._text_chars)
        if start.tool_use is None:
            return b""
        block.tool = True
        block.answer = self._answers_by_tool and start.tool_use.name == JSON_TOOL
        return b"" if block.answer else self._writer.tool_call(start.tool_use.tool_use_id, start.tool_use.name)

    def _delta(self, delta: _Delta) -> bytes:
        writer, block = self._writer, self._block
        self._text_chars += len(delta.text)
        output = writer.text(delta.text)
        if delta.tool_use is not None:
            block.tool_input = block.tool_input or bool(delta.tool_use.input)
            output += (writer.text if block.answer else writer.tool_arguments)(delta.tool_use.input)
        if delta.reasoning_content is not None:
            thought = delta.reasoning_content
            if len(block.thought) < _MAX_KEPT_THOUGHT:
                block.thought += thought.text
            block.signature += thought.signature
            block.redacted += thought.redacted_content
            output += writer.reasoning(thought.text)
        if delta.citation is not None:
            output += writer.delta({"annotations": [citation(delta.citation, block.start, self._text_chars)]})
        return output

    def _stop(self) -> bytes:
        block, self._block = self._block, _OpenBlock(self._text_chars)
        if block.tool and not block.tool_input:
            return b"" if block.answer else self._writer.tool_arguments("{}")
        if block.redacted:
            return self._signed({"type": "redacted_thinking", "data": block.redacted})
        if block.signature:
            return self._signed({"type": "thinking", "thinking": block.thought, "signature": block.signature})
        return b""

    def _signed(self, block: dict[str, object]) -> bytes:
        """A whole thought with its signature, for the next turn to send back."""
        place = placed(block, self._text_chars, self._writer.tool_calls_of())
        return self._writer.delta({"thinking_blocks": [place]})

    def _metadata(self, terms: ConverseTerms) -> bytes:
        self.usage = terms.counted()
        if not self._stopped:
            return b""
        self.done = True
        return self._writer.usage(self.usage)
