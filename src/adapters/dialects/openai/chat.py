"""OpenAI's chat completions, which are also the gateway's own: quirks on the way out, mending on the way back."""

from adapters.dialects.openai.call import CallFacts
from adapters.dialects.openai.quirks import Quirks
from adapters.dialects.openai.replay import as_events
from adapters.dialects.openai.request import RequestEncoder
from adapters.dialects.openai.response import read_answer
from adapters.dialects.openai.stream import ChatStreamDecoder
from adapters.wire.answer import Encoded, PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.errors import failure_from_answer
from adapters.wire.rate_limits import RawHeaders, read_limits
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure


class OpenAIChat:
    """One upstream's chat. `drop` adds an operator's own to the parameters the quirks drop."""

    stream_types = frozenset({"text/event-stream"})

    def __init__(self, quirks: Quirks, drop: tuple[str, ...] = ()) -> None:
        self._quirks = quirks
        self._encoder = RequestEncoder(quirks, drop)

    def encode(self, call: WireCall[ChatRequest], *, stream: bool) -> Encoded:
        return Encoded(*self._encoder.encode(call.payload, call.model, stream=stream, strict=call.strict))

    def read(self, body: bytes, call: WireCall[ChatRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        return read_answer(body, self._facts(call))

    def decoder(self, call: WireCall[ChatRequest], content_type: str) -> ChatStreamDecoder:  # noqa: ARG002 - events
        return ChatStreamDecoder(self._facts(call), include_usage=call.include_usage)

    def replay(self, answer: PlainAnswer, call: WireCall[ChatRequest]) -> bytes:  # noqa: ARG002 - it is in the answer
        return as_events(answer)

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: WireCall[ChatRequest]) -> UpstreamFailure:
        return failure_from_answer(status, headers, body, self._quirks, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:
        table = self._quirks.limits
        return read_limits(headers, table, now) if table else ()

    def _facts(self, call: WireCall[ChatRequest]) -> CallFacts:
        return CallFacts(self._quirks, call.model, call.secret, call.now)
