"""Translates a streamed answer of Gemini's into OpenAI's chunks.

Source: google-genai 3.4 (November 2026), captured: `data: {…}` with CRLF, no event names, no `[DONE]`; each chunk has
new parts only and the usage so far. R-08: the end of the bytes completes an answer only if every candidate that was
asked for has said why it ended.
"""

from collections.abc import Iterable

from typing_extensions import override

from adapters.dialects.gemini.answer import (
    FAILURES,
    NO_ERROR,
    Candidate,
    GenerateContentResponse,
    citations,
    decode_answer,
    finish_reason,
    image,
    is_audio,
    logprobs,
    token_usage,
    tool_call,
    with_searches,
)
from adapters.dialects.gemini.errors import ended_badly, reported_failure
from adapters.wire.call import DialectCall
from adapters.wire.read_stream import WrittenEvents, lacks_its_end_alone
from domain.chat import ChatRequest
from domain.usage import TokenUsage


class GeminiStreamDecoder(WrittenEvents):
    """Fed with bytes; gives back whole events. Finish reasons are sent at the end: the last one said counts."""

    wanted = "a chat completion"
    silent = frozenset[bytes]()

    def __init__(self, call: DialectCall[ChatRequest]) -> None:
        super().__init__(call)
        self._seen: set[int] = set()  # candidates that have begun
        self._ended: dict[int, str] = {}  # why, by candidate
        self._grounded: dict[int, Candidate] = {}
        self._counted: TokenUsage | None = None
        self._blocked = False

    @override
    def _event(self, name: bytes, data: bytes) -> bytes:
        return self._chunk(decode_answer(data))

    @override
    def _rest(self) -> Iterable[bytes]:
        rest = self._cutter.rest()
        return (rest,) if lacks_its_end_alone(rest) else ()

    @override
    def _conclude(self) -> bytes:
        if not self._complete():
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

    def _chunk(self, answer: GenerateContentResponse) -> bytes:
        if answer.error != NO_ERROR:
            raise reported_failure(bytes(answer.error), self._call)
        writer = self._writer
        if answer.model_version:
            writer.model = answer.model_version
        if answer.response_id and not writer.answer_id:
            writer.answer_id = f"chatcmpl-{answer.response_id}"
        for candidate in answer.candidates or ():
            if candidate.grounding_metadata is not None:
                self._grounded[candidate.index] = candidate
        self._counted = token_usage(answer.usage_metadata) or self._counted
        self.usage = self._counted
        if self._grounded:
            self.usage = with_searches(self._counted, [*self._grounded.values()], self._call.model)
        self._blocked = self._blocked or (answer.blocked and not self._ended)
        return b"".join(self._candidate(candidate) for candidate in answer.candidates or ())

    def _candidate(self, candidate: Candidate) -> bytes:
        writer, index = self._writer, candidate.index
        self._seen.add(index)
        token_logprobs = logprobs(candidate.logprobs_result)
        output: list[bytes] = []
        for part in candidate.parts:
            made = tool_call(part)
            if made is not None:
                output.append(writer.tool_call(made.id, made.name, made.arguments, index, made.extra))
            elif part.text and part.thought:
                output.append(writer.reasoning(part.text, index))
            elif part.text and token_logprobs is not None:
                output.append(writer.text(part.text, index, logprobs=token_logprobs))
                token_logprobs = None
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
