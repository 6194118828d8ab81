"""Ollama's chat as a dialect."""

from collections.abc import Sequence

from adapters.dialects.ollama.answer import decode_answer
from adapters.dialects.ollama.errors import failure_from_ollama, reported_failure
from adapters.dialects.ollama.request import encode_chat
from adapters.dialects.ollama.stream import OllamaStreamDecoder
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.chat_answer import MadeMessage, chat_answer
from adapters.wire.errors import unreadable
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.replay import Replay, chat_replay
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure


class OllamaChat:
    """Chat. `drop` are an operator's own parameters to leave out, `num_ctx` the context for requests that name none."""

    stream_types = frozenset({"application/x-ndjson", "application/json"})

    def __init__(self, drop: Sequence[str] = (), num_ctx: int | None = None) -> None:
        self._drop = drop
        self._num_ctx = num_ctx

    def encode(self, call: DialectCall[ChatRequest], *, stream: bool) -> Encoded:
        return encode_chat(call, self._drop, self._num_ctx, stream=stream)

    def read(self, body: bytes, call: DialectCall[ChatRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        """Raises `UpstreamFailure` for an error in a 200 and for what is no answer."""
        try:
            answer = decode_answer(body)
            calls = answer.calls(call.answer_id)
        except UNDECODABLE:
            raise unreadable(body, call.secret, "a chat of Ollama") from None
        if answer.error:
            raise reported_failure(answer.error, secret=call.secret, now=call.now())
        if answer.message is None or not answer.done:
            raise unreadable(body, call.secret, "a chat of Ollama")
        said = answer.message
        message = MadeMessage(said.content or None, said.thinking or "", calls, logprobs=answer.openai_logprobs())
        return chat_answer(call, [(message, answer.finish(len(calls)))], answer.usage, model=answer.model)

    def decoder(self, call: DialectCall[ChatRequest], content_type: str) -> OllamaStreamDecoder:  # noqa: ARG002 - lines
        return OllamaStreamDecoder(call)

    def replay(self, answer: PlainAnswer, call: DialectCall[ChatRequest]) -> Replay:
        return chat_replay(answer, call)

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[ChatRequest]) -> UpstreamFailure:
        return failure_from_ollama(status, headers, body, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:  # noqa: ARG002 - it sends none
        return ()
