"""Turns the lines of a streamed /api/chat into OpenAI's chunks.

Rules: R-08. Only a line with `done` completes an answer. Source: ollama 0.6.3 types (read 2026-11): one JSON object a
line, tool calls whole, an error as a line of its own.
"""

from collections.abc import Iterable, Iterator

from typing_extensions import override

from adapters.dialects.ollama.answer import OllamaAnswer, decode_answer
from adapters.dialects.ollama.errors import reported_failure
from adapters.wire.call import DialectCall
from adapters.wire.errors import unreadable
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.read_stream import WrittenChat
from adapters.wire.sse import MAX_EVENT_BYTES
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure


class OllamaStreamDecoder(WrittenChat[bytes]):
    """One stream. See `StreamDecoder` for the contract."""

    def __init__(self, call: DialectCall[ChatRequest]) -> None:
        super().__init__(call)
        self._tail = bytearray()

    @override
    def _pieces(self, data: bytes) -> Iterator[bytes]:
        self._tail += data
        end = self._tail.rfind(b"\n", max(0, len(self._tail) - len(data))) + 1
        lines = bytes(self._tail[:end]).split(b"\n") if end else []
        del self._tail[:end]
        yield from lines
        if len(self._tail) > MAX_EVENT_BYTES:
            raise self._unreadable(f"a line longer than {MAX_EVENT_BYTES} bytes".encode())

    @override
    def _read(self, piece: bytes) -> bytes:
        if not piece.strip():
            return b""
        if len(piece) > MAX_EVENT_BYTES:
            raise self._unreadable(piece)
        try:
            return self._translate(decode_answer(piece))
        except UNDECODABLE:
            raise self._unreadable(piece) from None

    @override
    def _rest(self) -> Iterable[bytes]:
        """A last line may lack its end; a JSON object is whole or not."""
        try:
            decode_answer(self._tail)
        except UNDECODABLE:
            return ()
        return (bytes(self._tail),)

    def _unreadable(self, beginning: bytes) -> UpstreamFailure:
        return unreadable(beginning, self._call.secret, "a line of Ollama's")

    def _translate(self, answer: OllamaAnswer) -> bytes:
        if answer.error:
            call = self._call
            raise reported_failure(answer.error, secret=call.secret, now=call.now())
        writer = self._writer
        if answer.model:
            writer.model = answer.model
        output = [writer.begin()]
        if answer.message is not None:
            output.append(writer.reasoning(answer.message.thinking or ""))
            output.append(writer.text(answer.message.content or ""))
        token_logprobs = answer.openai_logprobs()
        if token_logprobs is not None:
            output.append(writer.delta({}, logprobs=token_logprobs))
        calls = answer.calls(self._call.answer_id, writer.tool_calls_of())
        output.extend(writer.tool_call(made.id, made.name, made.arguments) for made in calls)
        if answer.done:
            self.done = True
            self.usage = answer.usage
            output += [writer.finish(answer.finish(writer.tool_calls_of())), writer.usage(self.usage)]
        return b"".join(output)
