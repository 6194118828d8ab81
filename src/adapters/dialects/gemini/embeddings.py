"""Embeddings at the Gemini API (`batchEmbedContents`) and at Vertex AI (`:predict`).

Source: google-genai 3.4 (captured: it always sends a batch); ai.google.dev and Vertex AI embeddings (read 2026-11).
Vectors shorter than the model's own are not normalised there. The Gemini API may tell no usage.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from typing_extensions import override

from adapters.dialects.gemini.answer import NO_ERROR, UsageMetadata
from adapters.dialects.gemini.errors import answered_failure, reported_failure
from adapters.dialects.gemini.params import EMBEDDING_FIDELITY, VERTEX_EMBEDDING_FIDELITY
from adapters.wire.call import DialectCall, Encoded
from adapters.wire.errors import decoded, unreadable
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.sift import keep_strict, sift
from adapters.wire.vectors import Vector
from domain.availability import RateLimitWindow
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure
from domain.fidelity import Cell

_WHAT: Final = "a list of embeddings"
_GEMINI_BATCH: Final = 100
_VERTEX_BATCH: Final = 50

_encode = msgspec.json.Encoder().encode


class _Values(msgspec.Struct):
    values: list[float]


class _Batch(msgspec.Struct, rename="camel"):
    embeddings: list[_Values] | None = None
    usage_metadata: UsageMetadata | None = None
    error: msgspec.Raw = NO_ERROR


class _Statistics(msgspec.Struct):
    token_count: float | None = None


class _Predicted(msgspec.Struct):
    values: list[float]
    statistics: _Statistics | None = None


class _Prediction(msgspec.Struct):
    embeddings: _Predicted


class _Predictions(msgspec.Struct):
    predictions: list[_Prediction] | None = None
    error: msgspec.Raw = NO_ERROR


_decode_batch = msgspec.json.Decoder(_Batch).decode
_decode_predictions = msgspec.json.Decoder(_Predictions).decode


class _EmbeddingResult(msgspec.Struct):
    """An answer of either: what is wrong, or the vectors and the tokens that were read."""

    error: msgspec.Raw
    vectors: Sequence[list[float]]
    tokens: int | None


class _GoogleEmbeddings(ABC):
    def read(
        self,
        body: bytes,
        headers: RawHeaders,  # noqa: ARG002 - nothing is in them
        call: DialectCall[EmbeddingRequest],
    ) -> tuple[Sequence[Vector], int | None]:
        result = decoded(self._result, body, call.secret, _WHAT)
        if result.error != NO_ERROR:
            raise reported_failure(bytes(result.error), call)
        if not result.vectors:
            raise unreadable(body, call.secret, _WHAT)
        return [_normalised(vector, call) for vector in result.vectors], result.tokens

    def failure(
        self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[EmbeddingRequest]
    ) -> UpstreamFailure:
        return answered_failure(status, headers, body, call)

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:  # noqa: ARG002 - it tells none
        return ()

    @abstractmethod
    def _result(self, body: bytes) -> _EmbeddingResult:
        """Raises one of `UNDECODABLE`."""


class GeminiEmbeddings(_GoogleEmbeddings):
    """The Gemini API's."""

    def batch_size(self, model: str) -> int:  # noqa: ARG002 - it is the same for all
        return _GEMINI_BATCH

    def encode(self, call: DialectCall[EmbeddingRequest], texts: Sequence[str]) -> Encoded:
        model = call.model if "/" in call.model else f"models/{call.model}"
        size = call.payload.value.dimensions
        further = {} if size is None else {"outputDimensionality": size}
        requests = [{"model": model, "content": {"parts": [{"text": text}]}, **further} for text in texts]
        return Encoded(_encode({"requests": requests}), _left_out(call, EMBEDDING_FIDELITY))

    @override
    def _result(self, body: bytes) -> _EmbeddingResult:
        batch = _decode_batch(body)
        usage = batch.usage_metadata
        vectors = [one.values for one in batch.embeddings or ()]
        return _EmbeddingResult(batch.error, vectors, usage.prompt_token_count if usage is not None else None)


class VertexEmbeddings(_GoogleEmbeddings):
    """Vertex AI's."""

    def batch_size(self, model: str) -> int:
        return 1 if model.startswith("gemini-") else _VERTEX_BATCH

    def encode(self, call: DialectCall[EmbeddingRequest], texts: Sequence[str]) -> Encoded:
        size = call.payload.value.dimensions
        parameters: dict[str, object] = {"autoTruncate": False}
        if size is not None:
            parameters["outputDimensionality"] = size
        body = {"instances": [{"content": text} for text in texts], "parameters": parameters}
        return Encoded(_encode(body), _left_out(call, VERTEX_EMBEDDING_FIDELITY))

    @override
    def _result(self, body: bytes) -> _EmbeddingResult:
        answer = _decode_predictions(body)
        found = [prediction.embeddings for prediction in answer.predictions or ()]
        counts = [one.statistics.token_count for one in found if one.statistics is not None]
        tokens = [int(count) for count in counts if count is not None]
        complete = len(tokens) == len(found)
        return _EmbeddingResult(answer.error, [one.values for one in found], sum(tokens) if complete else None)


def _left_out(call: DialectCall[EmbeddingRequest], table: Mapping[str, Cell]) -> tuple[str, ...]:
    return keep_strict(sift(call.payload.fields, table), strict=call.strict)


def _normalised(vector: list[float], call: DialectCall[EmbeddingRequest]) -> Vector:
    """Of length 1, as OpenAI's are, where a shorter vector than the model's own was asked for."""
    if call.payload.value.dimensions is None:
        return vector
    length = math.sqrt(math.fsum(value * value for value in vector))
    return [value / length for value in vector] if length > 0 else vector
