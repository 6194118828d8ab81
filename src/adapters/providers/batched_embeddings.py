"""Embeddings from an upstream that takes few texts at a time: several calls, side by side, joined in one answer."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from typing_extensions import override

from adapters.providers.capability import Address, HeaderSource
from adapters.providers.upstream import HttpUpstream, Unwatched, give_up, unexpected_status
from adapters.wire.call import DialectCall, Encoded
from adapters.wire.errors import unreadable
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.sift import unsupported
from adapters.wire.vectors import Vector, embedding_answer
from domain.availability import RateLimitWindow
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure
from domain.ports.providers import EmbeddingProvider, ProviderAnswer, ProviderCall
from domain.usage import TokenUsage

AT_ONCE: Final = 8
"""Calls of one request that run side by side."""


class EmbeddingDialect(Protocol):
    """A format in which some texts at a time are embedded."""

    def batch_size(self, model: str) -> int: ...

    def encode(self, call: DialectCall[EmbeddingRequest], texts: Sequence[str]) -> Encoded:
        """Raises `UpstreamFailure` (`UNSUPPORTED`)."""
        ...

    def read(
        self, body: bytes, headers: RawHeaders, call: DialectCall[EmbeddingRequest]
    ) -> tuple[Sequence[Vector], int | None]:
        """The vectors in order, and the tokens read where the upstream says. Raises `UpstreamFailure`."""
        ...

    def failure(
        self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[EmbeddingRequest]
    ) -> UpstreamFailure: ...

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]: ...


class _Batch:
    """What one call gave."""

    def __init__(self, vectors: Sequence[Vector], tokens: int | None, limits: tuple[RateLimitWindow, ...]) -> None:
        self.vectors = vectors
        self.tokens = tokens
        self.limits = limits


class BatchedEmbeddings(EmbeddingProvider):
    """The first call that fails fails the request; the others are given up."""

    def __init__(
        self, upstream: HttpUpstream, dialect: EmbeddingDialect, address: Address, headers: HeaderSource
    ) -> None:
        self._upstream = upstream
        self._dialect = dialect
        self._address = address
        self._headers = headers

    @override
    async def complete(self, call: ProviderCall[EmbeddingRequest]) -> ProviderAnswer:
        texts = _texts(call.payload.value)
        dialect_call: DialectCall[EmbeddingRequest] = DialectCall(
            call.payload,
            call.model,
            call.key.secret if call.key is not None else None,
            self._upstream.now,
            strict=call.strict,
        )
        size = self._dialect.batch_size(call.model)
        encoded = [
            self._dialect.encode(dialect_call, texts[start : start + size]) for start in range(0, len(texts), size)
        ]
        batches = await self._all(call, dialect_call, encoded)
        vectors = [vector for batch in batches for vector in batch.vectors]
        if len(vectors) != len(texts):
            raise unreadable(b"", dialect_call.secret, f"{len(texts)} embeddings")
        counts = [batch.tokens for batch in batches]
        known = [count for count in counts if count is not None]
        usage = TokenUsage(input_tokens=sum(known)) if len(known) == len(counts) else None
        body = embedding_answer(vectors, call.payload.value.encoding_format, call.model, usage, "\n".join(texts))
        return ProviderAnswer(body, call.model, usage, batches[-1].limits, encoded[0].dropped)

    async def _all(
        self,
        call: ProviderCall[EmbeddingRequest],
        dialect_call: DialectCall[EmbeddingRequest],
        encoded: Sequence[Encoded],
    ) -> list[_Batch]:
        if len(encoded) == 1:
            return [await self._one(call, dialect_call, encoded[0])]
        slots = asyncio.Semaphore(AT_ONCE)

        async def in_a_slot(batch: Encoded) -> _Batch:
            async with slots:
                return await self._one(call, dialect_call, batch)

        tasks = [asyncio.ensure_future(in_a_slot(batch)) for batch in encoded]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(
        self, call: ProviderCall[EmbeddingRequest], dialect_call: DialectCall[EmbeddingRequest], encoded: Encoded
    ) -> _Batch:
        """Unwatched: while one of several is silent others answer, so only the call's own deadline bounds them all."""
        answer = await self._upstream.send(
            "POST", self._address(call.model, False), self._headers.of(call.key), encoded.body, call.key
        )
        try:
            odd = unexpected_status(answer.status)
            if odd is not None:
                raise odd
            headers = answer.headers
            if answer.status >= 400:
                refusal = await self._upstream.read_some(answer, Unwatched())
                raise self._dialect.failure(answer.status, headers, refusal, dialect_call)
            body = await self._upstream.read(answer, dialect_call.secret, Unwatched())
        finally:
            await give_up(answer)
        vectors, tokens = self._dialect.read(body, headers, dialect_call)
        return _Batch(vectors, tokens, self._dialect.limits(headers, dialect_call.now()))


def _texts(request: EmbeddingRequest) -> list[str]:
    """Raises `UNSUPPORTED` for token ids, which mean another text to each model."""
    given = [request.input] if isinstance(request.input, str) else request.input
    texts = [text for text in given if isinstance(text, str)]
    if len(texts) != len(given) or not texts:
        raise unsupported("input", "send texts; arrays of token ids mean something else to each model")
    return texts
