"""Cohere's chat as a dialect."""

from collections.abc import Sequence

from adapters.dialects.cohere.answer import read_chat
from adapters.dialects.cohere.errors import LIMITS, failure_from_cohere
from adapters.dialects.cohere.request import encode_chat
from adapters.dialects.cohere.stream import CohereStreamDecoder
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.rate_limits import RawHeaders, read_limits
from adapters.wire.replay import Replay, chat_replay
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure


class CohereChat:
    """Chat. `drop` are an operator's own parameters to leave out."""

    stream_types = frozenset({"text/event-stream"})

    def __init__(self, drop: Sequence[str] = ()) -> None:
        self._drop = drop

    def encode(self, call: DialectCall[ChatRequest], *, stream: bool) -> Encoded:
        return encode_chat(call, self._drop, stream=stream)

    def read(self, body: bytes, call: DialectCall[ChatRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        return read_chat(body, call)

    def decoder(self, call: DialectCall[ChatRequest], content_type: str) -> CohereStreamDecoder:  # noqa: ARG002 - events
        return CohereStreamDecoder(call)

    def replay(self, answer: PlainAnswer, call: DialectCall[ChatRequest]) -> Replay:
        return chat_replay(answer, call)

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[ChatRequest]) -> UpstreamFailure:
        return failure_from_cohere(status, headers, body, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:
        return read_limits(headers, LIMITS, now, by_model=True)
