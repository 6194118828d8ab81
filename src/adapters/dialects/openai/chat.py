"""OpenAI's chat completions, which are also the gateway's own: quirks on the way out, mending on the way back."""

from adapters.dialects.openai.answer import read_answer
from adapters.dialects.openai.quirks import Quirks
from adapters.dialects.openai.request import RequestEncoder
from adapters.dialects.openai.stream import ChatStreamDecoder
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.errors import failure_from_answer
from adapters.wire.rate_limits import RawHeaders, read_limits
from adapters.wire.replay import Replay, chat_replay
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure


class OpenAIChat:
    """One upstream's chat. `drop` adds an operator's own to the parameters the quirks drop."""

    stream_types = frozenset({"text/event-stream"})

    def __init__(self, quirks: Quirks, drop: tuple[str, ...] = ()) -> None:
        self._quirks = quirks
        self._encoder = RequestEncoder(quirks, drop)

    def encode(self, call: DialectCall[ChatRequest], *, stream: bool) -> Encoded:
        body, dropped = self._encoder.encode(
            call.payload,
            call.model,
            stream=stream,
            strict=call.strict,
            carried_from=call.carried_from,
            omit=call.omit,
        )
        return Encoded(body, dropped)

    def read(self, body: bytes, call: DialectCall[ChatRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        return read_answer(body, call, self._quirks)

    def decoder(self, call: DialectCall[ChatRequest], content_type: str) -> ChatStreamDecoder:  # noqa: ARG002 - events
        return ChatStreamDecoder(call, self._quirks, include_usage=call.include_usage)

    def replay(self, answer: PlainAnswer, call: DialectCall[ChatRequest]) -> Replay:
        return chat_replay(answer, call)

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[ChatRequest]) -> UpstreamFailure:
        return failure_from_answer(status, headers, body, self._quirks, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:
        table = self._quirks.limits
        return read_limits(headers, table, now, by_model=self._quirks.limits_by_model) if table else ()
