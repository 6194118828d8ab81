"""Ollama's /api/embed. Source: ollama 0.6.3 types (read 2026-11).

A text that does not fit is refused rather than cut, unless the client asks for `truncate`.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.dialects.ollama.errors import failure_from_ollama
from adapters.dialects.ollama.params import OLLAMA_EMBEDDING_PARAMS
from adapters.dialects.ollama.request import options
from adapters.wire.call import DialectCall, Encoded
from adapters.wire.errors import decoded
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.sift import keep_strict, sift
from adapters.wire.vectors import Vector
from domain.availability import RateLimitWindow
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure

_TEXTS_A_CALL: Final = 256

_encode = msgspec.json.Encoder().encode


class _EmbedResponse(msgspec.Struct):
    embeddings: list[list[float]]
    prompt_eval_count: int | None = None


_decode = msgspec.json.Decoder(_EmbedResponse).decode


class OllamaEmbedding:
    """The bodies of one batch. `num_ctx` is the context for requests that name none."""

    def __init__(self, num_ctx: int | None = None) -> None:
        self._num_ctx = num_ctx

    def batch_size(self, model: str) -> int:  # noqa: ARG002 - the same for all of them
        return _TEXTS_A_CALL

    def encode(self, call: DialectCall[EmbeddingRequest], texts: Sequence[str]) -> Encoded:
        fields = {name: raw for name, raw in call.payload.fields.items() if raw != b"null"}
        lost = sift(fields, OLLAMA_EMBEDDING_PARAMS, ignored=("model", "input"))
        body: dict[str, object] = {"model": call.model, "input": texts, "truncate": fields.get("truncate", False)}
        body |= {name: fields[name] for name in ("dimensions", "keep_alive") if name in fields}
        sent = options({name: raw for name, raw in fields.items() if name in {"num_ctx", "options"}}, self._num_ctx)
        if sent:
            body["options"] = sent
        return Encoded(_encode(body), keep_strict(lost, strict=call.strict))

    def read(
        self,
        body: bytes,
        headers: RawHeaders,  # noqa: ARG002 - all is in the body
        call: DialectCall[EmbeddingRequest],
    ) -> tuple[Sequence[Vector], int | None]:
        """The vectors in order, and how many tokens were read."""
        answer = decoded(_decode, body, call.secret, "embeddings of Ollama")
        return answer.embeddings, answer.prompt_eval_count or None

    def failure(
        self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[EmbeddingRequest]
    ) -> UpstreamFailure:
        return failure_from_ollama(status, headers, body, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:  # noqa: ARG002 - it sends none
        return ()
