"""An upstream's streamed answer as a `ProviderStream`: read, mended by the dialect, and always given up."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from typing import cast

import httpx
from typing_extensions import override

from adapters.providers.dialect import StreamDecoder
from adapters.providers.failures import transport_failure
from domain.availability import RateLimitWindow
from domain.ports.providers import CallProgress, ProviderStream
from domain.secrets import Secret

_LAST_BYTES_SECONDS = 0.05
"""After `[DONE]` only the end of the body is due; waiting a moment for it keeps the connection for others."""


class HttpStream(ProviderStream):
    """Owns what `response` streams until it is closed; the rest of the response is let go."""

    def __init__(
        self,
        response: httpx.Response,
        decoder: StreamDecoder,
        progress: CallProgress,
        secret: Secret | None,
        limits: tuple[RateLimitWindow, ...],
        dropped_params: tuple[str, ...],
    ) -> None:
        self.content_type = decoder.content_type
        self.limits = limits
        self.dropped_params = dropped_params
        self._source = None if "body" in response.extensions else cast(httpx.AsyncByteStream, response.stream)
        self._pieces: AsyncIterator[bytes] = aiter(pieces(response))
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


def pieces(response: httpx.Response) -> AsyncIterable[bytes]:
    """The body as it arrives, undecoded: transports undo content codings themselves."""
    return cast(AsyncIterable[bytes], response.stream)


async def give_up(response: httpx.Response) -> None:
    """Close the response at once, also while the calling task is being cancelled (R-01)."""
    if "body" in response.extensions:
        return  # it arrived whole; its connection is free already
    await _cut(cast(httpx.AsyncByteStream, response.stream))


async def _cut(source: httpx.AsyncByteStream) -> None:
    with suppress(httpx.RequestError):
        await asyncio.shield(asyncio.ensure_future(source.aclose()))
