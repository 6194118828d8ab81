"""Runs background jobs every so many seconds, for as long as the gateway runs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from domain.errors import ServiceUnavailable, StoreUnavailable

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
"""How long a job rests that has failed: twice as long each time, up to a minute."""

Job = Callable[[], Awaitable[object]]
Owned = Callable[[Job], Awaitable[None]]
"""Does a job once, as soon and as long as it is this process's to do."""


class Workers:
    """Background tasks of one process. A job that fails rests and runs again; all are cancelled at the end."""

    def __init__(self, owned: Owned | None = None) -> None:
        """`owned` does the jobs of which one process of all does each; without it this is the only process."""
        self._tasks: list[asyncio.Task[None]] = []
        self._owned = owned

    def every(self, seconds: float, name: str, job: Job, *, one_owner: bool = False) -> None:
        """Run `job` now and then `seconds` after each end; with `one_owner` while it is this process's to do."""
        owned = self._owned
        if one_owner and owned is not None:
            job = _bound(owned, job)
        self._tasks.append(asyncio.create_task(_repeat(seconds, name, job), name=name))

    async def stop(self) -> None:
        """Cancel every job and wait until each has ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()


def _bound(owned: Owned, job: Job) -> Job:
    return lambda: owned(job)


async def _repeat(seconds: float, name: str, job: Job) -> None:
    rest = RETRY_SECONDS
    failure: str | None = None
    while True:
        try:
            await job()
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            if repr(error) != failure:  # a lasting fault is told once
                _tell(name, error)
            failure = repr(error)
            await asyncio.sleep(max(seconds, rest))
            rest = min(2 * rest, LONGEST_RETRY_SECONDS)
            continue
        if failure is not None:
            log.warning("background job works again", extra={"job": name})
        rest, failure = RETRY_SECONDS, None
        await asyncio.sleep(seconds)


def _tell(name: str, error: Exception) -> None:
    """A store that is away is nobody's mistake: one line, without where it was met."""
    if isinstance(error, StoreUnavailable | ServiceUnavailable):
        log.warning("background job waits: a store is away", extra={"job": name, "reason": str(error)[:200]})
    else:
        log.error("background job failed", exc_info=error, extra={"job": name})
