"""An event loop whose time passes by itself and at once: whoever sleeps wakes when all others have nothing to do.

For tests without sockets and processes, marked `virtual_time`. A deadline of a minute costs nothing there, fires
exactly when it is due, and no busy machine makes it fire early or late. While a thread works for the loop time stands
still: else a library that loads slowly would find all deadlines passed.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

from typing_extensions import TypeVarTuple, Unpack, override

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class _Skipping(selectors.DefaultSelector):
    """Never waits: what the loop would have waited is added to its time."""

    skipped_seconds = 0.0
    threads_at_work = 0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and (timeout is None or (self.threads_at_work and timeout > 0)):  # only a thread or a peer goes on
            return super().select(None)
        if timeout is not None and timeout > 0 and not ready:
            self.skipped_seconds += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Starts at 1000 seconds; `time()` moves by sleeps and timeouts alone."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    @override
    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Arguments]], T], *args: *Arguments
    ) -> asyncio.Future[T]:
        running = super().run_in_executor(executor, func, *args)
        self._skipping.threads_at_work += 1
        running.add_done_callback(self._thread_ended)
        return running

    def _thread_ended(self, _ended: asyncio.Future[Any]) -> None:
        self._skipping.threads_at_work -= 1

    @override
    def time(self) -> float:
        return 1000.0 + self._skipping.skipped_seconds
