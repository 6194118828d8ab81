"""Texts to vectors by InvokeModel: Amazon's Titan, one text a call, and Cohere's models, 96.

Source: Amazon Bedrock user guide, "Titan Text Embeddings", "Cohere Embed" (read 2026-11).
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.dialects.bedrock.errors import failure_from_bedrock
from adapters.wire.call import DialectCall, Encoded
from adapters.wire.errors import unreadable
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import keep_strict, sift
from adapters.wire.vectors import Vector
from domain.availability import RateLimitWindow
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure
from domain.fidelity import Fidelity, dropped, mapped

BEDROCK_EMBEDDING_PARAMS: Final[Fidelity] = {
    "dimensions": mapped("dimensions", "Titan v2 and image, Cohere v4; dropped for Titan v1 and Cohere v3"),
    "encoding_format": mapped("", "the gateway encodes"),
    "user": dropped(),
    "input_type": mapped("input_type", "Cohere; search_document where it is not given; dropped for Titan"),
}

_COHERE_TEXTS: Final = 96
_TOKEN_HEADER: Final = b"x-amzn-bedrock-input-token-count"

_encode = msgspec.json.Encoder().encode


class _Titan(msgspec.Struct, rename="camel"):
    embedding: list[float]
    input_text_token_count: int | None = None


class _ByType(msgspec.Struct):
    float: list[list[float]]


class _Cohere(msgspec.Struct):
    embeddings: list[list[float]] | _ByType


_decode_titan = msgspec.json.Decoder(_Titan).decode
_decode_cohere = msgspec.json.Decoder(_Cohere).decode


class BedrockEmbedding:
    """The bodies of one batch."""

    def batch_size(self, model: str) -> int:
        return _COHERE_TEXTS if _is_cohere(model) else 1

    def encode(self, call: DialectCall[EmbeddingRequest], texts: Sequence[str]) -> Encoded:
        """A model whose id tells nothing is asked as Titan v2 is."""
        fields = call.payload.fields
        lost = sift(fields, BEDROCK_EMBEDDING_PARAMS, ignored=("model", "input"))
        wanted = call.payload.value.dimensions
        takes_dimensions = True
        body: dict[str, object]
        if _is_cohere(call.model):
            body = {
                "texts": texts,
                "input_type": fields.get("input_type", "search_document"),
                "embedding_types": ["float"],
            }
            takes_dimensions = "embed-v4" in call.model
            if wanted is not None and takes_dimensions:
                body["output_dimension"] = wanted
        elif "amazon.titan-embed-image" in call.model:
            body = {"inputText": texts[0]}
            if wanted is not None:
                body["embeddingConfig"] = {"outputEmbeddingLength": wanted}
        else:
            body = {"inputText": texts[0]}
            takes_dimensions = "titan-embed-text-v1" not in call.model and "titan-embed-g1" not in call.model
            if wanted is not None and takes_dimensions:
                body["dimensions"] = wanted
        if wanted is not None and not takes_dimensions:
            lost.append("dimensions")
        if "input_type" in fields and not _is_cohere(call.model):
            lost.append("input_type")
        return Encoded(_encode(body), keep_strict(lost, strict=call.strict))

    def read(
        self, body: bytes, headers: RawHeaders, call: DialectCall[EmbeddingRequest]
    ) -> tuple[Sequence[Vector], int | None]:
        """The vectors in order, and how many tokens were read."""
        counted = next((value for name, value in headers if name.lower() == _TOKEN_HEADER), b"")
        tokens = int(counted) if counted.isdigit() else None
        try:
            if _is_cohere(call.model):
                found = _decode_cohere(body).embeddings
                return (found.float if isinstance(found, _ByType) else found), tokens
            titan = _decode_titan(body)
        except UNDECODABLE:
            raise unreadable(body, call.secret, "an embedding") from None
        return [titan.embedding], titan.input_text_token_count if tokens is None else tokens

    def failure(
        self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[EmbeddingRequest]
    ) -> UpstreamFailure:
        return failure_from_bedrock(status, headers, body, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:  # noqa: ARG002 - it sends none
        return ()


def _is_cohere(model: str) -> bool:
    return "cohere.embed" in model
