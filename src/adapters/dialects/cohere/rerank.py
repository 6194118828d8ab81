"""Cohere's v2/rerank. Source: cohere 7.3.1 types (read 2026-11)."""

from typing import Final, NoReturn

import msgspec

from adapters.dialects.cohere.errors import LIMITS, failure_from_cohere
from adapters.dialects.cohere.params import COHERE_RERANK_PARAMS
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.ranking import ranking
from adapters.wire.rate_limits import RawHeaders, read_limits
from adapters.wire.sift import keep_strict, sift, unsupported
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.rerank import RerankRequest

_SAME: Final = ("top_n", "max_tokens_per_doc", "priority")

_encode = msgspec.json.Encoder().encode


class CohereRerank:
    """Documents go as texts: v2 takes nothing else."""

    stream_types: frozenset[str] = frozenset()

    def encode(self, call: DialectCall[RerankRequest], *, stream: bool) -> Encoded:  # noqa: ARG002 - it never streams
        request, fields = call.payload.value, call.payload.fields
        dropped = sift(fields, COHERE_RERANK_PARAMS, ignored=("model", "query", "documents"))
        body: dict[str, object] = {"model": call.model, "query": request.query, "documents": request.texts()}
        body |= {name: fields[name] for name in _SAME if name in fields}
        return Encoded(_encode(body), keep_strict(dropped, strict=call.strict))

    def read(self, body: bytes, call: DialectCall[RerankRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        return ranking(body, call)

    def decoder(self, call: DialectCall[RerankRequest], content_type: str) -> NoReturn:  # noqa: ARG002 - never streamed
        raise unsupported("stream")

    def replay(self, answer: PlainAnswer, call: DialectCall[RerankRequest]) -> None:
        """It is never asked for a stream."""

    def failure(
        self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[RerankRequest]
    ) -> UpstreamFailure:
        return failure_from_cohere(status, headers, body, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:
        return read_limits(headers, LIMITS, now, by_model=True)
