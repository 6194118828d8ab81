"""The one body reader: size, deadline, encoding, and bytes that are safe to decode (F3, F4, S-31, R-36)."""

import asyncio
import zlib
from typing import cast

from litestar.types import HTTPReceiveMessage, Receive

from domain.errors import RequestInvalid
from domain.ports.runtime import Clock
from entrypoints.http.edge.cycle import ClientConnection
from entrypoints.http.edge.head import Head
from entrypoints.http.edge.json_depth import MAX_DEPTH, too_deep

DECODE_ASIDE_BYTES = 256 * 1024
"""Larger bodies are inflated and decoded in a thread, so that the loop goes on."""

_GENEROUS_BYTES = 1024 * 1024
_MAX_RATIO = 200  # of inflated to received, once past the generous size


class ClientGone(Exception):
    """The client closed its connection before its request was whole: there is no one to answer."""


class BodyReader:
    """Reads one request's body, once. `due` is the clock's time at which it must be whole.

    A body that has arrived with its head is taken from `connection` at once, without a deadline.
    """

    __slots__ = ("_clock", "_connection", "_due", "_head", "_max_bytes", "_receive", "complete")

    def __init__(
        self,
        receive: Receive,
        head: Head,
        max_bytes: int,
        due: float,
        clock: Clock,
        connection: ClientConnection | None = None,
    ) -> None:
        self._connection = connection
        self._receive = receive
        self._head = head
        self._max_bytes = max_bytes
        self._due = due
        self._clock = clock
        self.complete = False

    async def read(self) -> bytes:
        """The whole body, inflated. Raises `RequestInvalid` (400, 408, 413, 415) or `ClientGone`."""
        if (self._head.declared_bytes or 0) > self._max_bytes:
            raise self._too_large()
        encoding = _encoding(self._head)
        body = self._arrived()
        if body is None:
            body = await self._receive_rest()
        if encoding is None:
            return body
        if len(body) > DECODE_ASIDE_BYTES:
            return await asyncio.to_thread(self._inflate, body, encoding)
        return self._inflate(body, encoding)

    def _arrived(self) -> bytes | None:
        body = self._connection.whole_body() if self._connection is not None else None
        if body is not None:
            if len(body) > self._max_bytes:
                raise self._too_large()
            self.complete = True
        return body

    async def _receive_rest(self) -> bytes:
        try:
            async with asyncio.timeout(self._due - self._clock.monotonic()):
                return await self._gather()
        except TimeoutError:
            raise RequestInvalid("The request body did not arrive in time.", code="request_timeout") from None

    async def _gather(self) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                raise ClientGone
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._max_bytes:
                raise self._too_large()
            chunks.append(chunk)
            if not message.get("more_body", False):
                self.complete = True
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _inflate(self, body: bytes, window_bits: int) -> bytes:
        """At most the size limit, and no bomb: the ratio is bounded once the text is large."""
        limit = min(self._max_bytes, max(_GENEROUS_BYTES, len(body) * _MAX_RATIO))
        inflater = zlib.decompressobj(window_bits)
        try:
            text = inflater.decompress(body, limit + 1)
        except zlib.error:
            raise RequestInvalid("The body is not what its content-encoding says.", code="invalid_value") from None
        if len(text) > limit:
            raise self._too_large()
        if not inflater.eof:
            raise RequestInvalid("The compressed body ends too early.", code="invalid_value")
        return text

    def _too_large(self) -> RequestInvalid:
        return RequestInvalid(f"The request body is larger than {self._max_bytes} bytes.", code="request_too_large")


def check_text(body: bytes) -> None:
    """Raises `RequestInvalid` for bytes that no decoder should see: not UTF-8, or nested too deep."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise RequestInvalid(f"The body is not valid UTF-8 (byte {error.start}).", code="invalid_json") from None
    if too_deep(body):
        raise RequestInvalid(f"The body nests more than {MAX_DEPTH} levels deep.", code="invalid_json")


def guarded_receive(reader: BodyReader, receive: Receive) -> Receive:
    """A `receive` that gives a framework the whole body at once, checked; later calls wait for the disconnect.

    It never raises what the framework would take for a bug of its own: a body that is refused is refused with
    `RequestInvalid`, and a client that left is a disconnect.
    """
    given = False

    async def receive_checked() -> HTTPReceiveMessage:
        nonlocal given
        if given:
            return cast(HTTPReceiveMessage, await receive())
        given = True
        try:
            body = await reader.read()
        except ClientGone:
            return {"type": "http.disconnect"}
        check_text(body)
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_checked


def _encoding(head: Head) -> int | None:
    """zlib's window bits for the declared encoding, None for none. Raises `RequestInvalid` (415)."""
    declared = head.singles.get(b"content-encoding", b"").strip().lower()
    if declared in (b"", b"identity"):
        return None
    if declared in (b"gzip", b"x-gzip"):
        return 16 + zlib.MAX_WBITS
    if declared == b"deflate":
        return zlib.MAX_WBITS
    raise RequestInvalid(
        "The body's content-encoding is not supported; send it plain, gzip or deflate.",
        code="unsupported_content_encoding",
    )
