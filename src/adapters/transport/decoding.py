"""Undoes gzip and deflate that an upstream sent though nobody asked, within bounds (R-34)."""

import zlib
from collections.abc import AsyncIterable, AsyncIterator

import httpx
from typing_extensions import override

from adapters.transport.direct import RawHeaders
from adapters.transport.limits import TransportLimits

_RATIO_FREE_BYTES = 64 * 1024  # small answers compress as well as they like
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_STEP_BYTES = 64 * 1024


def content_encoding(headers: RawHeaders) -> bytes:
    """The answer's content coding in lower case, empty for none."""
    for name, value in headers:
        if len(name) == 16 and name.lower() == b"content-encoding":
            coding = value.strip().lower()
            return b"" if coding == b"identity" else coding
    return b""


def decodable(coding: bytes) -> bool:
    return coding in {b"gzip", b"x-gzip", b"deflate"}


def without_encoding(headers: RawHeaders) -> RawHeaders:
    """The headers of the decoded body: no coding, no length."""
    return [(n, v) for n, v in headers if n.lower() not in {b"content-encoding", b"content-length"}]


class Inflater:
    """Decodes gzip, zlib and (a common slip) raw deflate piece by piece. Raises `httpx.RemoteProtocolError`."""

    def __init__(self, limits: TransportLimits) -> None:
        self._limits = limits
        self._decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._encoded_bytes = 0
        self._decoded_bytes = 0

    def feed(self, piece: bytes) -> bytes:
        first = self._encoded_bytes == 0
        self._encoded_bytes += len(piece)
        try:
            return self._inflate(piece)
        except zlib.error as error:
            if not first:
                raise httpx.RemoteProtocolError(f"The upstream's compressed answer is damaged: {error}.") from error
        self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            return self._inflate(piece)
        except zlib.error as error:
            raise httpx.RemoteProtocolError(f"The upstream's compressed answer is damaged: {error}.") from error

    def end(self) -> None:
        """The body is over: it must have been whole."""
        if self._encoded_bytes and not self._decoder.eof:
            raise httpx.RemoteProtocolError("The upstream's compressed answer ended too early.")

    def _inflate(self, piece: bytes) -> bytes:
        decoded: list[bytes] = []
        while piece:
            step = self._decoder.decompress(piece, _STEP_BYTES)
            decoded.append(step)
            self._decoded_bytes += len(step)
            self._check_size()
            piece = self._decoder.unconsumed_tail
        return b"".join(decoded)

    def _check_size(self) -> None:
        limits = self._limits
        size = self._decoded_bytes
        if size > limits.max_decoded_bytes:
            raise httpx.RemoteProtocolError(
                f"The upstream's answer unpacks to more than {limits.max_decoded_bytes} bytes."
            )
        if size > _RATIO_FREE_BYTES and size > self._encoded_bytes * limits.max_decode_ratio:
            raise httpx.RemoteProtocolError(
                f"The upstream's answer unpacks to more than {limits.max_decode_ratio} times its size."
            )


class DecodedStream(httpx.AsyncByteStream):
    """A compressed stream, decoded as it is read. Damage gives the connection up."""

    def __init__(self, encoded: httpx.AsyncByteStream, limits: TransportLimits) -> None:
        self._encoded = encoded
        self._inflater = Inflater(limits)

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces: AsyncIterable[bytes] = self._encoded
        try:
            async for piece in pieces:
                decoded = self._inflater.feed(piece)
                if decoded:
                    yield decoded
            self._inflater.end()
        except httpx.RemoteProtocolError:
            await self._encoded.aclose()
            raise

    @override
    async def aclose(self) -> None:
        await self._encoded.aclose()
