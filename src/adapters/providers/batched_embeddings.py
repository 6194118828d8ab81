"""Embeddings from an upstream that takes few texts at a time: several calls, side by side, told as one answer."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from typing_extensions import override

from adapters.providers.capability import Address, HeaderSource
from adapters.providers.stream import give_up
from adapters.providers.upstream import HttpUpstream, unexpected_status
from adapters.wire.answer import Encoded
from adapters.wire.call import WireCall
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

    def encode(self, call: WireCall[EmbeddingRequest], texts: Sequence[str]) -> Encoded:
        """Raises `UpstreamFailure` (`UNSUPPORTED`)."""
        ...

    def read(
        self, body: bytes, headers: RawHeaders, call: WireCall[EmbeddingRequest]
    ) -> tuple[Sequence[Vector], int | None]:
        """The vectors in order, and the tokens read where the upstream says. Raises `UpstreamFailure`."""
        ...

    def failure(
        self, status: int, headers: RawHeaders, body: bytes, call: WireCall[EmbeddingRequest]
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
        wire: WireCall[EmbeddingRequest] = WireCall(
            call.payload,
            call.model,
            call.key.secret if call.key is not None else None,
            self._upstream.now,
            strict=call.strict,
        )
        size = self._dialect.batch_size(call.model)
        encoded = [self._dialect.encode(wire, texts[start : start + size]) for start in range(0, len(texts), size)]
        batches = await self._all(call, wire, encoded)
        vectors = [vector for batch in batches for vector in batch.vectors]
        if len(vectors) != len(texts):
            raise unreadable(b"", wire.secret, f"{len(texts)} embeddings")
        counts = [batch.tokens for batch in batches]
        told = [count for count in counts if count is not None]
        usage = TokenUsage(input_tokens=sum(told)) if len(told) == len(counts) else None
        body = embedding_answer(vectors, call.payload.value.encoding_format, call.model, usage, "\n".join(texts))
        return ProviderAnswer(body, call.model, usage, batches[-1].limits, encoded[0].dropped)

    async def _all(
        self, call: ProviderCall[EmbeddingRequest], wire: WireCall[EmbeddingRequest], encoded: Sequence[Encoded]
    ) -> list[_Batch]:
        if len(encoded) == 1:
            return [await self._one(call, wire, encoded[0])]
        places = asyncio.Semaphore(AT_ONCE)

        async def placed(batch: Encoded) -> _Batch:
            async with places:
                return await self._one(call, wire, batch)

        tasks = [asyncio.ensure_future(placed(batch)) for batch in encoded]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(
        self, call: ProviderCall[EmbeddingRequest], wire: WireCall[EmbeddingRequest], encoded: Encoded
    ) -> _Batch:
        answer = await self._upstream.send(
            "POST", self._address(call.model, False), self._headers.of(call.key), encoded.body, call.key
        )
        try:
            call.progress.headers_received()
            odd = unexpected_status(answer.status)
            if odd is not None:
                raise odd
            headers = answer.headers
            if answer.status >= 400:
                told = await self._upstream.read_some(answer, call.progress)
                raise self._dialect.failure(answer.status, headers, told, wire)
            body = await self._upstream.read(answer, wire.secret, call.progress)
        finally:
            await give_up(answer)
        vectors, tokens = self._dialect.read(body, headers, wire)
        return _Batch(vectors, tokens, self._dialect.limits(headers, wire.now()))


def _texts(request: EmbeddingRequest) -> list[str]:
    """Raises `UNSUPPORTED` for token ids, which mean another text to each model."""
    given = [request.input] if isinstance(request.input, str) else request.input
    texts = [text for text in given if isinstance(text, str)]
    if len(texts) != len(given) or not texts:
        raise unsupported("input", "send texts; arrays of token ids mean something else to each model")
    return texts
