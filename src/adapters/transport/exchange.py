"""One request and its answer as they happen on the wire, read by the task that asked."""

import asyncio
from typing import Protocol

import httpx
from typing_extensions import override


class Line(Protocol):
    """What an exchange needs of the connection that carries it."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def drop(self, exchange: "Exchange") -> None:
        """Cut the connection if it still carries this exchange."""
        ...


class Exchange(httpx.AsyncByteStream):
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
        "head_bytes",
        "head_done",
        "headers",
        "is_head",
        "keep_alive",
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
        self.head_bytes = 0
        self.head_done = False
        self.headers: list[tuple[bytes, bytes]] = []
        self.is_head = is_head
        self.keep_alive = False
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
    def __aiter__(self) -> "Exchange":
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
