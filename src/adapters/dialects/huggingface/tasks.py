"""Hugging Face's own inference tasks as OpenAI's embeddings, images and transcriptions.

They answer whole, and refuse alike: an error is `{"error": "text"}`, a spent month a 402. Feature extraction answers
with a bare array without usage: a vector for each text from sentence-transformers, a vector for each *token* of each
text from plain transformers. Text to image answers with the image itself; speech recognition takes the recording and
answers with a text. Source: huggingface_hub 2.4, captured answers (read 2026-11).
"""

import base64
import re
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

import msgspec

from adapters.dialects.huggingface.params import EMBEDDING_FIDELITY, IMAGE_FIDELITY, TRANSCRIPTION_FIDELITY
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.charges import picture, with_units
from adapters.wire.errors import Refusals, failure_from_answer, failure_in_body, unreadable
from adapters.wire.files import FileDecoder
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.replay import Replay
from adapters.wire.sift import keep_strict, sift, unsupported
from adapters.wire.vectors import Vector, embedding_answer
from domain.audio import TranscriptionRequest
from domain.availability import RateLimitWindow
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure
from domain.images import ImageRequest
from domain.inference import InferenceRequest

R = TypeVar("R", bound=InferenceRequest)

REFUSALS: Final = Refusals(quota_resets="month")


class HuggingFaceTask(Generic[R]):
    """One task; each adds its request and its answer."""

    stream_types: frozenset[str] = frozenset()
    answer_name = "an answer"

    def decoder(self, call: DialectCall[R], content_type: str) -> FileDecoder:  # noqa: ARG002 - it has no streams
        raise unsupported("stream", "Hugging Face's own inference answers whole")

    def replay(self, answer: PlainAnswer, call: DialectCall[R]) -> Replay | None:  # noqa: ARG002 - it has no streams
        return None

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[R]) -> UpstreamFailure:
        return failure_from_answer(status, headers, body, REFUSALS, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:  # noqa: ARG002 - it tells none
        return ()

    def refusal_or_unreadable(self, body: bytes, call: DialectCall[R]) -> UpstreamFailure:
        """What a 200 that is no answer means: an error in it, or nothing that can be read."""
        if body.lstrip().startswith(b'{"error"'):
            return failure_in_body(body, REFUSALS, secret=call.secret, now=call.now())
        return unreadable(body, call.secret, self.answer_name)


_decode = msgspec.json.Decoder().decode
_to_vectors = msgspec.json.Decoder(list[list[float]]).decode
_encode = msgspec.json.Encoder().encode


class HuggingFaceEmbeddings(HuggingFaceTask[EmbeddingRequest]):
    """Texts as vectors."""

    answer_name = "an array of embeddings"

    def encode(self, call: DialectCall[EmbeddingRequest], *, stream: bool) -> Encoded:  # noqa: ARG002 - never asked to
        request = call.payload.value
        dropped = sift(call.payload.fields, EMBEDDING_FIDELITY, ignored=("model", "input"))
        if request.has_token_ids:
            raise unsupported("input", "it takes texts, not token ids")
        return Encoded(_encode({"inputs": request.parts()}), keep_strict(dropped, strict=call.strict))

    def read(self, body: bytes, call: DialectCall[EmbeddingRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        request = call.payload.value
        texts = [text for text in request.parts() if isinstance(text, str)]
        try:
            vectors = _vectors(body, len(texts))
            answer = embedding_answer(vectors, request.encoding_format, call.model, None, "\n".join(texts))
        except (*UNDECODABLE, ValueError):
            raise self.refusal_or_unreadable(body, call) from None
        return PlainAnswer(answer, call.model, None)


def _vectors(body: bytes, wanted: int) -> list[Vector]:
    """By the array's depth. Raises `ValueError` or one of `UNDECODABLE` for what is no embedding of each text."""
    value: object = _decode(body)
    depth = _depth(value)
    if depth == 1:
        found: list[Vector] = [msgspec.convert(value, list[float])]
    elif depth == 2:
        rows = _to_vectors(body)
        found = list(rows) if len(rows) == wanted else [_mean(rows)]
    elif depth == 3:
        found = [_mean(rows) for rows in msgspec.convert(value, list[list[list[float]]])]
    else:
        raise ValueError("not an array of embeddings")
    if len(found) != wanted:
        raise ValueError("not an embedding for each text")
    return found


def _depth(value: object) -> int:
    depth = 0
    while isinstance(value, list):
        if not value:
            return 0
        depth, value = depth + 1, value[0]
    return depth


def _mean(tokens: Sequence[Vector]) -> Vector:
    """The mean of its tokens' vectors, which is what sentence-transformers makes of most models."""
    count = len(tokens)
    return [sum(column) / count for column in zip(*tokens, strict=True)]


_SIZE = re.compile(r"(\d{2,5})x(\d{2,5})")
_MEDIA_TYPE = re.compile(r"image/[a-z0-9.+-]{1,32}")
_OWN_CHOICE: Final = (None, "auto")


class HuggingFaceImages(HuggingFaceTask[ImageRequest]):
    """One image from a prompt."""

    answer_name = "an image"

    def encode(self, call: DialectCall[ImageRequest], *, stream: bool) -> Encoded:
        request = call.payload.value
        if stream:
            raise unsupported("stream", "it answers whole")
        dropped = sift(call.payload.fields, IMAGE_FIDELITY, ignored=("model", "prompt"))
        body: dict[str, object] = {"inputs": request.prompt}
        if request.size not in _OWN_CHOICE:
            size = _SIZE.fullmatch(request.size or "")
            if size is None:
                raise unsupported("size", "it takes WIDTHxHEIGHT")
            body["parameters"] = {"width": int(size[1]), "height": int(size[2])}
        return Encoded(_encode(body), keep_strict(dropped, strict=call.strict), headers=(("accept", "image/*"),))

    def read(self, body: bytes, call: DialectCall[ImageRequest], content_type: str) -> PlainAnswer:
        if not _MEDIA_TYPE.fullmatch(content_type) or not body:
            raise self.refusal_or_unreadable(body, call)
        data = base64.b64encode(body).decode()
        wants_url = call.payload.value.response_format == "url"
        image = {"url": f"data:{content_type};base64,{data}"} if wants_url else {"b64_json": data}
        usage = with_units(None, {picture(call.payload.value.size, None): 1})
        return PlainAnswer(_encode({"created": call.created, "data": [image]}), call.model, usage)


_AUDIO = re.compile(r"audio/[a-z0-9.+-]{1,64}", re.IGNORECASE)


class _Transcription(msgspec.Struct):
    text: str


_decode_text = msgspec.json.Decoder(_Transcription).decode


class HuggingFaceTranscriptions(HuggingFaceTask[TranscriptionRequest]):
    """A recording written down."""

    answer_name = "a transcription"

    def encode(self, call: DialectCall[TranscriptionRequest], *, stream: bool) -> Encoded:
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

    def read(self, body: bytes, call: DialectCall[TranscriptionRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        try:
            text = _decode_text(body).text
        except UNDECODABLE:
            raise self.refusal_or_unreadable(body, call) from None
        if call.payload.value.response_format == "text":
            return PlainAnswer(text.encode(), call.model, None, text, "text/plain; charset=utf-8")
        return PlainAnswer(_encode({"text": text}), call.model, None, text)
