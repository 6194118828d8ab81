"""One unit's session, used so that a caller who leaves can neither break it nor lose it (R-14)."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.persistence.errors import store_errors
from domain.errors import RequestInvalid, StoreUnavailable

log = logging.getLogger(__name__)

_GRACE_SECONDS = 8.0  # longer than SQLite's busy timeout and Postgres' command timeout: the driver gives up first

P = ParamSpec("P")
T = TypeVar("T")


class Work:
    """A session with a deadline.

    Every operation runs in a task of its own, which ends in its own time. A cancelled or overdue caller
    leaves at once; the task that closes the session waits for the operation, so the connection always goes
    back to its pool clean. Cancelling a driver in the middle of a call is what leaks connections.
    """

    def __init__(self, session: AsyncSession, seconds: float, closing: set[asyncio.Task[None]]) -> None:
        self.session = session
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._seconds = seconds
        self._closing = closing
        self._operation: asyncio.Task[Any] | None = None
        self._over = False
        self._failed = False

    async def run(self, operation: Coroutine[Any, Any, T]) -> T:
        """The operation's result. Raises `StoreUnavailable` where the database or the deadline fails it."""
        if self._over or (self._operation is not None and not self._operation.done()):
            operation.close()
            raise RuntimeError("A unit of work serves one caller at a time, and none after it was left.")
        task = asyncio.create_task(operation)
        self._operation = task
        await self._wait_for(task)
        try:
            with store_errors():
                return task.result()
        except (StoreUnavailable, RequestInvalid, SQLAlchemyError):
            self._failed = True
            raise

    async def leave(self, *, commit: bool) -> None:
        """Commit or roll back, and give the connection up. A caller who is cancelled here changes neither.

        A unit in which the database failed is never committed, even if its caller went on: Postgres would
        take the COMMIT and keep nothing.
        """
        self._over = True
        if commit and self._failed:
            await self.leave(commit=False)
            raise StoreUnavailable("The database failed within this unit of work, so nothing was written.")
        task = asyncio.create_task(self._close(commit))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        if commit:
            await self._wait_for(task)
            with store_errors():
                task.result()
        elif self._operation is None or self._operation.done():
            await asyncio.wait({task}, timeout=self._seconds)

    async def _wait_for(self, task: asyncio.Task[Any]) -> None:
        left = self._deadline - asyncio.get_running_loop().time()
        done, _ = await asyncio.wait({task}, timeout=max(0.0, left))
        if not done:
            raise StoreUnavailable(f"The database did not answer within {self._seconds:g} seconds.")

    async def _close(self, commit: bool) -> None:
        operation = self._operation
        if operation is not None and not operation.done():
            await asyncio.wait({operation}, timeout=_GRACE_SECONDS)
            operation.cancel()
            await asyncio.wait({operation}, timeout=1.0)
        if operation is not None and not operation.cancelled() and operation.done():
            operation.exception()  # its caller has left: nobody else will look
        try:
            if commit:
                await self.session.commit()
        finally:
            try:
                await self.session.close()
            except Exception as error:  # noqa: BLE001 - the pool has discarded the connection; the unit's result stands
                log.warning("closing a database session failed", extra={"error": type(error).__name__})


class Working(Protocol):
    """A repository: it has the unit's work."""

    _work: Work


R = TypeVar("R", bound=Working)


def guarded(
    method: Callable[Concatenate[R, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[R, P], Coroutine[Any, Any, T]]:
    """Make a repository's method one operation of its unit's work."""

    @wraps(method)
    async def run(self: R, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._work.run(method(self, *args, **kwargs))

    return run
