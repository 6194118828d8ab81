"""OpenAI's audio endpoints as the gateway reads them. Source: openai-python 3.52 types (November 2026)."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from msgspec import Meta
from typing_extensions import override

from domain.forms import UploadedFile
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

    @property
    @override
    def units(self) -> Mapping[str, int]:
        return {"character": len(self.input)}

    @override
    def prompt_texts(self) -> Iterator[str]:
        yield self.input


LEAST_BYTES_A_SECOND = 2_000
"""Of speech that is packed tightly: a recording is hardly ever longer than its bytes divided by this."""

TOKENS_A_SECOND = 10
"""Of sound, as OpenAI's models that transcribe count it; the text that comes of it is shorter."""


class TranscriptionRequest(InferenceRequest, kw_only=True):
    """The form of `POST /v1/audio/transcriptions`. `form` is every other field, in its order, as it was sent."""

    file: UploadedFile
    form: tuple[tuple[str, str], ...] = ()
    response_format: str | None = None  # json, text, srt, verbose_json, vtt
    stream: bool | None = None

    @property
    @override
    def media_tokens(self) -> int:
        return self._seconds * TOKENS_A_SECOND

    @property
    @override
    def units(self) -> Mapping[str, int]:
        return {"second": self._seconds * 1000}

    @property
    @override
    def output_limit(self) -> int | None:
        return self._seconds * TOKENS_A_SECOND

    @property
    def _seconds(self) -> int:
        return 1 + len(self.file.data) // LEAST_BYTES_A_SECOND

    @property
    @override
    def streams(self) -> bool:
        return bool(self.stream)


class TranslationRequest(TranscriptionRequest, kw_only=True):
    """The form of `POST /v1/audio/translations`: what is said, written down in English. It never streams."""

    @property
    @override
    def streams(self) -> bool:
        return False
