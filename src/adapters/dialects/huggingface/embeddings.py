"""Feature extraction as OpenAI's embeddings.

Source: huggingface_hub 2.4, captured answers (read 2026-11). The answer is a bare array and has no usage: a vector for
each text from sentence-transformers, a vector for each *token* of each text from plain transformers.
"""

from collections.abc import Sequence

import msgspec

from adapters.dialects.huggingface.params import EMBEDDING_FIDELITY
from adapters.dialects.huggingface.task import HuggingFaceTask
from adapters.wire.answer import Encoded, PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.sift import keep_strict, sift, unsupported
from adapters.wire.undecodable import UNDECODABLE
from adapters.wire.vectors import Vector, embedding_answer
from domain.embeddings import EmbeddingRequest

_decode = msgspec.json.Decoder().decode
_to_vectors = msgspec.json.Decoder(list[list[float]]).decode
_encode = msgspec.json.Encoder().encode


class HuggingFaceEmbeddings(HuggingFaceTask[EmbeddingRequest]):
    """Texts as vectors."""

    answer_name = "an array of embeddings"

    def encode(self, call: WireCall[EmbeddingRequest], *, stream: bool) -> Encoded:  # noqa: ARG002 - never asked to
        request = call.payload.value
        dropped = sift(call.payload.fields, EMBEDDING_FIDELITY, ignored=("model", "input"))
        if request.has_token_ids:
            raise unsupported("input", "it takes texts, not token ids")
        return Encoded(_encode({"inputs": request.parts()}), keep_strict(dropped, strict=call.strict))

    def read(self, body: bytes, call: WireCall[EmbeddingRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        request = call.payload.value
        texts = [text for text in request.parts() if isinstance(text, str)]
        try:
            vectors = _vectors(body, len(texts))
            told = embedding_answer(vectors, request.encoding_format, call.model, None, "\n".join(texts))
        except (*UNDECODABLE, ValueError):
            raise self.refusal_or_unreadable(body, call) from None
        return PlainAnswer(told, call.model, None)


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
