"""Clients that send bytes as they are, to servers that may answer and close before they have read everything.

Where the server closes first, the kernel reports it to whichever of the client's calls comes next: a write that breaks,
or a read that is reset. Which it is depends on how busy the machine is, so both count as the end of the connection.
"""

import asyncio
import socket
import struct

from tests.waiting import HANG_SECONDS

CLOSED = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError)
"""How a write or a read fails on a connection that the other side has closed."""


class Connection:
    """One connection, for tests that run in the server's event loop.

    On a bare socket: asyncio's streams forget what came before a write broke.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._loop = asyncio.get_running_loop()
        self._unread = b""

    @classmethod
    async def open(cls, port: int) -> "Connection":
        connected = socket.socket()
        connected.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connected, ("127.0.0.1", port))
        return cls(connected)

    async def send(self, data: bytes) -> bool:
        """Send as much as the server takes; False where it has closed. What it said before that can still be read."""
        try:
            async with asyncio.timeout(HANG_SECONDS):
                await self._loop.sock_sendall(self._socket, data)
        except CLOSED:
            return False
        return True

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        while await self._more():
            pass
        rest, self._unread = self._unread, b""
        return rest

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers by lower-case name, and the body that `content-length` announces. Raises `EOFError`."""
        lines = (await self.until(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        length = int(headers.get("content-length", 0))
        while len(self._unread) < length:
            await self._more_or_raise()
        return int(lines[0].split()[1]), headers, self._take(length)

    async def until(self, text: bytes) -> bytes:
        """Everything up to and with this text. Raises `EOFError` where the server closes before."""
        while text not in self._unread:
            await self._more_or_raise()
        return self._take(self._unread.index(text) + len(text))

    def close(self) -> None:
        self._socket.close()

    def reset(self) -> None:
        """Close with RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    async def _more(self) -> bool:
        """Read on; False where the server has closed."""
        try:
            async with asyncio.timeout(HANG_SECONDS):
                received = await self._loop.sock_recv(self._socket, 65536)
        except CLOSED:
            return False
        self._unread += received
        return bool(received)

    async def _more_or_raise(self) -> None:
        if not await self._more():
            raise EOFError(f"the server closed after {self._unread!r}")

    def _take(self, length: int) -> bytes:
        taken, self._unread = self._unread[:length], self._unread[length:]
        return taken


def open_socket(port: int) -> socket.socket:
    """A blocking connection, for tests whose server is another process."""
    return socket.create_connection(("127.0.0.1", port), timeout=HANG_SECONDS)


def send_bytes(connection: socket.socket, data: bytes) -> None:
    """Send as much as the server takes."""
    try:
        connection.sendall(data)
    except CLOSED:
        return
