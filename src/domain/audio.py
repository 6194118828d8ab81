"""OpenAI's speech and transcriptions as the gateway reads them. Source: openai-python 3.52 types (November 2026)."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta
from typing_extensions import override

from domain.inference import InferenceRequest, Json


class SpeechRequest(InferenceRequest, kw_only=True):
    """The body of `POST /v1/audio/speech`."""

    input: Annotated[str, Meta(min_length=1)]
    voice: str | dict[str, Json] | None = None
    response_format: str | None = None  # mp3, opus, aac, flac, wav, pcm
    speed: Annotated[float, Meta(ge=0.25, le=4)] | None = None
    instructions: str | None = None
    stream_format: str | None = None  # `audio` or `sse`

    @property
    @override
    def streams(self) -> bool:
        return True

    @override
    def prompt_texts(self) -> Iterator[str]:
        yield self.input


class AudioFile(msgspec.Struct, frozen=True):
    """An uploaded recording."""

    name: str
    content_type: str
    data: bytes


class TranscriptionRequest(InferenceRequest, kw_only=True):
    """The form of `POST /v1/audio/transcriptions`. `form` is every other field, in its order, as it was sent."""

    file: AudioFile
    form: tuple[tuple[str, str], ...] = ()
    response_format: str | None = None  # json, text, srt, verbose_json, vtt
    stream: bool | None = None

    @property
    @override
    def streams(self) -> bool:
        return bool(self.stream)
