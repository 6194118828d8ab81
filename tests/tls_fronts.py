"""TLS before the real Postgres and the real Valkey of the tests: the servers of the wheels are built without OpenSSL.

Of Postgres a client asks for TLS with eight bytes and is answered `S`; what follows the handshake is the server's own.
Source: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL (read 2026-11).
"""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import URL

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


@asynccontextmanager
async def tls_before_postgres(server: URL, context: ssl.SSLContext | None) -> AsyncIterator[int]:
    """The port of a server that speaks TLS with this context, or of one that says it has none."""
    host = server.query["host"]
    socket = f"{host if isinstance(host, str) else host[0]}/.s.PGSQL.{server.port or 5432}"
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(8)
        if first == _SSL_REQUEST:
            writer.write(b"N" if context is None else b"S")
            if context is not None:
                await writer.start_tls(context)
            first = await reader.read(65_536)  # nothing, where the client does not like what it was told
            if not first:
                return
        elif context is not None:  # such servers have `hostssl` alone
            writer.close()
            return
        behind, to_behind = await asyncio.open_unix_connection(socket)
        to_behind.write(first)
        await asyncio.gather(_copy(reader, to_behind), _copy(behind, writer))

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await connected(reader, writer)
        finally:
            writer.close()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(guarded(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listening = await asyncio.start_server(accepted, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def tls_before_port(port: int, context: ssl.SSLContext) -> AsyncIterator[int]:
    """A port with TLS that leads to this one."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to_behind = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_copy(reader, to_behind), _copy(behind, writer))

    listening = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(OSError):  # whoever left, left
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()
