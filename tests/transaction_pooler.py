"""A pooler of transactions before a real Postgres: each gets another connection of the server, as PgBouncer's do.

It knows no prepared statements and no sessions, and of startup parameters those that PgBouncer knows.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL

_TRACKED = frozenset({"user", "database", "client_encoding", "datestyle", "timezone", "application_name"})
_SSL, _CANCEL = 80877103, 80877102
_SERVERS = 4

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class TransactionPooler:
    """`strict` refuses startup parameters that it does not know, as PgBouncer does; else they are left out."""

    def __init__(self, server: URL, *, strict: bool = True) -> None:
        host = server.query["host"]
        self._socket = f"{host if isinstance(host, str) else host[0]}/.s.PGSQL.{server.port or 5432}"
        self._who = (server.username or "postgres", server.database or "postgres")
        self._strict = strict
        self._idle: asyncio.Queue[Pair] = asyncio.Queue()
        self._greeting = b""
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """The address of the pooler, while it runs."""
        for _ in range(_SERVERS):
            self._idle.put_nowait(await self._connect())
        listening = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        try:
            yield f"postgresql://{self._who[0]}@127.0.0.1:{port}/{self._who[1]}?sslmode=disable"
        finally:
            listening.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            while not self._idle.empty():
                _, writer = self._idle.get_nowait()
                writer.close()
                await writer.wait_closed()

    async def _connect(self) -> Pair:
        reader, writer = await asyncio.open_unix_connection(self._socket)
        user, database = self._who
        body = b"".join(text.encode() + b"\0" for text in ("user", user, "database", database)) + b"\0"
        writer.write(struct.pack("!ii", len(body) + 8, 196608) + body)
        greeting = b""
        while True:
            kind, message = await _message(reader)
            assert kind != b"E", message
            greeting += message
            if kind == b"Z":
                self._greeting = greeting
                return reader, writer

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            if await self._greet(reader, writer):
                await _Client(reader, writer, self._idle).serve()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return  # the client is gone, or the pooler ends
        finally:
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        while True:
            length, code = struct.unpack("!ii", await reader.readexactly(8))
            body = await reader.readexactly(length - 8)
            if code == _CANCEL:
                return False
            if code != _SSL:
                break
            writer.write(b"N")
        names = [name.decode().lower() for name in body.rstrip(b"\0").split(b"\0")[::2]]
        unknown = [name for name in names if name not in _TRACKED]
        if unknown and self._strict:
            text = f"SFATAL\0C08P01\0Munsupported startup parameter: {unknown[0]}\0\0".encode()
            writer.write(b"E" + struct.pack("!i", len(text) + 4) + text)
            await writer.drain()
            return False
        writer.write(self._greeting)
        return True


class _Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, idle: asyncio.Queue[Pair]) -> None:
        self._reader, self._writer, self._idle = reader, writer, idle
        self._server: Pair | None = None
        self._relaying: asyncio.Task[None] | None = None
        self._unanswered = 0

    async def serve(self) -> None:
        try:
            while True:
                kind, message = await _message(self._reader)
                if kind == b"X":
                    return
                if self._server is None:
                    self._server = await self._idle.get()
                    self._relaying = asyncio.create_task(self._relay(self._server))
                self._unanswered += kind in {b"Q", b"S"}
                self._server[1].write(message)
        finally:
            if self._relaying is not None:
                self._relaying.cancel()
                await asyncio.gather(self._relaying, return_exceptions=True)
            if self._server is not None:  # left in the middle of a transaction
                self._server[1].close()

    async def _relay(self, server: Pair) -> None:
        while True:
            kind, message = await _message(server[0])
            if kind == b"Z":
                self._unanswered -= 1
                if message[-1:] == b"I" and not self._unanswered:
                    self._server = None
                    self._idle.put_nowait(server)  # behind all others: the next transaction gets another one
                    self._writer.write(message)
                    return
            self._writer.write(message)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(5)
    return head[:1], head + await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)
