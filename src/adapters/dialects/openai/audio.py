"""OpenAI's speech, transcriptions and translations, passed on.

A file or events out of a text; JSON, text or events out of a form.

Source: openai-python 3.52 types (November 2026).
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from typing_extensions import TypeVar, override

from adapters.dialects.openai.endpoint import NULL, Fields, NamedEvents, OpenAIEndpoint, decode_any, raw, text_of
from adapters.dialects.openai.quirks import EndpointQuirks, Quirks
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.charges import BillingFields, milliseconds, with_billing, with_units
from adapters.wire.errors import failure_in_body
from adapters.wire.files import AUDIO_TYPES, FileDecoder, TextInsteadOfFile
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from adapters.wire.read_stream import EventStreamDecoder
from adapters.wire.replay import Replay, event, fields_on_one_line
from adapters.wire.sift import unsupported
from domain.audio import SpeechRequest, TranscriptionRequest, TranslationRequest
from domain.errors import UpstreamFailure
from domain.usage import TokenUsage


class _Details(msgspec.Struct):
    audio_tokens: int | None = None


class _Usage(BillingFields):
    type: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    prompt_tokens: int | None = None  # Mistral
    completion_tokens: int | None = None
    input_token_details: _Details | None = None
    output_token_details: _Details | None = None
    seconds: object = None  # whisper's, of the type `duration`
    prompt_audio_seconds: object = None  # Mistral's


_decode_usage = TolerantDecoder(_Usage)


def audio_usage(value: msgspec.Raw) -> TokenUsage | None:
    """None where there is nothing to read. Never raises."""
    try:
        usage = _decode_usage(value)
    except UNDECODABLE:
        return None
    inputs = usage.input_tokens if usage.input_tokens is not None else usage.prompt_tokens
    outputs = usage.output_tokens if usage.output_tokens is not None else usage.completion_tokens
    if inputs is None and outputs is None:
        return None
    heard, said = usage.input_token_details or _Details(), usage.output_token_details or _Details()
    tokens = TokenUsage(
        inputs or 0,
        outputs or 0,
        audio_input_tokens=heard.audio_tokens or 0,
        audio_output_tokens=said.audio_tokens or 0,
    )
    return with_billing(tokens, usage)


def audio_seconds(value: msgspec.Raw) -> object:
    """Of a recording, as far as its usage says; anything else where it does not."""
    try:
        usage = _decode_usage(value)
    except UNDECODABLE:
        return None
    return usage.seconds if usage.seconds is not None else usage.prompt_audio_seconds


_EVENTS: Final = "text/event-stream"


class OpenAISpeech(OpenAIEndpoint[SpeechRequest]):
    """One upstream's speech. It streams by itself: no parameter asks for it."""

    name = "audio.speech"
    answer_name = "an audio file"
    stream_types = frozenset()

    def __init__(self, quirks: Quirks, own: EndpointQuirks, drop: Iterable[str] = (), voice: str | None = None) -> None:
        """`voice` is an operator's, for requests that name none."""
        super().__init__(quirks, own, drop)
        self._voice = voice

    @override
    def encode(self, call: DialectCall[SpeechRequest], *, stream: bool) -> Encoded:
        """Accepts any file, as OpenAI's own clients do."""
        encoded = super().encode(call, stream=stream)
        return msgspec.structs.replace(encoded, headers=(("accept", "application/octet-stream"),))

    @override
    def fill(self, out: Fields) -> None:
        """OpenAI's clients may leave the voice out, and no upstream knows one by itself."""
        voice = self._voice or self.own.default_voice
        if voice is not None and "voice" not in out:
            out["voice"] = raw(voice)

    @override
    def ask_for_stream(self, out: Fields) -> None:
        """Nothing to ask for."""

    def read(self, body: bytes, call: DialectCall[SpeechRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - never asked
        raise unsupported("stream_format", "speech is streamed")

    @override
    def decoder(self, call: DialectCall[SpeechRequest], content_type: str) -> EventStreamDecoder | FileDecoder:
        if content_type == _EVENTS:
            reader = NamedEvents(
                call.model,
                lambda error: self.reported_failure(error, call),
                ("speech.audio.done",),
                ("audio",),
                audio_usage,
                units=lambda _: _read_aloud(call),
            )
            return EventStreamDecoder(reader, lambda beginning: self.unreadable(beginning, call))
        if content_type.endswith("json") or content_type.startswith("text/"):
            return TextInsteadOfFile(call.model, lambda beginning: self._failure_of(beginning, call))
        usage = with_units(None, _read_aloud(call))
        return FileDecoder(call.model, _audio_type(content_type, call.payload.value.response_format), usage)

    def _failure_of(self, beginning: bytes, call: DialectCall[SpeechRequest]) -> UpstreamFailure:
        if beginning.lstrip().startswith(b"{"):
            return failure_in_body(beginning, self.quirks, secret=call.secret, now=call.now())
        return self.unreadable(beginning, call)


def _read_aloud(call: DialectCall[SpeechRequest]) -> dict[str, int]:
    """What is charged for where no tokens are: an audio file says nothing of them."""
    return {"character": len(call.payload.value.input)}


def _audio_type(given: str, response_format: str | None) -> str:
    """What the upstream calls its audio, and only that: a content type of its own could make a browser run it."""
    if given.startswith("audio/") and given.isascii() and given.isprintable() and len(given) <= 64:
        return given
    return AUDIO_TYPES.get(response_format or "mp3", "application/octet-stream")


TEXT_FORMATS: Final = frozenset({"text", "srt", "vtt"})

_PLAIN: Final = "text/plain; charset=utf-8"
T = TypeVar("T", bound=TranscriptionRequest, default=TranscriptionRequest)


class OpenAITranscriptions(OpenAIEndpoint[T]):
    """One upstream's transcriptions."""

    name = "audio.transcriptions"
    answer_name = "a transcription"

    @override
    def encode(self, call: DialectCall[T], *, stream: bool) -> Encoded:
        request = call.payload.value
        return self.encode_form(call, request.form, (request.file,), stream=stream)

    def read(self, body: bytes, call: DialectCall[T], content_type: str) -> PlainAnswer:
        as_text = call.payload.value.response_format in TEXT_FORMATS
        if not content_type.endswith("json") and as_text:
            text = body.decode(errors="replace")
            return PlainAnswer(body, call.model, None, text, _PLAIN)
        fields = self.fields_of(body, call, "text")
        usage = with_units(audio_usage(fields.get("usage", NULL)), self._heard(fields))
        text = text_of(fields, "text")
        output = text if usage is None or not usage.input_tokens else ""
        if call.payload.value.response_format == "text":  # some servers answer in JSON whatever was asked for
            return PlainAnswer(text.encode(errors="replace"), call.model, usage, output, _PLAIN)
        return PlainAnswer(body, call.model, usage, output)

    def _heard(self, fields: Fields) -> dict[str, int]:
        """How long the recording was: the usage says it, or the answer that tells more (`verbose_json`)."""
        seconds = audio_seconds(fields.get("usage", NULL)) or decode_any(fields.get("duration", NULL))
        return {"second:input": milliseconds(seconds, at_least=self.own.at_least_seconds)}

    @override
    def decoder(self, call: DialectCall[T], content_type: str) -> EventStreamDecoder:
        reader = NamedEvents(
            call.model,
            lambda error: self.reported_failure(error, call),
            ("transcript.text.done",),
            ("delta",),
            audio_usage,
            texts=True,
            units=self._heard,
        )
        return EventStreamDecoder(reader, lambda beginning: self.unreadable(beginning, call))

    @override
    def replay(self, answer: PlainAnswer, call: DialectCall[T]) -> Replay:
        """A model that cannot stream (whisper-1) answers whole: given as one delta and its end."""
        fields: Fields = {}
        text = answer.body.decode(errors="replace")
        if answer.content_type == "application/json":
            fields = fields_on_one_line(answer.body)
            text = text_of(fields, "text")
        done: dict[str, object] = {"type": "transcript.text.done", "text": text}
        if "usage" in fields:
            done["usage"] = fields["usage"]
        delta = {"type": "transcript.text.delta", "delta": text}
        return Replay(event(delta, "transcript.text.delta") + event(done, "transcript.text.done"))


class OpenAITranslations(OpenAITranscriptions[TranslationRequest]):
    """One upstream's translations: asked and answered as transcriptions are, and never streamed."""

    name = "audio.translations"
