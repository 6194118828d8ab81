"""The store: short units of work on SQLite or Postgres."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.pool import QueuePool
from typing_extensions import override

from adapters.persistence.engine import build_engines, parse_url
from adapters.persistence.unit_of_work import SqlAlchemyUnitOfWork
from adapters.persistence.work import Work
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.security import SecretBox

_PING = text("SELECT version_num FROM alembic_version")


class SqlAlchemyStore(Store):
    """`Store` on `database_url`, whose schema must be up to date (`schema.upgrade`).

    A unit may take `unit_seconds`; whatever the database, its driver or its pool cannot do within that time
    is `StoreUnavailable`. Raises `DatabaseUrlInvalid`, and `OSError` for a SQLite folder that cannot be used.
    """

    def __init__(self, database_url: str, box: SecretBox, *, unit_seconds: float = 2.0) -> None:
        self._engines = build_engines(parse_url(database_url))
        self._read = async_sessionmaker(self._engines.reader, expire_on_commit=False)
        self._write = async_sessionmaker(self._engines.writer, expire_on_commit=False)
        self._box = box
        self._unit_seconds = unit_seconds
        self._closing: set[asyncio.Task[None]] = set()

    @override
    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        work = self._work(self._read, self._unit_seconds)
        try:
            yield SqlAlchemyUnitOfWork(work, self._box)
        finally:
            await work.leave(commit=False)

    @override
    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        work = self._work(self._write, self._unit_seconds)
        try:
            yield SqlAlchemyUnitOfWork(work, self._box)
        except BaseException:
            await work.leave(commit=False)
            raise
        await work.leave(commit=True)

    @asynccontextmanager
    async def reading(self, seconds: float) -> AsyncIterator[Work]:
        """A session for what is no repository's: reports, which may take longer than a unit."""
        work = self._work(self._read, seconds)
        try:
            yield work
        finally:
            await work.leave(commit=False)

    @override
    async def ping(self) -> None:
        work = self._work(self._read, 1.0)
        try:
            await work.run(work.session.execute(_PING))
        finally:
            await work.leave(commit=False)

    @property
    def checked_out(self) -> int:
        """Connections in use at this moment."""
        pools = {self._engines.reader.pool, self._engines.writer.pool}
        return sum(pool.checkedout() for pool in pools if isinstance(pool, QueuePool))

    @override
    async def aclose(self) -> None:
        """Wait for units whose callers have left, then close every connection."""
        if self._closing:
            await asyncio.wait(set(self._closing))
        await self._engines.aclose()

    def _work(self, sessions: async_sessionmaker[AsyncSession], seconds: float) -> Work:
        return Work(sessions(), seconds, self._closing)
