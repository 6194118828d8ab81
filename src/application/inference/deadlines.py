"""The deadlines of upstream calls (R-05), all of them kept with one lazy timer instead of one a call or a chunk."""

import asyncio
from types import TracebackType
from typing import Literal

from typing_extensions import override

from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.ports.providers import CallProgress
from domain.timeouts import Timeouts

Phase = Literal["whole answer", "response headers", "first content", "idle"]

_NEVER = float("inf")
_PRECISION_SECONDS = 0.001  # of a loop's timers: uvloop rounds to milliseconds, and so may fire early


class Deadlines:
    """One timer of the loop for all waits: a call that ends in time costs it two set operations.

    The timer is set for the earliest deadline there was when it was set. Where that call has ended since, or moved
    its deadline later, the timer fires for nothing and is set for what is earliest then. Belongs to one event loop.
    """

    __slots__ = ("_fires_at", "_timer", "_waits", "loop")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._waits: set[CallTimer] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._fires_at = _NEVER

    def watch(self, wait: "CallTimer") -> None:
        """The wait has begun, or its deadline is earlier than before."""
        self._waits.add(wait)
        if wait.due < self._fires_at:
            self._set(wait.due)

    def forget(self, wait: "CallTimer") -> None:
        """The wait is over. Idempotent."""
        self._waits.discard(wait)

    def _set(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires_at = due
        self._timer = self.loop.call_at(due, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._fires_at = _NEVER
        now = self.loop.time() + _PRECISION_SECONDS
        for wait in [wait for wait in self._waits if wait.due <= now]:
            self._waits.discard(wait)
            wait.expire()
        if self._waits:
            self._set(min(wait.due for wait in self._waits))


class CallTimer(CallProgress):
    """Bounds each wait for the upstream: `with timer: await …` raises `UpstreamFailure(TIMEOUT)` when it is over.

    Entered around every single wait, left in between, so that a slow client is never taken for a slow
    upstream. The deadline in force depends on how far the call has come. A stream has one for its head, one for its
    first content, both from the call's beginning, and from its first content on one for silence between bytes. A
    plain answer has no head before its end: until it begins, the call's own deadline holds. That, and the request's
    end, bound every phase. Moving a deadline later costs an assignment.
    """

    __slots__ = ("_deadlines", "_end", "_expired", "_first", "_idle", "_inside", "_task", "due", "phase")

    def __init__(self, deadlines: Deadlines, timeouts: Timeouts, request_seconds_left: float, *, stream: bool) -> None:
        self._deadlines = deadlines
        now = deadlines.loop.time()
        self._end = now + min(timeouts.upstream_call, request_seconds_left)
        self._first = now + timeouts.first_content
        self._idle = timeouts.idle
        self._task: asyncio.Task[object] | None = None
        self._inside = -1  # cancellations of the task already under way when it entered; -1 outside
        self._expired = False
        self.phase: Phase = "response headers" if stream else "whole answer"
        self.due = min(now + timeouts.response_headers, self._end) if stream else self._end
        """The deadline in force, in the event loop's time."""

    @property
    def overdue(self) -> bool:
        """Whether the deadline in force has passed, for who waits until `due` by itself."""
        return self._deadlines.loop.time() >= self.due - _PRECISION_SECONDS

    @override
    def headers_received(self) -> None:
        if self.phase == "response headers":
            self.phase = "first content"
            self._move(self._first)

    @override
    def bytes_received(self) -> None:
        if self.phase == "idle":
            self.due = min(self._deadlines.loop.time() + self._idle, self._end)

    @override
    def content_received(self) -> None:
        """From here on only silence and the ends count."""
        if self.phase != "idle":
            self.phase = "idle"
            self._move(self._deadlines.loop.time() + self._idle)

    def failure(self) -> UpstreamFailure:
        """What to raise when the deadline in force has passed."""
        return UpstreamFailure(
            FailureKind.TIMEOUT, f"The provider did not answer in time ({self.phase}).", code="upstream_timeout"
        )

    def expire(self) -> None:
        """The deadline in force has passed within a wait: interrupt it."""
        if self._task is not None:
            self._expired = True
            self._task.cancel()

    def __enter__(self) -> None:
        if self.phase == "idle":
            self.bytes_received()
        self._task = task = asyncio.current_task(self._deadlines.loop)
        self._inside = task.cancelling() if task else 0
        self._deadlines.watch(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._deadlines.forget(self)
        under_way, self._inside = self._inside, -1
        if not self._expired or self._task is None:
            return
        self._expired = False
        if self._task.uncancel() <= under_way and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise self.failure() from error

    def _move(self, due: float) -> None:
        """A new phase's deadline may be earlier than the last one, within one wait."""
        self.due = min(due, self._end)
        if self._inside >= 0 and not self._expired:
            self._deadlines.watch(self)
