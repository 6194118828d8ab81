"""Streams whose clients have left, read to their end where the provider bills them whole anyway (R-02)."""

import asyncio
from collections.abc import Coroutine

from application.inference.calls import CallTrace

MAX_DRAINED = 200
"""More are cut off like any other: nobody may make the gateway read for ever by leaving."""


class Draining:
    """Owns the reading of streams that nobody waits for."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, trace: CallTrace) -> "Drain":
        """For the stream of one call."""
        return Drain(self, trace)

    @property
    def has_room(self) -> bool:
        return len(self._tasks) < MAX_DRAINED

    def take(self, rest: Coroutine[None, None, None]) -> None:
        """Read on beside everything else."""
        task = asyncio.get_running_loop().create_task(rest)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Cut off what is still being read; each is settled with what was seen."""
        await asyncio.sleep(0)  # a task that never began could not settle anything
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


class Drain:
    """Whether, and where, one stream is read on when its reader gives it up."""

    def __init__(self, draining: Draining, trace: CallTrace) -> None:
        self._draining = draining
        self._trace = trace

    def wanted(self) -> bool:
        """Yes where the client left; not where the gateway itself is going down."""
        return self._trace.client_left and self._draining.has_room

    def take(self, rest: Coroutine[None, None, None]) -> None:
        self._draining.take(rest)
