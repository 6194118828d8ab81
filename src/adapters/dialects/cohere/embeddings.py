"""Cohere's v2/embed: at most 96 texts a call. Source: cohere 7.3.1 types (read 2026-11)."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.dialects.cohere.errors import LIMITS, failure_from_cohere
from adapters.dialects.cohere.params import COHERE_EMBEDDING_PARAMS
from adapters.wire.call import DialectCall, Encoded
from adapters.wire.errors import decoded
from adapters.wire.rate_limits import RawHeaders, read_limits
from adapters.wire.sift import keep_strict, sift
from adapters.wire.vectors import Vector
from domain.availability import RateLimitWindow
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure

_TEXTS_A_CALL: Final = 96
_FIXED_DIMENSIONS: Final = re.compile(r"v[23]\.0$")

_encode = msgspec.json.Encoder().encode


class _ByType(msgspec.Struct):
    float: list[list[float]]


class _Billed(msgspec.Struct, frozen=True):
    input_tokens: float | None = None


class _Meta(msgspec.Struct, frozen=True):
    billed_units: _Billed = _Billed()


class _EmbedResponse(msgspec.Struct):
    embeddings: _ByType
    meta: _Meta = _Meta()


_decode = msgspec.json.Decoder(_EmbedResponse).decode


class CohereEmbedding:
    """The bodies of one batch."""

    def batch_size(self, model: str) -> int:  # noqa: ARG002 - the same for all of them
        return _TEXTS_A_CALL

    def encode(self, call: DialectCall[EmbeddingRequest], texts: Sequence[str]) -> Encoded:
        fields = call.payload.fields
        lost = sift(fields, COHERE_EMBEDDING_PARAMS, ignored=("model", "input"))
        body: dict[str, object] = {
            "model": call.model,
            "texts": texts,
            "input_type": fields.get("input_type", "search_document"),
            "embedding_types": ["float"],
        }
        if "truncate" in fields:
            body["truncate"] = fields["truncate"]
        wanted = call.payload.value.dimensions
        if wanted is not None and _FIXED_DIMENSIONS.search(call.model):
            lost.append("dimensions")
        elif wanted is not None:
            body["output_dimension"] = wanted
        return Encoded(_encode(body), keep_strict(lost, strict=call.strict))

    def read(
        self,
        body: bytes,
        headers: RawHeaders,  # noqa: ARG002 - all is in the body
        call: DialectCall[EmbeddingRequest],
    ) -> tuple[Sequence[Vector], int | None]:
        """The vectors in order, and how many tokens are paid for."""
        answer = decoded(_decode, body, call.secret, "embeddings of Cohere")
        billed = answer.meta.billed_units.input_tokens
        return answer.embeddings.float, None if billed is None else int(billed)

    def failure(
        self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[EmbeddingRequest]
    ) -> UpstreamFailure:
        return failure_from_cohere(status, headers, body, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:
        return read_limits(headers, LIMITS, now, by_model=True)
