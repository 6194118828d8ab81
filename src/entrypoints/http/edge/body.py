"""The one body reader: size, deadline, encoding, and no more memory for all than there is (F3, F4, S-31, R-36)."""

import asyncio
import codecs
import re
import sys
import zlib
from typing import cast

from litestar.types import HTTPReceiveMessage, Receive

from domain.errors import RequestInvalid, ServiceUnavailable
from domain.ports.runtime import Clock
from entrypoints.http.edge.cycle import ClientConnection
from entrypoints.http.edge.head import Head

RETRY_AFTER_SECONDS = 2


class BodyBudget:
    """Counts the bytes of bodies in flight. A body takes its bytes before they are read and gives them back after."""

    def __init__(self, limit_bytes: int = sys.maxsize) -> None:
        self._limit_bytes = limit_bytes
        self.in_flight_bytes = 0

    def take(self, size: int) -> None:
        """Raises `ServiceUnavailable` where it would be too much. One body alone always fits."""
        total = self.in_flight_bytes + size
        if total > self._limit_bytes and self.in_flight_bytes:
            raise ServiceUnavailable(
                "The gateway holds as many large requests as its memory allows; try again in a moment.",
                code="overloaded",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )
        self.in_flight_bytes = total

    def give(self, size: int) -> None:
        self.in_flight_bytes -= size


MAX_DEPTH = 64

# Possessive, and content with a string that never ends: no backtracking whatever the text.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKETS = bytes.maketrans(b"[{]}", b"(())")
_OTHERS = bytes(set(range(256)) - set(b"[{]}"))


def too_deep(text: bytes, limit: int = MAX_DEPTH) -> bool:
    """Whether `text` nests arrays and objects more than `limit` levels.

    A text with few brackets, as nearly every request is, costs two counts. Of one with many, what is left
    without strings and scalars is a row of brackets, and removing each innermost pair once takes off one level.
    """
    if text.count(b"[") + text.count(b"{") <= limit:
        return False
    brackets = _STRING.sub(b"", text).translate(_BRACKETS, _OTHERS)
    for _ in range(limit):
        if not brackets:
            return False
        shorter = brackets.replace(b"()", b"")
        if len(shorter) == len(brackets):  # unbalanced: malformed, which is for the decoder to say if it may see it
            return brackets.count(b"(") > limit
        brackets = shorter
    return brackets.count(b"(") > 0


DECODE_ASIDE_BYTES = 256 * 1024
"""Larger bodies are inflated and decoded in a thread, so that the loop goes on."""

_PIECE_BYTES = 256 * 1024
_Utf8Decoder = codecs.getincrementaldecoder("utf-8")

_GENEROUS_BYTES = 1024 * 1024
_MAX_RATIO = 200  # of inflated to received, once past the generous size


class ClientGone(Exception):
    """The client closed its connection before its request was whole: there is no one to answer."""


class BodyReader:
    """Reads one request's body, once. `due` is the clock's time at which it must be whole.

    A body that has arrived with its head is taken from `connection` at once, without a deadline. Its bytes, received
    and inflated, are taken from the `budget` before they are in memory; call `release` when the body is let go.
    """

    __slots__ = (
        "_budget", "_clock", "_connection", "_due", "_head", "_max_bytes", "_receive", "_taken_bytes", "complete",
    )  # fmt: skip

    def __init__(
        self,
        receive: Receive,
        head: Head,
        max_bytes: int,
        due: float,
        clock: Clock,
        connection: ClientConnection | None = None,
        budget: BodyBudget | None = None,
    ) -> None:
        self._budget = budget or BodyBudget()
        self._taken_bytes = 0
        self._connection = connection
        self._receive = receive
        self._head = head
        self._max_bytes = max_bytes
        self._due = due
        self._clock = clock
        self.complete = False

    async def read(self) -> bytes:
        """The whole body, inflated. Raises `RequestInvalid` (400, 408, 413, 415), `ServiceUnavailable`
        or `ClientGone`.
        """
        declared = self._head.declared_bytes or 0
        if declared > self._max_bytes:
            raise self._too_large()
        encoding = _encoding(self._head)
        self._take(declared)
        body = self._arrived()
        if body is None:
            body = await self._receive_rest()
        if encoding is None:
            return body
        limit = min(self._max_bytes, max(_GENEROUS_BYTES, len(body) * _MAX_RATIO))
        self._take(self._taken_bytes + limit)
        if len(body) > DECODE_ASIDE_BYTES:
            text = await asyncio.to_thread(self._inflate, body, encoding, limit)
        else:
            text = self._inflate(body, encoding, limit)
        self._take(len(text))
        return text

    def release(self) -> None:
        """The body is let go. Idempotent."""
        self._budget.give(self._taken_bytes)
        self._taken_bytes = 0

    def _take(self, total: int) -> None:
        """So many bytes are held for this body from now on."""
        more = total - self._taken_bytes
        if more > 0:
            self._budget.take(more)
        elif more < 0:
            self._budget.give(-more)
        self._taken_bytes = total

    def _arrived(self) -> bytes | None:
        body = self._connection.whole_body() if self._connection is not None else None
        if body is not None:
            if len(body) > self._max_bytes:
                raise self._too_large()
            self._take(len(body))
            self.complete = True
        return body

    async def _receive_rest(self) -> bytes:
        try:
            async with asyncio.timeout(self._due - self._clock.monotonic()):
                return await self._gather()
        except TimeoutError:
            raise RequestInvalid("The request body did not arrive in time.", code="request_timeout") from None

    async def _gather(self) -> bytes:
        gathered = bytearray()  # grows in place; as many pieces it would lie about the heap and leave it full of holes
        size = 0
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                raise ClientGone
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._max_bytes:
                raise self._too_large()
            if size > self._taken_bytes:
                self._take(size)
            if not message.get("more_body", False):
                self.complete = True
                return bytes(gathered + chunk) if gathered else chunk
            gathered += chunk

    def _inflate(self, body: bytes, window_bits: int, limit: int) -> bytes:
        """At most the limit, and no bomb: the ratio is bounded once the text is large."""
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
        _check_utf8(body)
    if too_deep(body):
        raise RequestInvalid(f"The body nests more than {MAX_DEPTH} levels deep.", code="invalid_json")


def _check_utf8(body: bytes) -> None:
    """In pieces: the whole as a string would take up to four times the memory of the body."""
    decode = _Utf8Decoder().decode
    for start in range(0, len(body), _PIECE_BYTES):
        piece = body[start : start + _PIECE_BYTES]
        try:
            decode(piece, start + _PIECE_BYTES >= len(body))
        except UnicodeDecodeError as error:
            # What the decoder kept of the piece before is part of what it complains about.
            at = start + error.start - (len(error.object) - len(piece))
            raise RequestInvalid(f"The body is not valid UTF-8 (byte {at}).", code="invalid_json") from None


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
