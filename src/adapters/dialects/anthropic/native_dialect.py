"""What is the same for everything of Anthropic's API that goes through as it is: its streams, refusals and limits."""

from adapters.dialects.anthropic import errors
from adapters.dialects.anthropic.native_stream import NativeStreamDecoder
from adapters.wire.answer import PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.rate_limits import RawHeaders, read_limits
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.messages import MessagesRequest


class NativeDialect:
    """The half of a `Dialect[MessagesRequest]` that does not depend on the endpoint.

    Errors keep the provider's words and type: Claude Code goes by them. Source: code.claude.com, gateways
    (read 2026-11).
    """

    stream_types = frozenset({"text/event-stream"})

    def decoder(self, call: WireCall[MessagesRequest], content_type: str) -> NativeStreamDecoder:  # noqa: ARG002 - SSE
        return NativeStreamDecoder(call)

    def replay(self, answer: PlainAnswer, call: WireCall[MessagesRequest]) -> bytes | None:  # noqa: ARG002 - see below
        """Anthropic answers a streamed request with a stream or an error, never with a whole message."""
        return None

    def failure(
        self, status: int, headers: RawHeaders, body: bytes, call: WireCall[MessagesRequest]
    ) -> UpstreamFailure:
        return errors.failure(status, headers, body, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:
        return read_limits(headers, errors.LIMITS, now)
