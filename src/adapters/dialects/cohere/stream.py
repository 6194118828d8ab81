"""Turns the events of v2/chat into OpenAI's chunks.

Rules: R-08. Only `message-end` completes an answer. Source: cohere 7.3.1 types (read 2026-11): every event has its
type in its data, too; some versions close with `[DONE]`.
"""

from typing import TypeVar

import msgspec

from adapters.dialects.cohere.answer_facts import CohereCitation, CohereUsage, finish_reason
from adapters.dialects.cohere.errors import REFUSALS
from adapters.dialects.cohere.response import CohereCall
from adapters.wire.call import WireCall
from adapters.wire.chat_answer import ChunkWriter
from adapters.wire.errors import failure_in_body, unreadable
from adapters.wire.sse import EVENT_STREAM, EventCutter, EventTooLarge, read_event
from adapters.wire.undecodable import UNDECODABLE
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage


class _Content(msgspec.Struct):
    text: str | None = None
    thinking: str | None = None


class _Message(msgspec.Struct):
    content: _Content | list[_Content] | None = None
    tool_plan: str | None = None
    tool_calls: CohereCall | list[CohereCall] | None = None
    citations: CohereCitation | list[CohereCitation] | None = None


class _Delta(msgspec.Struct):
    message: _Message | None = None
    finish_reason: str | None = None
    usage: CohereUsage = CohereUsage()
    error: str | None = None


class _Event(msgspec.Struct):
    type: str = ""
    id: str | None = None
    delta: _Delta | None = None


_decode = msgspec.json.Decoder(_Event).decode
_NOTHING = _Message()

T = TypeVar("T")


class CohereStreamDecoder:
    """One stream. See `StreamDecoder` for the contract."""

    content_type = EVENT_STREAM
    ending = b"data: [DONE]\n\n"

    def __init__(self, call: WireCall[ChatRequest]) -> None:
        self.failure: UpstreamFailure | None = None
        self.done = False
        self.usage: TokenUsage | None = None
        self._call = call
        self._cutter = EventCutter()
        self._writer = ChunkWriter(call)
        self._arguments = True  # whether the tool call begun last has any

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

    def feed(self, data: bytes) -> bytes:
        if self._is_over():
            return b""
        try:
            block = self._cutter.feed(data)
        except EventTooLarge as error:
            self.failure = unreadable(str(error).encode(), None, "an event stream")
            return b""
        output: list[bytes] = []
        for text in block.split(b"\n\n") if block else ():
            output.append(self._read(text))
            if self._is_over():
                break
        return b"".join(output)

    def finish(self) -> bytes:
        if not self._is_over():
            self.failure = UpstreamFailure(
                FailureKind.TRUNCATED, "The provider's stream ended before its answer was complete.", status=200
            )
        return b""

    def _is_over(self) -> bool:
        return self.done or self.failure is not None

    def _read(self, text: bytes) -> bytes:
        name, data = read_event(text)
        if not data or data.strip() == b"[DONE]":
            return b""
        try:
            event = _decode(data)
            return self._told(event.type or name.decode("ascii", "replace"), event, data)
        except UpstreamFailure as failure:
            self.failure = failure
        except UNDECODABLE:
            self.failure = unreadable(data, self._call.secret, "an event of Cohere's")
        return b""

    def _told(self, kind: str, event: _Event, data: bytes) -> bytes:
        writer = self._writer
        message = (event.delta.message if event.delta is not None else None) or _NOTHING
        if kind == "message-start":
            writer.answer_id = event.id or ""
            return writer.begin()
        if kind in {"content-start", "content-delta"}:
            return b"".join(
                writer.reasoning(part.thinking or "") + writer.text(part.text or "") for part in _each(message.content)
            )
        if kind == "tool-plan-delta":
            return writer.reasoning(message.tool_plan or "")
        if kind == "tool-call-start":
            return b"".join(self._begin_call(call) for call in _each(message.tool_calls))
        if kind == "tool-call-delta":
            return b"".join(self._more_arguments(call.arguments) for call in _each(message.tool_calls))
        if kind == "tool-call-end":
            return b"" if self._arguments else self._more_arguments("{}")
        if kind == "citation-start":
            notes = [note for citation in _each(message.citations) for note in citation.annotations()]
            return writer.delta({"annotations": notes}) if notes else b""
        if kind == "message-end":
            return self._end(event.delta or _Delta())
        if event.delta is None and not event.type:
            raise failure_in_body(data, REFUSALS, secret=self._call.secret, now=self._call.now())
        return b""  # events to come, and those that say nothing

    def _begin_call(self, call: CohereCall) -> bytes:
        self._arguments = bool(call.arguments)
        return self._writer.tool_call(call.id, call.name, call.arguments)

    def _more_arguments(self, arguments: str) -> bytes:
        self._arguments = self._arguments or bool(arguments)
        return self._writer.tool_arguments(arguments)

    def _end(self, delta: _Delta) -> bytes:
        self.usage = delta.usage.counted()
        reason = finish_reason(delta.finish_reason or "", delta.error)
        self.done = True
        return self._writer.finish(reason) + self._writer.usage(self.usage)


def _each(value: T | list[T] | None) -> list[T]:
    return [] if value is None else value if isinstance(value, list) else [value]
