"""One request and its answer as they happen on the wire, and compressed bodies undone within bounds (R-34)."""

import asyncio
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Protocol

import httpx
from typing_extensions import override

from adapters.transport.limits import TransportLimits

RawHeaders = list[tuple[bytes, bytes]]


class UpstreamResponse:
    """An answer whose head has arrived: its whole body where that came with it, else the `stream` it comes from.

    Transports undo content codings. An answer knows nothing of its request, so that whoever keeps one open does not
    keep the body that was sent as well.
    """

    __slots__ = ("body", "headers", "status", "stream")

    def __init__(
        self, status: int, headers: RawHeaders, *, body: bytes = b"", stream: httpx.AsyncByteStream | None = None
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.stream = stream

    def pieces(self) -> AsyncIterable[bytes]:
        """The body as it arrives. Iterate it once."""
        return self.stream if self.stream is not None else httpx.ByteStream(self.body)


class Line(Protocol):
    """What a response needs of the connection that carries it."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def drop(self, response: "ResponseStream") -> None:
        """Cut the connection if it still carries this response."""
        ...


class ResponseStream(httpx.AsyncByteStream):
    """All state of one answer; also the response's byte stream. Iterate it once.

    It lives here and not on the connection, because a connection is free for the next request before the
    task that waits for this one has run.
    """

    __slots__ = (
        "_line",
        "_loop",
        "_paused",
        "_pieces",
        "_reader",
        "_unread",
        "answered",
        "complete",
        "error",
        "head_done",
        "header_bytes",
        "header_count",
        "headers",
        "is_head",
        "keep_alive",
        "silent_bytes",
        "started",
        "status",
        "to_end",
        "touched",
        "was_stale",
    )

    def __init__(self, line: Line, loop: asyncio.AbstractEventLoop, *, is_head: bool, started: float) -> None:
        self._line = line
        self._loop = loop
        self._paused = False
        self._pieces: list[bytes] = []
        self._reader: asyncio.Future[None] | None = None
        self._unread = 0
        self.answered: asyncio.Future[None] = loop.create_future()
        self.complete = False
        self.error: httpx.TransportError | None = None
        self.header_bytes = 0
        self.header_count = 0
        self.head_done = False
        self.headers: list[tuple[bytes, bytes]] = []
        self.is_head = is_head
        self.keep_alive = False
        self.silent_bytes = 0  # arrived since the last of the body: heads, chunk extensions, trailers
        self.started = started
        self.status = 0
        self.to_end = False  # no length and no chunks: the answer ends with the connection
        self.touched = False  # a byte of the answer has arrived
        self.was_stale = False

    def body(self) -> bytes:
        """Everything that has arrived and was not read; the whole body once `complete`."""
        pieces = self._pieces
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def abandon(self) -> None:
        """Nobody waits any more: cut the connection unless the answer is complete. Idempotent."""
        if not self.complete:
            self._line.drop(self)

    # Called by the connection, inside the loop's callbacks.

    def add(self, piece: bytes, max_unread: int) -> None:
        self._pieces.append(piece)
        self._unread += len(piece)
        if self._unread > max_unread and not self._paused:
            self._paused = True
            self._line.pause()
        self._wake()

    def head_arrived(self) -> None:
        self.head_done = True
        if not self.answered.done():
            self.answered.set_result(None)

    def finish(self) -> None:
        self.complete = True
        if self._paused:
            self._paused = False
            self._line.resume()
        self._wake()

    def fail(self, error: httpx.TransportError) -> None:
        self.error = error
        if not self.answered.done():
            self.answered.set_exception(error)
        self._wake()

    def _wake(self) -> None:
        reader = self._reader
        if reader is not None and not reader.done():
            reader.set_result(None)

    # Called by the reading task.

    @override
    def __aiter__(self) -> "ResponseStream":
        return self  # an iterator costs a third of an async generator

    async def __anext__(self) -> bytes:
        """Whatever has arrived since, joined. Raises `httpx.TransportError` if the answer was cut."""
        while not self._pieces:
            if self.complete:
                raise StopAsyncIteration
            if self.error is not None:
                raise self.error
            self._reader = self._loop.create_future()
            await self._reader
        pieces = self._pieces
        block = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces = []
        self._unread = 0
        if self._paused:
            self._paused = False
            if not self.complete:
                self._line.resume()
        return block

    @override
    async def aclose(self) -> None:
        self.abandon()


_RATIO_FREE_BYTES = 64 * 1024  # small answers compress as well as they like
_GZIP = 16 + zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
_NO_CODING = frozenset({b"", b"identity"})
_STEP_BYTES = 64 * 1024


def content_encoding(headers: RawHeaders) -> bytes:
    """The answer's content codings in lower case, joined by commas; empty for none."""
    codings = [
        coding
        for name, value in headers
        if len(name) == 16 and name.lower() == b"content-encoding"
        for part in value.split(b",")
        if (coding := part.strip().lower()) not in _NO_CODING
    ]
    return b", ".join(codings)


def decodable(coding: bytes) -> bool:
    return coding in {b"gzip", b"x-gzip", b"deflate"}


def without_encoding(headers: RawHeaders) -> RawHeaders:
    """The headers of the decoded body: no coding, no length."""
    return [(n, v) for n, v in headers if n.lower() not in {b"content-encoding", b"content-length"}]


class UnreadableAnswer(httpx.RemoteProtocolError):
    """An answer that came and is no use: in a coding nobody asked for, damaged, or a bomb. No lost connection."""


class Inflater:
    """Decodes gzip, zlib and (a common slip) raw deflate piece by piece. Raises `UnreadableAnswer`.

    A body that ends too early is a lost connection to its reader: `httpx.RemoteProtocolError`.

    Which of them it is, the first two bytes say rather than the header. A gzip body may have several members (RFC 1952
    2.2); what follows the last one and is none is left out, as by other clients.
    """

    def __init__(self, coding: bytes, limits: TransportLimits) -> None:
        self._raw = coding == b"deflate"
        self._limits = limits
        self._decoder: zlib._Decompress | None = None
        self._opening = b""  # of a member, or of the body, while it is too short to say what it is
        self._members = 0
        self._over = False
        self._encoded_bytes = 0
        self._decoded_bytes = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The decoded bytes in steps of bounded size, none of them empty."""
        self._encoded_bytes += len(piece)
        if self._encoded_bytes > self._limits.max_decoded_bytes:
            raise self._too_large()
        more = False  # the decoder holds output back, though it has read all
        while (piece or more) and not self._over:
            decoder = self._decoder
            if decoder is None:
                piece = self._begin(self._opening + piece)
                continue
            try:
                step = decoder.decompress(piece, _STEP_BYTES)
            except zlib.error as error:
                raise UnreadableAnswer(f"The upstream's compressed answer is damaged: {error}.") from error
            self._decoded_bytes += len(step)
            self._check_size()
            piece, more = decoder.unconsumed_tail, len(step) == _STEP_BYTES
            if decoder.eof:
                more = False
                self._decoder = None
                self._members += 1
                piece = decoder.unused_data
            if step:
                yield step

    def end(self) -> None:
        """The body is over: it must have been whole."""
        if self._decoder is not None or (self._opening and not self._members):
            raise httpx.RemoteProtocolError("The upstream's compressed answer ended too early.")

    def _begin(self, opening: bytes) -> bytes:
        """Choose the decoder for what comes next; gives back what is to be decoded with it."""
        if len(opening) < 2:
            self._opening = opening
            return b""
        self._opening = b""
        if opening.startswith(_GZIP_MAGIC):
            self._decoder = zlib.decompressobj(_GZIP)
        elif self._members:
            self._over = True
        elif opening[0] & 0x0F == zlib.DEFLATED and int.from_bytes(opening[:2]) % 31 == 0:  # RFC 1950 2.2
            self._decoder = zlib.decompressobj()
        elif self._raw:
            self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)
        else:
            raise UnreadableAnswer("The upstream's compressed answer is damaged: it is no gzip.")
        return opening

    def _check_size(self) -> None:
        size = self._decoded_bytes
        if size > self._limits.max_decoded_bytes:
            raise self._too_large()
        if size > _RATIO_FREE_BYTES and size > self._encoded_bytes * self._limits.max_decode_ratio:
            raise UnreadableAnswer(
                f"The upstream's answer unpacks to more than {self._limits.max_decode_ratio} times its size."
            )

    def _too_large(self) -> UnreadableAnswer:
        return UnreadableAnswer(f"The upstream's answer unpacks to more than {self._limits.max_decoded_bytes} bytes.")


class DecodedStream(httpx.AsyncByteStream):
    """A compressed stream, decoded as it is read. Damage gives the connection up."""

    def __init__(self, encoded: httpx.AsyncByteStream, coding: bytes, limits: TransportLimits) -> None:
        self._encoded = encoded
        self._inflater = Inflater(coding, limits)

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces: AsyncIterable[bytes] = self._encoded
        try:
            async for piece in pieces:
                for step in self._inflater.feed(piece):
                    yield step
                    if len(step) == _STEP_BYTES:
                        await asyncio.sleep(0)  # a small piece can unpack to megabytes: others have their turn
            self._inflater.end()
        except httpx.RemoteProtocolError:
            await self._encoded.aclose()
            raise

    @override
    async def aclose(self) -> None:
        await self._encoded.aclose()
