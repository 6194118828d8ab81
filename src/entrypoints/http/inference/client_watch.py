"""Cancels a handler whose client left, or whose process is going down, wherever it stands (R-01, R-11)."""

import asyncio
from types import TracebackType
from typing import Literal

from litestar.types import Receive

from application.inference.calls import CallTrace
from entrypoints.http.edge.body import ClientGone
from entrypoints.http.edge.drain import DrainState, shutting_down

Reason = Literal["client_left", "client_stalled", "shutting_down"]


class ClientWatch:
    """Around everything between the whole request and its last byte, in the handler's own task.

    Entering starts one task that waits for the disconnect. When it comes, the handler is cancelled, wherever it
    awaits, and leaving turns that cancellation into `ClientGone`; an interruption by the drain becomes
    `ServiceUnavailable`. A cancellation by anyone else passes through. After `disarm` nothing cancels any more:
    call it before the last byte, for a finished answer looks like a disconnect.
    """

    def __init__(self, receive: Receive, trace: CallTrace, drain: DrainState) -> None:
        self._receive = receive
        self._trace = trace
        self._drain = drain
        self._task: asyncio.Task[object] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self.reason: Reason | None = None

    def __enter__(self) -> "ClientWatch":
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
        self._drain.ended(self)
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None

    def interrupt(self) -> None:
        """The process is going down."""
        self._cancel("shutting_down")

    def stalled(self) -> None:
        """The client takes nothing of its answer."""
        self._trace.client_left = True
        self._cancel("client_stalled")

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._trace.client_left = True
        self._cancel("client_left")

    def _cancel(self, reason: Reason) -> None:
        if self.reason is None and self._watcher is not None and self._task is not None:
            self.reason = reason
            self._task.cancel()
