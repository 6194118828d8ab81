"""Turns the lines of a streamed /api/chat into OpenAI's chunks.

Rules: R-08. Only a line with `done` completes an answer. Source: ollama 0.6.3 types (read 2026-11): one JSON object a
line, tool calls whole, an error as a line of its own.
"""

from adapters.dialects.ollama.answer_facts import OllamaAnswer, decode_answer
from adapters.dialects.ollama.errors import failure_told
from adapters.wire.call import WireCall
from adapters.wire.chat_answer import ChunkWriter
from adapters.wire.errors import unreadable
from adapters.wire.sse import EVENT_STREAM, MAX_EVENT_BYTES
from adapters.wire.undecodable import UNDECODABLE
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage


class OllamaStreamDecoder:
    """One stream. See `StreamDecoder` for the contract."""

    content_type = EVENT_STREAM
    ending = b"data: [DONE]\n\n"

    def __init__(self, call: WireCall[ChatRequest]) -> None:
        self.failure: UpstreamFailure | None = None
        self.done = False
        self.usage: TokenUsage | None = None
        self._call = call
        self._tail = bytearray()
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

    def feed(self, data: bytes) -> bytes:
        if self._is_over():
            return b""
        self._tail += data
        end = self._tail.rfind(b"\n", max(0, len(self._tail) - len(data))) + 1
        lines = bytes(self._tail[:end]).split(b"\n") if end else []
        del self._tail[:end]
        output: list[bytes] = []
        for line in lines:
            output.append(self._read(line))
            if self._is_over():
                break
        if len(self._tail) > MAX_EVENT_BYTES:
            self.failure = self._unreadable(f"a line longer than {MAX_EVENT_BYTES} bytes".encode())
        return b"".join(output)

    def finish(self) -> bytes:
        """A last line may lack its end; a JSON object is whole or not."""
        output = b""
        if not self._is_over() and self._tail.rstrip().endswith(b"}"):
            output = self._read(bytes(self._tail), last=True)
        if not self._is_over():
            self.failure = UpstreamFailure(
                FailureKind.TRUNCATED, "The provider's stream ended before its answer was complete.", status=200
            )
        return output

    def _is_over(self) -> bool:
        return self.done or self.failure is not None

    def _unreadable(self, beginning: bytes) -> UpstreamFailure:
        return unreadable(beginning, self._call.secret, "a line of Ollama's")

    def _read(self, line: bytes, *, last: bool = False) -> bytes:
        if not line.strip():
            return b""
        if len(line) > MAX_EVENT_BYTES:
            self.failure = self._unreadable(line)
            return b""
        try:
            return self._told(decode_answer(line))
        except UNDECODABLE:
            if not last:  # the last one may be cut off in the middle
                self.failure = self._unreadable(line)
        return b""

    def _told(self, answer: OllamaAnswer) -> bytes:
        if answer.error:
            call = self._call
            self.failure = failure_told(answer.error, secret=call.secret, now=call.now())
            return b""
        writer = self._writer
        if answer.model:
            writer.model = answer.model
        output = [writer.begin()]
        if answer.message is not None:
            output.append(writer.reasoning(answer.message.thinking or ""))
            output.append(writer.text(answer.message.content or ""))
        chances = answer.chances()
        if chances is not None:
            output.append(writer.delta({}, logprobs=chances))
        calls = answer.calls(self._call.answer_id, writer.tool_calls_of())
        output.extend(writer.tool_call(made.id, made.name, made.arguments) for made in calls)
        if answer.done:
            self.done = True
            self.usage = answer.usage
            output += [writer.finish(answer.finish(writer.tool_calls_of())), writer.usage(self.usage)]
        return b"".join(output)
