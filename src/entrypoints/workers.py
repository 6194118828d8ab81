"""Runs background jobs every so many seconds, for as long as the gateway runs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

Job = Callable[[], Awaitable[object]]


class Workers:
    """Background tasks of one process. A job that fails is logged and runs again; all are cancelled at the end."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def every(self, seconds: float, name: str, job: Job) -> None:
        """Run `job` now and then `seconds` after each end."""
        self._tasks.append(asyncio.create_task(_repeat(seconds, name, job), name=name))

    async def stop(self) -> None:
        """Cancel every job and wait until each has ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()


async def _repeat(seconds: float, name: str, job: Job) -> None:
    while True:
        try:
            await job()
        except Exception:
            log.exception("background job failed", extra={"job": name})
        await asyncio.sleep(seconds)
