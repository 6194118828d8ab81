"""Writes server-sent events to one client: whole blocks, pings in silence, and a limit on how long a write waits."""

import asyncio
from collections.abc import Callable

from litestar.types import Send


class EventWriter:
    """One timer a stream keeps both clocks: silence since the last write, and the length of the write under way.

    `on_stall` is called once where a write has waited `stall_seconds` for the client (R-35). Pings are whole
    events and never go out while a block is being written; `ping_seconds` of None
    is for answers that are no events, into which nothing may be put.
    """

    def __init__(
        self,
        send: Send,
        ping_seconds: float | None,
        stall_seconds: float,
        on_stall: Callable[[], None],
        ping: bytes = b": ping\n\n",
    ) -> None:
        self._send = send
        self._ping_seconds = ping_seconds if ping_seconds is not None else float("inf")
        self._ping_event = ping
        self._stall_seconds = stall_seconds
        self._on_stall = on_stall
        self._loop = asyncio.get_running_loop()
        self._written_at = self._loop.time()
        self._writing_since: float | None = None
        self._ping: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(
            min(self._ping_seconds, stall_seconds), self._tick
        )

    async def write(self, block: bytes) -> None:
        """Hand one block of whole events over; returns when the connection has taken it."""
        if self._ping is not None:
            await self._ping
        self._writing_since = self._loop.time()
        await self._send({"type": "http.response.body", "body": block, "more_body": True})
        self._writing_since = None
        self._written_at = self._loop.time()

    async def finish(self) -> None:
        """End the response."""
        if self._ping is not None:
            await self._ping
        self.close()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def close(self) -> None:
        """Stop the clocks. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ping is not None:
            self._ping.cancel()

    def _tick(self) -> None:
        now = self._loop.time()
        if self._writing_since is not None:
            due = self._writing_since + self._stall_seconds
            if now >= due:
                self._timer = None
                self._on_stall()
                return
        else:
            due = min(self._written_at + self._ping_seconds, now + self._stall_seconds)
            if now >= due:
                due = now + min(self._ping_seconds, self._stall_seconds)
                self._ping = self._loop.create_task(self._send_ping())
        self._timer = self._loop.call_at(due, self._tick)

    async def _send_ping(self) -> None:
        self._writing_since = self._loop.time()
        try:
            await self._send({"type": "http.response.body", "body": self._ping_event, "more_body": True})
            self._written_at = self._loop.time()
        finally:
            self._writing_since = None
            self._ping = None
