"""An upstream's streamed answer as a `ProviderStream`: read, mended by the dialect, and always given up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
from typing_extensions import override

from adapters.providers.dialect import StreamDecoder
from adapters.providers.failures import transport_failure
from adapters.transport.direct import Answer
from domain.availability import RateLimitWindow
from domain.ports.providers import CallProgress, ProviderStream
from domain.secrets import Secret

_LAST_BYTES_SECONDS = 0.05
"""After `[DONE]` only the end of the body is due; waiting a moment for it keeps the connection for others."""


class HttpStream(ProviderStream):
    """Owns what `answer` streams until it is closed; the rest of the answer is let go."""

    def __init__(
        self,
        answer: Answer,
        decoder: StreamDecoder,
        progress: CallProgress,
        secret: Secret | None,
        limits: tuple[RateLimitWindow, ...],
        dropped_params: tuple[str, ...],
    ) -> None:
        self.content_type = decoder.content_type
        self.limits = limits
        self.dropped_params = dropped_params
        self._source = answer.stream
        self._pieces: AsyncIterator[bytes] = aiter(answer.pieces())
        self._decoder = decoder
        self._progress = progress
        self._secret = secret
        self._closed = False
        self._reading = False
        self._note()

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        decoder = self._decoder
        failure = None
        self._reading = True
        try:
            async for piece in self._pieces:
                self._progress.bytes_received()
                block = decoder.feed(piece)
                if block:
                    self._note()
                    yield block
                if decoder.done or decoder.failure is not None:
                    break
            else:
                block = decoder.finish()
                self._note()
                if block:
                    yield block
        except httpx.RequestError as error:
            failure = transport_failure(error, self._secret)
        self._note()
        self._reading = False
        failure = failure or decoder.failure
        if failure is not None:
            raise failure

    @override
    def output_text(self) -> str:
        return self._decoder.output_text()

    @override
    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            if self._decoder.done and not self._reading:
                with suppress(httpx.RequestError, TimeoutError):
                    async with asyncio.timeout(_LAST_BYTES_SECONDS):
                        await anext(self._pieces, None)
        finally:
            if self._source is not None:
                await _cut(self._source)

    def _note(self) -> None:
        self.model = self._decoder.model
        self.usage = self._decoder.usage
        self.has_content = self._decoder.has_content
        self.output_bytes = self._decoder.output_bytes
        self.ending = self._decoder.ending


async def give_up(answer: Answer) -> None:
    """Close the answer at once, also while the calling task is being cancelled (R-01)."""
    if answer.stream is not None:  # else it arrived whole, and its connection is free already
        await _cut(answer.stream)


async def _cut(source: httpx.AsyncByteStream) -> None:
    with suppress(httpx.RequestError):
        await asyncio.shield(asyncio.ensure_future(source.aclose()))
