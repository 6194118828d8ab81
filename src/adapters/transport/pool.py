"""The connections to one origin: reuse, a bound, and a fair, short wait for a free one."""

import asyncio
import ssl
from collections import deque

import httpx

from adapters.transport.connection import Connection
from adapters.transport.dial import dial
from adapters.transport.egress import EgressGuard
from adapters.transport.limits import TransportLimits
from adapters.transport.origin import Origin


class Pool:
    """Every open or opening connection holds one of `max_connections` places, and gives it back exactly once:
    when it is gone, or when opening failed or was cancelled. A freed place or connection goes to the oldest
    waiter first.
    """

    def __init__(
        self, origin: Origin, limits: TransportLimits, guard: EgressGuard, context: ssl.SSLContext | None
    ) -> None:
        self._origin = origin
        self._limits = limits
        self._guard = guard
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._idle: list[Connection] = []  # the last is the youngest, and reused first
        self._live: set[Connection] = set()
        self._places_taken = 0
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._closed = False

    def take_idle(self) -> Connection | None:
        """An open, silent connection, if there is one."""
        idle = self._idle
        now = self._loop.time()
        while idle:
            connection = idle.pop()
            if connection.usable(now):
                return connection
        return None

    async def take(self) -> Connection:
        """An idle connection, a new one, or the next to become free.

        Raises `httpx.PoolTimeout`, `httpx.ConnectTimeout` or `httpx.ConnectError`.
        """
        while True:
            if self._closed:
                raise httpx.ConnectError(f"The connections to {self._origin} are closed.")
            connection = self.take_idle()
            if connection is None and self._places_taken >= self._limits.max_connections:
                connection = await self._wait()
                if connection is None:  # a place was given instead
                    return await self._open()
                if not connection.usable(self._loop.time()):
                    continue
            if connection is not None:
                return connection
            self._places_taken += 1
            return await self._open()

    def drop_idle(self) -> None:
        """Close what is idle: one connection turned out stale, so the others are as old."""
        for connection in self._idle.copy():
            connection.discard()

    async def aclose(self) -> None:
        """Close every connection, those in use as well. Waiting requests fail."""
        self._closed = True
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)  # it takes a place, finds the pool closed, and says so
                self._places_taken += 1
        self._waiters.clear()
        for connection in self._live.copy():
            connection.close()
        await asyncio.sleep(0)  # the loop closes aborted sockets in its next round

    async def _wait(self) -> Connection | None:
        waiter: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self._limits.pool_wait_seconds):
                return await waiter
        except TimeoutError:
            self._return(waiter)
            raise httpx.PoolTimeout(
                f"All {self._limits.max_connections} connections to {self._origin} stayed in use for "
                f"{self._limits.pool_wait_seconds:g} s."
            ) from None
        except asyncio.CancelledError:
            self._return(waiter)
            raise

    def _return(self, waiter: asyncio.Future[Connection | None]) -> None:
        """Pass on what a waiter was given in the same moment as it left."""
        if not waiter.done() or waiter.cancelled():
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            return
        given = waiter.result()
        if given is None:
            self._place_freed()
        elif not given.gone:
            self._freed(given)

    async def _open(self) -> Connection:
        """Open a connection in a place that is already taken."""
        try:
            connection = await self._connect()
        except BaseException:
            self._place_freed()
            raise
        self._live.add(connection)
        connection.adopt()
        if self._closed:
            connection.close()
        if connection.gone:
            raise httpx.ConnectError(f"The connection to {self._origin} was closed as soon as it was open.")
        return connection

    async def _connect(self) -> Connection:
        seconds = self._limits.connect_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._connect_within_deadline()
        except TimeoutError:
            raise httpx.ConnectTimeout(f"No connection to {self._origin} within {seconds:g} s.") from None
        except ssl.SSLError as error:
            raise httpx.ConnectError(f"No secure connection to {self._origin}: {error}.") from error
        except OSError as error:
            raise httpx.ConnectError(f"No connection to {self._origin}: {error}.") from error

    async def _connect_within_deadline(self) -> Connection:
        if self._closed:
            raise httpx.ConnectError(f"The connections to {self._origin} are closed.")
        origin = self._origin
        addresses = await self._guard.addresses(origin)
        started = self._loop.time()
        connected = await dial(addresses, origin.port)
        round_trip_seconds = self._loop.time() - started
        connection = Connection(self._limits, self._freed, self._gone, connected, round_trip_seconds)
        try:
            await self._loop.create_connection(
                lambda: connection,
                sock=connected,
                ssl=self._context,
                server_hostname=origin.host.rstrip(".") if self._context is not None else None,
                ssl_handshake_timeout=self._limits.connect_seconds + 1 if self._context is not None else None,
            )
        except BaseException:
            connection.discard()
            raise
        return connection

    def _freed(self, connection: Connection) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._idle.append(connection)
        if self._sweep_timer is None:
            self._sweep_timer = self._loop.call_later(self._limits.keepalive_seconds, self._sweep)

    def _gone(self, connection: Connection) -> None:
        if connection in self._live:
            self._live.remove(connection)
            self._place_freed()
        if connection in self._idle:
            self._idle.remove(connection)

    def _place_freed(self) -> None:
        self._places_taken -= 1
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._places_taken += 1
                waiter.set_result(None)
                return

    def _sweep(self) -> None:
        """Close what was idle for too long, also when nobody asks."""
        self._sweep_timer = None
        now = self._loop.time()
        for connection in self._idle.copy():
            connection.usable(now)
        if self._idle:
            self._sweep_timer = self._loop.call_later(self._limits.keepalive_seconds, self._sweep)
