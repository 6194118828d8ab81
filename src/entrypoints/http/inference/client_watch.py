"""Cancels a handler whose client left, or whose process is going down, wherever it stands (R-01, R-11)."""

import asyncio
from types import TracebackType
from typing import Literal

from application.inference.calls import CallTrace
from entrypoints.http.edge.body import ClientGone
from entrypoints.http.edge.drain import shutting_down
from entrypoints.http.edge.exchange import Exchange

Reason = Literal["client_left", "client_stalled", "shutting_down"]


class ClientWatch:
    """Around everything between the whole request and its last byte, in the handler's own task.

    Entering asks the server to call back when the client leaves, or, where it cannot, starts one task that waits
    for the disconnect. When it comes, the handler is cancelled, wherever it awaits, and leaving turns that
    cancellation into `ClientGone`; an interruption by the drain becomes `ServiceUnavailable`. A cancellation by
    anyone else passes through. After `disarm` nothing cancels any more: call it before the last byte, for a
    finished answer looks like a disconnect.
    """

    __slots__ = ("_armed", "_drain", "_exchange", "_task", "_trace", "_watcher", "reason")

    def __init__(self, exchange: Exchange, trace: CallTrace) -> None:
        self._exchange = exchange
        self._trace = trace
        self._drain = exchange.services.drain
        self._task: asyncio.Task[object] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._armed = False
        self.reason: Reason | None = None

    def __enter__(self) -> "ClientWatch":
        self._armed = True
        connection = self._exchange.connection
        if connection is not None:
            self._task = asyncio.current_task(connection.loop)
            connection.watch(self._client_left)
        else:
            self._task = asyncio.current_task()
            self._watcher = asyncio.get_running_loop().create_task(self._watch())
        self._drain.started(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.disarm()
        if self.reason is None or self._task is None:
            return
        others = self._task.uncancel()
        if isinstance(error, asyncio.CancelledError) and others == 0:
            raise shutting_down() if self.reason == "shutting_down" else ClientGone from error

    def disarm(self) -> None:
        """Watch no longer. Idempotent."""
        if not self._armed:
            return
        self._armed = False
        self._drain.ended(self)
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
        elif (connection := self._exchange.connection) is not None:
            connection.watch(None)

    def interrupt(self) -> None:
        """The process is going down."""
        self._cancel("shutting_down")

    def stalled(self) -> None:
        """The client takes nothing of its answer."""
        self._trace.client_left = True
        self._cancel("client_stalled")

    async def _watch(self) -> None:
        receive = self._exchange.receive
        while (await receive())["type"] != "http.disconnect":
            pass
        self._client_left()

    def _client_left(self) -> None:
        self._trace.client_left = True
        self._cancel("client_left")

    def _cancel(self, reason: Reason) -> None:
        if self.reason is None and self._armed and self._task is not None:
            self.reason = reason
            self._task.cancel()
