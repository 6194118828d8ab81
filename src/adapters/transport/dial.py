"""Opens TCP sockets to given addresses, never to a name."""

import asyncio
import socket
from collections.abc import Sequence

_STAGGER_SECONDS = 0.25  # RFC 8305 5: the next address gets its chance while the first is still silent


async def dial(addresses: Sequence[str], port: int) -> socket.socket:
    """A connected, non-blocking socket to the first address that answers. Raises the last `OSError`.

    The caller keeps the deadline. On cancellation every attempt is closed.
    """
    if len(addresses) == 1:
        return await _connect(addresses[0], port)
    attempts: set[asyncio.Task[socket.socket]] = set()
    failure: BaseException | None = None
    try:
        for address in (*addresses, None):
            if address is not None:
                attempts.add(asyncio.create_task(_connect(address, port)))
            while attempts:
                timeout = None if address is None else _STAGGER_SECONDS
                done, attempts = await asyncio.wait(attempts, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                for attempt in done:
                    failure = attempt.exception()
                    if failure is None:
                        attempts |= done - {attempt}
                        return attempt.result()
                if address is not None:
                    break
    finally:
        for attempt in attempts:
            attempt.cancel()
            attempt.add_done_callback(_close_late)
    raise failure if failure is not None else OSError("no address to connect to")


async def _connect(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        connection.close()
        raise
    return connection


def _close_late(attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()
