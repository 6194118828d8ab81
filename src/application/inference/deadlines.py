"""The deadlines of one upstream call (R-05), kept with one lazy timer instead of one a chunk."""

import asyncio
from types import TracebackType
from typing import Literal

from typing_extensions import override

from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.ports.providers import CallProgress
from domain.timeouts import Timeouts

Phase = Literal["response headers", "first content", "idle"]


class CallTimer(CallProgress):
    """Bounds each wait for the upstream: `with timer: await …` raises `UpstreamFailure(TIMEOUT)` when it is over.

    Entered around every single wait, left in between, so that a slow client is never taken for a slow
    upstream. The deadline in force depends on how far the call has come: response headers, first content,
    then silence between bytes; the call's own and the request's end bound them all. Moving a deadline
    later costs an assignment: the timer that fires too early just sets itself again.
    """

    __slots__ = (
        "_due",
        "_end",
        "_expired",
        "_first",
        "_handle",
        "_idle",
        "_inside",
        "_loop",
        "_stream",
        "_task",
        "phase",
    )

    def __init__(self, timeouts: Timeouts, request_seconds_left: float, *, stream: bool) -> None:
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._end = now + min(timeouts.upstream_call, request_seconds_left)
        self._first = now + timeouts.first_content
        self._idle = timeouts.idle
        self._due = min(now + timeouts.response_headers, self._end)
        self._stream = stream
        self._handle: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._inside = -1  # cancellations of the task already under way when it entered; -1 outside
        self._expired = False
        self.phase: Phase = "response headers"

    @property
    def due(self) -> float:
        """The deadline in force, in the event loop's time."""
        return self._due

    @override
    def headers_received(self) -> None:
        if self._stream:
            self.phase = "first content"
            self._move(self._first)
        else:
            self.content_seen()

    @override
    def bytes_received(self) -> None:
        if self.phase == "idle":
            self._due = min(self._loop.time() + self._idle, self._end)

    def content_seen(self) -> None:
        """From here on only silence and the ends count."""
        self.phase = "idle"
        self._move(self._loop.time() + self._idle)

    def _move(self, due: float) -> None:
        """A new phase's deadline may be earlier than the timer, within one wait: then the timer is set anew."""
        self._due = min(due, self._end)
        if self._handle is not None and self._handle.when() > self._due:
            self._handle.cancel()
            self._handle = self._loop.call_at(self._due, self._fire)

    def failure(self) -> UpstreamFailure:
        """What to raise when the deadline in force has passed."""
        return UpstreamFailure(
            FailureKind.TIMEOUT, f"The provider did not answer in time ({self.phase}).", code="upstream_timeout"
        )

    def close(self) -> None:
        """Stop the timer. Idempotent."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def __enter__(self) -> None:
        if self.phase == "idle":
            self.bytes_received()
        self._task = asyncio.current_task()
        self._inside = self._task.cancelling() if self._task else 0
        if self._handle is None or self._handle.when() > self._due:
            self.close()
            self._handle = self._loop.call_at(self._due, self._fire)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        under_way, self._inside = self._inside, -1
        if not self._expired or self._task is None:
            return
        self._expired = False
        if self._task.uncancel() <= under_way and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise self.failure() from error

    def _fire(self) -> None:
        self._handle = None
        if self._inside < 0 or self._task is None:
            return
        if self._loop.time() < self._due - 0.001:
            self._handle = self._loop.call_at(self._due, self._fire)
        else:
            self._expired = True
            self._task.cancel()
