"""Waiting for what must come: for as long as a busy machine may need, so that only what hangs fails.

No test says by the clock that something is quick: it waits for an event, lets time pass by `virtual_time` or a fake
clock, or counts the work. What must not come too early can be measured; that holds on every machine.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HANG_SECONDS = 60.0
"""After this long nothing comes any more."""


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what has no event of its own. Raises `TimeoutError` where it hangs."""
    async with asyncio.timeout(HANG_SECONDS):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def wait_until(condition: Callable[[], bool], every_seconds: float = 0.01) -> None:
    """The same, blocking. Raises `TimeoutError` where it hangs."""
    deadline = time.monotonic() + HANG_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not come about in {HANG_SECONDS:.0f} s")
        time.sleep(every_seconds)


@contextmanager
def takes(at_least: float) -> Iterator[None]:
    """What is done within takes so many seconds, or more, but does not hang."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert at_least <= took < HANG_SECONDS
