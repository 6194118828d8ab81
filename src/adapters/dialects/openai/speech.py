"""OpenAI's speech, passed on: the bytes of a file as they come, or events.

Source: openai-python 3.52 types (November 2026).
"""

from typing import Final

import msgspec
from typing_extensions import override

from adapters.dialects.openai.audio_usage import audio_usage
from adapters.dialects.openai.endpoint import Fields, OpenAIEndpoint
from adapters.dialects.openai.named_events import NamedEvents
from adapters.wire.answer import Encoded, PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.errors import failure_in_body
from adapters.wire.events import EventStreamDecoder
from adapters.wire.files import AUDIO_TYPES, FileDecoder, TextInsteadOfFile
from adapters.wire.sift import unsupported
from domain.audio import SpeechRequest
from domain.errors import UpstreamFailure

_EVENTS: Final = "text/event-stream"


class OpenAISpeech(OpenAIEndpoint[SpeechRequest]):
    """One upstream's speech. It streams by itself: no parameter asks for it."""

    name = "audio.speech"
    answer_name = "an audio file"
    stream_types = frozenset()

    @override
    def encode(self, call: WireCall[SpeechRequest], *, stream: bool) -> Encoded:
        """Accepts any file, as OpenAI's own clients do."""
        encoded = super().encode(call, stream=stream)
        return msgspec.structs.replace(encoded, headers=(("accept", "application/octet-stream"),))

    @override
    def ask_for_stream(self, out: Fields) -> None:
        """Nothing to ask for."""

    def read(self, body: bytes, call: WireCall[SpeechRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - never asked
        raise unsupported("stream_format", "speech is streamed")

    @override
    def decoder(self, call: WireCall[SpeechRequest], content_type: str) -> EventStreamDecoder | FileDecoder:
        if content_type == _EVENTS:
            reader = NamedEvents(
                call.model,
                lambda error: self.told_failure(error, call),
                ("speech.audio.done",),
                ("audio",),
                audio_usage,
            )
            return EventStreamDecoder(reader, lambda told: self.unreadable(told, call))
        if content_type.endswith("json") or content_type.startswith("text/"):
            return TextInsteadOfFile(call.model, lambda told: self._failure_of(told, call))
        return FileDecoder(call.model, _audio_type(content_type, call.payload.value.response_format))

    def _failure_of(self, told: bytes, call: WireCall[SpeechRequest]) -> UpstreamFailure:
        if told.lstrip().startswith(b"{"):
            return failure_in_body(told, self.quirks, secret=call.secret, now=call.now())
        return self.unreadable(told, call)


def _audio_type(given: str, response_format: str | None) -> str:
    """What the upstream calls its audio, and only that: a content type of its own could make a browser run it."""
    if given.startswith("audio/") and given.isascii() and given.isprintable() and len(given) <= 64:
        return given
    return AUDIO_TYPES.get(response_format or "mp3", "application/octet-stream")
