"""Speech recognition as OpenAI's transcriptions. Source: huggingface_hub 2.4 (read 2026-11): recording in, text out."""

import re

import msgspec

from adapters.dialects.huggingface.params import TRANSCRIPTION_FIDELITY
from adapters.dialects.huggingface.task import HuggingFaceTask
from adapters.wire.answer import Encoded, PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.sift import keep_strict, sift, unsupported
from adapters.wire.undecodable import UNDECODABLE
from domain.audio import TranscriptionRequest

_AUDIO = re.compile(r"audio/[a-z0-9.+-]{1,64}", re.IGNORECASE)


class _Heard(msgspec.Struct):
    text: str


_decode = msgspec.json.Decoder(_Heard).decode
_encode = msgspec.json.Encoder().encode


class HuggingFaceTranscriptions(HuggingFaceTask[TranscriptionRequest]):
    """A recording written down."""

    answer_name = "a transcription"

    def encode(self, call: WireCall[TranscriptionRequest], *, stream: bool) -> Encoded:
        request = call.payload.value
        if stream:
            raise unsupported("stream", "it answers whole")
        if request.response_format not in (None, "json", "text"):
            raise unsupported("response_format", "it knows `json` and `text`")
        fields = {name: raw for name, raw in call.payload.fields.items() if name != "stream"}
        dropped = sift(fields, TRANSCRIPTION_FIDELITY)
        kind = request.file.content_type
        audio = kind if _AUDIO.fullmatch(kind) else "audio/mpeg"
        return Encoded(request.file.data, keep_strict(dropped, strict=call.strict), audio)

    def read(self, body: bytes, call: WireCall[TranscriptionRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        try:
            text = _decode(body).text
        except UNDECODABLE:
            raise self.refusal_or_unreadable(body, call) from None
        if call.payload.value.response_format == "text":
            return PlainAnswer(text.encode(), call.model, None, text, "text/plain; charset=utf-8")
        return PlainAnswer(_encode({"text": text}), call.model, None, text)
