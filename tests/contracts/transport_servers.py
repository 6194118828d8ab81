"""Raw asyncio servers that answer, stall, lie and cut as a test scripts them: the upstream of the transports."""

import asyncio
import contextlib
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import NamedTuple

import httpx

from tests.waiting import until

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Received(NamedTuple):
    """One whole request as it came."""

    head: bytes
    body: bytes


class Wire:
    """One accepted connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, received: list[Received]) -> None:
        self.reader = reader
        self.writer = writer
        self.received = received

    async def receive(self) -> Received:
        """The next request. Raises `asyncio.IncompleteReadError` at the end of the connection."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        request = Received(head, await self.reader.readexactly(length))
        self.received.append(request)
        return request

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def finish(self) -> None:
        """Close with FIN, after everything sent."""
        self.writer.close()

    def end_now(self) -> None:
        """Send FIN in this very moment, without the loop's help."""
        descriptor = os.dup(self.writer.get_extra_info("socket").fileno())
        with socket.socket(fileno=descriptor) as connected:
            connected.shutdown(socket.SHUT_WR)

    def close_now(self) -> None:
        """Close both ways in this very moment: what comes later meets a closed socket."""
        descriptor = os.dup(self.writer.get_extra_info("socket").fileno())
        with socket.socket(fileno=descriptor) as connected:
            connected.shutdown(socket.SHUT_RDWR)
        self.writer.transport.abort()

    def reset(self) -> None:
        """Close with RST."""
        connected = self.writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Script = Callable[[Wire, int], Awaitable[None]]
"""What to do with the n-th connection, counted from 0."""


class Upstream:
    """A listening server and what it saw: `received` holds every request that came whole."""

    def __init__(self) -> None:
        self.port = 0
        self.scheme = "http"
        self.accepted = 0
        self.open = 0
        self.received: list[Received] = []

    def url(self, path: str = "/v1/chat/completions", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"


@contextlib.asynccontextmanager
async def upstream(script: Script, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Upstream]:
    """Serve the script on a loopback port. Every connection is closed at the end."""
    state = Upstream()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = state.accepted
        state.accepted += 1
        state.open += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await script(Wire(reader, writer, state.received), number)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client left: what it saw is the client's test
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            state.open -= 1
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls, backlog=512, limit=2**20)
    state.port = server.sockets[0].getsockname()[1]
    state.scheme = "https" if tls is not None else "http"
    try:
        yield state
    finally:
        server.close()
        for task in tasks.copy():
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


async def everyone_left(server: Upstream) -> None:
    """Wait until no connection is open. Raises `TimeoutError`."""
    await until(lambda: server.open == 0)


async def send(
    transport: httpx.AsyncBaseTransport,
    url: str,
    body: bytes = b"{}",
    *,
    method: str = "POST",
    headers: httpx.Headers | None = None,
) -> httpx.Response:
    """One request as the adapters make it: prepared headers, the body as a byte stream."""
    return await transport.handle_async_request(
        httpx.Request(method, httpx.URL(url), headers=headers or httpx.Headers(), stream=httpx.ByteStream(body))
    )


async def read(response: httpx.Response) -> bytes:
    """The whole body, closed."""
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    try:
        return b"".join([piece async for piece in stream])
    finally:
        await stream.aclose()


def answering(*answers: bytes) -> Script:
    """Each request of a connection gets the next answer; after the last one the connection is held open."""

    async def script(wire: Wire, _: int) -> None:
        for answer in answers:
            await wire.receive()
            await wire.send(answer)
        await wire.reader.read()

    return script


def always(answer: bytes) -> Script:
    """Every request gets this answer."""

    async def script(wire: Wire, _: int) -> None:
        while True:
            await wire.receive()
            await wire.send(answer)

    return script


async def echo(wire: Wire, _: int) -> None:
    """Every request gets its own body back, odd ones chunked in two pieces."""
    while True:
        body = (await wire.receive()).body
        if len(body) % 2:
            middle = len(body) // 2
            pieces = [piece for piece in (body[:middle], body[middle:]) if piece]
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
            await wire.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
        else:
            await wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))


async def silent(wire: Wire, _: int) -> None:
    """Reads the request and never answers; notices when the client hangs up."""
    await wire.receive()
    await wire.reader.read()


def after_request(data: bytes, end: Callable[[Wire], None] = Wire.finish) -> Script:
    """Read one request, send this, and end the connection."""

    async def script(wire: Wire, _: int) -> None:
        await wire.receive()
        await wire.send(data)
        end(wire)

    return script


@contextlib.contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full: further SYNs are never answered."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@contextlib.contextmanager
def trap() -> Iterator[socket.socket]:
    """A listener that nobody may ever connect to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        listener.setblocking(False)
        yield listener


def was_reached(listener: socket.socket) -> bool:
    """Whether a connection waits at the trap."""
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True
