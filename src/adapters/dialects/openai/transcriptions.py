"""OpenAI's transcriptions, passed on: a form out; JSON, text or events back.

Source: openai-python 3.52 types (November 2026).
"""

import re
from typing import Final

import msgspec
from typing_extensions import override

from adapters.dialects.openai.audio_usage import audio_usage
from adapters.dialects.openai.endpoint import NULL, Fields, OpenAIEndpoint, decode_fields, text_of
from adapters.dialects.openai.named_events import NamedEvents
from adapters.wire.answer import Encoded, PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.events import EventStreamDecoder
from adapters.wire.multipart import FormFile, write_form
from domain.audio import TranscriptionRequest
from domain.inference import GATEWAY_FIELDS

TEXT_FORMATS: Final = frozenset({"text", "srt", "vtt"})

_PLAIN: Final = "text/plain; charset=utf-8"
_MEDIA_TYPE = re.compile(r"(?:audio|video|application)/[a-z0-9.+-]{1,64}", re.IGNORECASE)


class OpenAITranscriptions(OpenAIEndpoint[TranscriptionRequest]):
    """One upstream's transcriptions."""

    name = "audio.transcriptions"
    answer_name = "a transcription"

    @override
    def encode(self, call: WireCall[TranscriptionRequest], *, stream: bool) -> Encoded:
        request = call.payload.value
        dropped = self.left_out(call.payload.fields, strict=call.strict)
        skipped = self._reported | GATEWAY_FIELDS | {"model", "stream"}
        fields = [("model", call.model)]
        if stream:
            fields.append(("stream", "true"))
        for name, value in request.form:
            plain = name.removesuffix("[]")
            if plain not in skipped:
                fields.append((self.own.rename.get(plain, name), value))
        kind = request.file.content_type
        if not _MEDIA_TYPE.fullmatch(kind):
            kind = "application/octet-stream"
        form = write_form(fields, FormFile("file", request.file.name, kind, request.file.data))
        return Encoded(form.body, dropped, form.content_type)

    def read(self, body: bytes, call: WireCall[TranscriptionRequest], content_type: str) -> PlainAnswer:
        as_text = call.payload.value.response_format in TEXT_FORMATS
        if not content_type.endswith("json") and as_text:
            text = body.decode(errors="replace")
            return PlainAnswer(body, call.model, None, text, _PLAIN)
        fields = self.fields_of(body, call, "text")
        usage = audio_usage(fields.get("usage", NULL))
        text = text_of(fields, "text")
        output = text if usage is None else ""
        if call.payload.value.response_format == "text":  # some servers answer in JSON whatever was asked for
            return PlainAnswer(text.encode(errors="replace"), call.model, usage, output, _PLAIN)
        return PlainAnswer(body, call.model, usage, output)

    @override
    def decoder(self, call: WireCall[TranscriptionRequest], content_type: str) -> EventStreamDecoder:
        reader = NamedEvents(
            call.model,
            lambda error: self.told_failure(error, call),
            ("transcript.text.done",),
            ("delta",),
            audio_usage,
            texts=True,
        )
        return EventStreamDecoder(reader, lambda told: self.unreadable(told, call))

    @override
    def replay(self, answer: PlainAnswer, call: WireCall[TranscriptionRequest]) -> bytes | None:
        """A model that cannot stream (whisper-1) answers whole: told as one delta and its end."""
        fields: Fields = {}
        text = answer.body.decode(errors="replace")
        if answer.content_type == "application/json":
            fields = decode_fields(answer.body)
            text = text_of(fields, "text")
        done: dict[str, object] = {"type": "transcript.text.done", "text": text}
        if "usage" in fields:
            done["usage"] = fields["usage"]
        delta = {"type": "transcript.text.delta", "delta": text}
        return b"".join(
            b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), msgspec.json.encode(event))
            for event in (delta, done)
        )
