"""An event loop whose time passes when nothing is left to do, so that minutes of waiting take no time (R-05)."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from typing_extensions import override

T = TypeVar("T")


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0


class _Selector(selectors.DefaultSelector):
    """Where the loop would sleep until its next timer, the clock jumps to it."""

    def __init__(self, clock: _Clock) -> None:
        super().__init__()
        self._clock = clock

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everything waits, and no timer is set"
            self._clock.now += max(timeout, 0)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """For code without I/O: only timers and what other tasks do ends its waits."""

    def __init__(self) -> None:
        self._virtual = _Clock()
        super().__init__(_Selector(self._virtual))

    @override
    def time(self) -> float:
        return self._virtual.now


def run_in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, whose sleeps and deadlines are exact and cost nothing."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)
