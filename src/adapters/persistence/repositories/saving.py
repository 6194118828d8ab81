"""Writes that may fail without ending their transaction, and inserts that replace: alike on both databases."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.persistence.tables import Row

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
