"""Google's Gemini API as a dialect of chat: `generateContent` and `streamGenerateContent?alt=sse`."""

from adapters.dialects.gemini.answer import audio_format, read_chat
from adapters.dialects.gemini.contents import GeminiSettings
from adapters.dialects.gemini.errors import answered_failure
from adapters.dialects.gemini.request import encode_chat
from adapters.dialects.gemini.stream import GeminiStreamDecoder
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.replay import Replay, chat_replay
from adapters.wire.sift import unsupported
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure


class GeminiChat:
    """The model is in the address, and so is whether it streams; neither is in the body."""

    stream_types = frozenset({"text/event-stream"})

    def __init__(self, settings: GeminiSettings | None = None) -> None:
        self._settings = settings or GeminiSettings()

    def encode(self, call: DialectCall[ChatRequest], *, stream: bool) -> Encoded:
        wanted = call.payload.value.modalities or ()
        if stream and "audio" in wanted and audio_format(call) != "pcm16":
            raise unsupported("audio.format", "a stream is of pcm16")
        return encode_chat(call, self._settings)

    def read(self, body: bytes, call: DialectCall[ChatRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        return read_chat(body, call)

    def decoder(self, call: DialectCall[ChatRequest], content_type: str) -> GeminiStreamDecoder:  # noqa: ARG002 - events
        return GeminiStreamDecoder(call)

    def replay(self, answer: PlainAnswer, call: DialectCall[ChatRequest]) -> Replay:
        return chat_replay(answer, call)

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[ChatRequest]) -> UpstreamFailure:
        return answered_failure(status, headers, body, call)

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:  # noqa: ARG002
        """It tells no limits in headers."""
        return ()
