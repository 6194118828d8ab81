"""A forward proxy on loopback: opens tunnels on CONNECT, asks for a password where it has one, keeps what it heard."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

REALM = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"


class ConnectProxy:
    """`heads` are the requests it got, `resolved` what the names that it is asked for mean."""

    def __init__(self, password: str, answer: bytes, resolved: dict[str, str]) -> None:
        self.port = 0
        self.heads: list[bytes] = []
        self._password = password
        self._answer = answer
        self._resolved = resolved

    def url(self, user_info: str = "") -> str:
        return f"http://{user_info}{'@' if user_info else ''}127.0.0.1:{self.port}"

    @property
    def targets(self) -> list[str]:
        return [head.split()[1].decode() for head in self.heads]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        wanted = b"Basic " + base64.b64encode(self._password.encode())
        if self._password and wanted not in head:
            writer.write(REALM)
        elif self._answer:
            writer.write(self._answer)
        else:
            await self._relay(head.split()[1].decode(), reader, writer)
        await writer.drain()

    async def _relay(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = target.rpartition(":")
        host = host.strip("[]")
        there, onward = await asyncio.open_connection(self._resolved.get(host, host), int(port))
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_copy(reader, onward), _copy(there, writer))
        finally:
            onward.transport.abort()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()


@asynccontextmanager
async def connect_proxy(
    *, password: str = "", answer: bytes = b"", resolved: dict[str, str] | None = None
) -> AsyncIterator[ConnectProxy]:
    """Listens until the end. `password` is `user:password`; `answer` is sent in the place of opening tunnels."""
    proxy = ConnectProxy(password, answer, resolved or {})
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):  # a client left, or the test
                await proxy.serve(reader, writer)
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in tasks.copy():
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
