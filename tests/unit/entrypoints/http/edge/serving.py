"""The application behind the server protocol on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from entrypoints.http.edge.config import ConnectionLimits, EdgeConfig
from entrypoints.http.edge.protocol import GatewayProtocol, protocol_class
from tests.raw_client import Connection
from tests.unit.entrypoints.http.harness import CHAT, KEY, Harness
from tests.waiting import until

SHORT_HEADS = ConnectionLimits(header_seconds=0.4, keep_alive_seconds=30)
BODY = json.dumps(CHAT).encode()


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
        connection = await Connection.open(self.port)
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
async def served(limits: ConnectionLimits | None = None, edge: EdgeConfig | None = None) -> AsyncIterator[Running]:
    http = await Harness.make(edge or EdgeConfig(allowed_hosts=("localhost",)))
    protocol = protocol_class(limits or ConnectionLimits())
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
