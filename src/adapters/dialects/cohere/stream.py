"""Turns the events of v2/chat into OpenAI's chunks.

Rules: R-08. Only `message-end` completes an answer. Source: cohere 7.3.1 types (read 2026-11): every event has its
type in its data, too; some versions close with `[DONE]`.
"""

from typing import TypeVar

import msgspec
from typing_extensions import override

from adapters.dialects.cohere.answer import CohereCall, CohereCitation, CohereUsage, finish_reason
from adapters.dialects.cohere.errors import REFUSALS
from adapters.wire.call import DialectCall
from adapters.wire.errors import failure_in_body
from adapters.wire.raw_json import TolerantDecoder
from adapters.wire.read_stream import WrittenEvents
from domain.chat import ChatRequest


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


_decode = TolerantDecoder(_Event)
_NOTHING = _Message()

T = TypeVar("T")


class CohereStreamDecoder(WrittenEvents):
    """One stream. See `StreamDecoder` for the contract."""

    wanted = "an event of Cohere's"

    def __init__(self, call: DialectCall[ChatRequest]) -> None:
        super().__init__(call)
        self._arguments = True  # whether the tool call begun last has any

    @override
    def _event(self, name: bytes, data: bytes) -> bytes:
        event = _decode(data)
        return self._translate(event.type or name.decode("ascii", "replace"), event, data)

    def _translate(self, kind: str, event: _Event, data: bytes) -> bytes:
        writer = self._writer
        message = (event.delta.message if event.delta is not None else None) or _NOTHING
        if kind == "message-start":
            writer.answer_id = event.id or ""
            return writer.begin()
        if kind in {"content-start", "content-delta"}:
            return b"".join(
                writer.reasoning(part.thinking or "") + writer.text(part.text or "")
                for part in _as_list(message.content)
            )
        if kind == "tool-plan-delta":
            return writer.reasoning(message.tool_plan or "")
        if kind == "tool-call-start":
            return b"".join(self._begin_call(call) for call in _as_list(message.tool_calls))
        if kind == "tool-call-delta":
            return b"".join(self._more_arguments(call.arguments) for call in _as_list(message.tool_calls))
        if kind == "tool-call-end":
            return b"" if self._arguments else self._more_arguments("{}")
        if kind == "citation-start":
            notes = [note for citation in _as_list(message.citations) for note in citation.annotations()]
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


def _as_list(value: T | list[T] | None) -> list[T]:
    return [] if value is None else value if isinstance(value, list) else [value]
