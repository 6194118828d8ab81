"""One unit's session, used so that a caller who leaves can neither break it nor lose it (R-14).

How it writes alike on both databases, and what a database's errors mean, is here too: all else is a repository's.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.persistence.tables import Row
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


Insert = postgresql.Insert | sqlite.Insert


@asynccontextmanager
async def savepoint(session: AsyncSession) -> AsyncIterator[None]:
    """What is changed inside is written when it is left; where that raises, only this much is undone."""
    async with session.begin_nested():
        yield
        await session.flush()


def table_of(row_type: type[Row]) -> Table:
    """The table behind a row type."""
    return Row.metadata.tables[str(row_type.__tablename__)]


def insert_into(session: AsyncSession, row_type: type[Row]) -> Insert:
    """The session's dialect of INSERT, which knows ON CONFLICT."""
    table = table_of(row_type)
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


async def upsert(session: AsyncSession, row_type: type[Row], rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows, or replace those of the same primary key."""
    if not rows:
        return
    statement = insert_into(session, row_type)
    table = table_of(row_type)
    changes = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    keys = [column.name for column in table.primary_key]
    await session.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), rows)
    session.expire_all()


@contextmanager
def store_errors() -> Iterator[None]:
    """Let driver, pool and network errors out as `StoreUnavailable`, and refused values as `RequestInvalid`.

    Integrity errors pass: only the repository knows what they mean.
    """
    try:
        yield
    except IntegrityError:
        raise
    except (SQLAlchemyError, OSError, TimeoutError, OverflowError) as error:
        if _is_about_a_value(error):
            raise RequestInvalid("A value cannot be stored: it is too large or holds a NUL character.") from error
        raise StoreUnavailable(f"The database could not be asked: {_reason(error)}") from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] == "asyncpg":  # raised before SQLAlchemy has a connection
            raise StoreUnavailable(f"The database could not be asked: {_reason(error)}") from error
        raise


def refers_to_nothing(error: IntegrityError) -> bool:
    """Whether a foreign key was violated; otherwise a unique key was."""
    return getattr(error.orig, "sqlstate", None) == "23503" or "FOREIGN KEY" in str(error.orig)


def _is_about_a_value(error: Exception) -> bool:
    if isinstance(error, DataError | OverflowError):  # OverflowError: sqlite3's for integers over 64 bits
        return True
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(sqlstate, str) and sqlstate.startswith("22")  # class 22: data exception


def _reason(error: Exception) -> str:
    """The driver's first line, without the statement and its parameters."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).splitlines()
    return f"{type(cause).__name__}: {lines[0][:200]}" if lines else type(cause).__name__
