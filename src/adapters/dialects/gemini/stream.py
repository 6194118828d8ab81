"""Follows a streamed answer of Gemini's and tells it in OpenAI's chunks.

Source: google-genai 3.4 (November 2026), captured: `data: {…}` with CRLF, no event names, no `[DONE]`; each chunk has
new parts only and the usage so far. R-08: the end of the bytes completes an answer only if every candidate that was
asked for has told why it ended.
"""

import msgspec

from adapters.dialects.gemini.answer import (
    FAILURES,
    NO_ERROR,
    Answer,
    Candidate,
    citations,
    finish_reason,
    logprobs,
    token_usage,
)
from adapters.dialects.gemini.errors import ended_badly, told_failure
from adapters.dialects.gemini.made import image, is_audio, tool_call
from adapters.dialects.gemini.response import decode_answer
from adapters.wire.call import WireCall
from adapters.wire.chat_answer import ChunkWriter
from adapters.wire.errors import unreadable
from adapters.wire.sse import EVENT_STREAM, EventCutter, EventTooLarge, read_event
from adapters.wire.undecodable import UNDECODABLE
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage

_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode


class GeminiStreamDecoder:
    """Fed with bytes; gives back whole events. Finish reasons are told at the end: the last one said counts."""

    content_type = EVENT_STREAM

    def __init__(self, call: WireCall[ChatRequest]) -> None:
        self.failure: UpstreamFailure | None = None
        self.done = False
        self.usage: TokenUsage | None = None
        self._call = call
        self._cutter = EventCutter()
        self._writer = ChunkWriter(call)
        self._seen: set[int] = set()  # candidates that have begun
        self._ended: dict[int, str] = {}  # why, by candidate
        self._blocked = False

    @property
    def model(self) -> str:
        return self._writer.model

    @property
    def has_content(self) -> bool:
        return self._writer.has_content

    @property
    def output_bytes(self) -> int:
        return self._writer.output_bytes

    @property
    def ending(self) -> bytes:
        return b"data: [DONE]\n\n"

    def output_text(self) -> str:
        return self._writer.output_text()

    def feed(self, data: bytes) -> bytes:
        if self._over():
            return b""
        try:
            block = self._cutter.feed(data)
        except EventTooLarge as error:
            self.failure = UpstreamFailure(
                FailureKind.SERVER_ERROR, f"The provider's answer is invalid: {error}.", code="invalid_response"
            )
            return b""
        return self._told(block)

    def finish(self) -> bytes:
        if self._over():
            return b""
        rest = self._cutter.rest()
        output = self._told(rest + b"\n\n") if _whole(rest) else b""
        return output if self._over() else output + self._closed()

    def _over(self) -> bool:
        return self.done or self.failure is not None

    def _closed(self) -> bytes:
        if not self._complete():
            self.failure = UpstreamFailure(
                FailureKind.TRUNCATED, "The provider's stream ended before its answer was complete.", status=200
            )
            return b""
        bad = next((reason for reason in self._ended.values() if reason in FAILURES), None)
        if bad is not None and not self._writer.has_content:
            self.failure = ended_badly(bad)
            return b""
        self.done = True
        return self._endings() + self._writer.usage(self.usage)

    def _complete(self) -> bool:
        wanted = range(self._call.payload.value.n or 1)
        return self._blocked or self._seen.union(wanted) <= self._ended.keys()

    def _endings(self) -> bytes:
        writer = self._writer
        if self._blocked:
            return writer.finish("content_filter")
        return b"".join(
            writer.finish(finish_reason(reason, called=bool(writer.tool_calls_of(index))), index)
            for index, reason in sorted(self._ended.items())
        )

    def _told(self, block: bytes) -> bytes:
        output: list[bytes] = []
        for text in block.split(b"\n\n"):
            data = read_event(text).data if text else None
            if data is None:
                continue
            try:
                output.append(self._chunk(decode_answer(data)))
            except UpstreamFailure as failure:
                self.failure = failure
                break
            except UNDECODABLE:
                self.failure = unreadable(data, self._call.secret)
                break
        return b"".join(output)

    def _chunk(self, answer: Answer) -> bytes:
        if answer.error != NO_ERROR:
            raise told_failure(bytes(answer.error), self._call)
        writer = self._writer
        if answer.model_version:
            writer.model = answer.model_version
        if answer.response_id and not writer.answer_id:
            writer.answer_id = f"chatcmpl-{answer.response_id}"
        self.usage = token_usage(answer.usage_metadata) or self.usage
        self._blocked = self._blocked or (answer.blocked and not self._ended)
        return b"".join(self._candidate(candidate) for candidate in answer.candidates or ())

    def _candidate(self, candidate: Candidate) -> bytes:
        writer, index = self._writer, candidate.index
        self._seen.add(index)
        told = logprobs(candidate.logprobs_result)
        output: list[bytes] = []
        for part in candidate.parts:
            made = tool_call(part)
            if made is not None:
                output.append(writer.tool_call(made.id, made.name, made.arguments, index, made.extra))
            elif part.text and part.thought:
                output.append(writer.reasoning(part.text, index))
            elif part.text and told is not None:
                output.append(writer.text(part.text, index, logprobs=told))
                told = None
            elif part.text:
                output.append(writer.text(part.text, index))
            elif part.inline_data is not None and not part.thought:
                shown = image(part.inline_data)
                if shown is not None:
                    output.append(writer.delta({"images": [shown]}, index))
                elif is_audio(part.inline_data):
                    output.append(writer.delta({"audio": {"data": part.inline_data.data}}, index))
        pages = citations(candidate.grounding_metadata)
        if pages:
            output.append(writer.delta({"annotations": pages}, index))
        if candidate.finish_reason:
            self._ended[index] = candidate.finish_reason
        return b"".join(output) or writer.begin(index)


def _whole(rest: bytes) -> bool:
    """Whether what is left is an event all the same, of which only the blank line is missing."""
    data = read_event(rest).data
    if data is None:
        return False
    try:
        _decode_raw(data)
    except UNDECODABLE:
        return False
    return data.lstrip().startswith(b"{")
