"""Google's Gemini API as a dialect of chat: `generateContent` and `streamGenerateContent?alt=sse`."""

from adapters.dialects.gemini.errors import answered_failure
from adapters.dialects.gemini.request import encode_chat
from adapters.dialects.gemini.response import audio_format, read_chat
from adapters.dialects.gemini.settings import GeminiSettings
from adapters.dialects.gemini.stream import GeminiStreamDecoder
from adapters.wire.answer import Encoded, PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.sift import unsupported
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure


class GeminiChat:
    """The model is in the address, and so is whether it streams; neither is in the body."""

    stream_types = frozenset({"text/event-stream"})

    def __init__(self, settings: GeminiSettings | None = None) -> None:
        self._settings = settings or GeminiSettings()

    def encode(self, call: WireCall[ChatRequest], *, stream: bool) -> Encoded:
        wanted = call.payload.value.modalities or ()
        if stream and "audio" in wanted and audio_format(call) != "pcm16":
            raise unsupported("audio.format", "a stream is of pcm16")
        return encode_chat(call, self._settings)

    def read(self, body: bytes, call: WireCall[ChatRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        return read_chat(body, call)

    def decoder(self, call: WireCall[ChatRequest], content_type: str) -> GeminiStreamDecoder:  # noqa: ARG002 - events
        return GeminiStreamDecoder(call)

    def replay(self, answer: PlainAnswer, call: WireCall[ChatRequest]) -> None:
        """Gemini streams where it is asked to."""

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: WireCall[ChatRequest]) -> UpstreamFailure:
        return answered_failure(status, headers, body, call)

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:  # noqa: ARG002
        """It tells no limits in headers."""
        return ()
