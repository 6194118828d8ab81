"""The application behind the server protocol on a real socket, and clients that send bytes as they are."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from entrypoints.http.edge.config import ConnectionLimits, EdgeConfig
from entrypoints.http.edge.protocol import GatewayProtocol, protocol_class
from tests.unit.entrypoints.http.harness import CHAT, KEY, Harness, until

LIMITS = ConnectionLimits(header_seconds=0.15, keep_alive_seconds=5)
BODY = json.dumps(CHAT).encode()


class Connection:
    """A client that sends bytes as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        try:
            return await asyncio.wait_for(self._reader.read(), 5)
        except ConnectionResetError:
            return b""

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 5)
        lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        return int(lines[0].split()[1]), headers, await self._reader.readexactly(int(headers.get("content-length", 0)))

    async def until(self, text: bytes) -> bytes:
        return await asyncio.wait_for(self._reader.readuntil(text), 5)

    def close(self) -> None:
        self._writer.close()

    def reset(self) -> None:
        self._writer.transport.abort()


class Running:
    def __init__(
        self, http: Harness, port: int, protocol: type[GatewayProtocol], connections: Collection[object]
    ) -> None:
        self.http = http
        self.port = port
        self.protocol = protocol
        self.connections = connections
        self._connections: list[Connection] = []

    async def connect(self) -> Connection:
        connection = Connection(*await asyncio.open_connection("127.0.0.1", self.port))
        self._connections.append(connection)
        return connection

    async def exchange(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = await self.connect()
        await connection.send(data)
        return await connection.answer()

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


@asynccontextmanager
async def served(limits: ConnectionLimits = LIMITS, edge: EdgeConfig | None = None) -> AsyncIterator[Running]:
    http = await Harness.make(edge or EdgeConfig(allowed_hosts=("localhost",)))
    protocol = protocol_class(limits)
    config = uvicorn.Config(
        http.app, port=0, interface="asgi3", http=protocol, ws="none", lifespan="off", log_config=None,
        access_log=False, server_header=False, proxy_headers=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    with _signals_left_alone(server):
        task = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        running = Running(http, port, protocol, server.server_state.connections)
        try:
            yield running
        finally:
            running.close()
            server.should_exit = True
            await task


@contextmanager
def _signals_left_alone(server: uvicorn.Server) -> Iterator[None]:
    """uvicorn takes the process's signal handlers; the test runner keeps its own."""

    @contextmanager
    def nothing() -> Iterator[None]:
        yield

    server.capture_signals = nothing  # type: ignore[method-assign]  # the way uvicorn itself is embedded
    yield


def request(method: bytes = b"GET", path: bytes = b"/v1/models", body: bytes = b"", *more: bytes) -> bytes:
    lines = [
        method + b" " + path + b" HTTP/1.1",
        b"host: localhost",
        b"authorization: Bearer " + KEY.encode(),
        b"content-length: " + str(len(body)).encode(),
        *more,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
