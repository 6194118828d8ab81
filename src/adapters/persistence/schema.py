"""Bring a database's schema up to date, once, however many processes start at the same time (R-31)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.persistence.engine import (
    DatabaseUrlInvalid,
    build_engines,
    build_schema_engine,
    parse_url,
    settings_arrive,
    sqlite_path,
)
from adapters.persistence.migrations import HEAD, REVISIONS
from adapters.persistence.postgres_url import is_pooled
from adapters.persistence.schema_history import trouble_of_newer
from adapters.persistence.sqlite_driver import prefer_safe_sqlite
from adapters.persistence.work import store_errors
from domain.errors import StoreUnavailable

_WAIT_SECONDS = 60.0  # for another process to finish its migration, and for tables that others use
_AT_ONCE_SECONDS = 2  # for such a table at a time: who comes after a migration that waits, waits behind it
_POSTGRES_LOCK = 0x6F6D67_01  # "omg", an arbitrary number that all our processes agree on


_OF_A_POOLER = ("unsupported startup parameter", "unsupported startup parameters", 'prepared statement "__asyncpg')


class PoolerMet(DatabaseUrlInvalid):
    """A pooler stands before Postgres, and nobody said so."""

    def __init__(self) -> None:
        super().__init__(
            "OMG_DATABASE_URL: a pooler stands between the gateway and Postgres; say so with "
            "OMG_DATABASE_POOLER=transaction, or connect to Postgres itself"
        )


@dataclass(frozen=True)
class SchemaState:
    """A database's revision (None: empty) beside the one this version needs.

    `trouble` says why this version may not run on a schema that it does not know; empty where nothing is in the way.
    """

    current: str | None
    head: str
    trouble: str = ""

    @property
    def up_to_date(self) -> bool:
        return self.current == self.head

    @property
    def is_newer(self) -> bool:
        """Of a newer version, in a way that this one may run on."""
        return self.current is not None and self.current not in REVISIONS and not self.trouble

    @property
    def needed(self) -> str:
        """What an upgrade leads to: a newer one stays as it is."""
        return self.current if self.is_newer and self.current else self.head


class SchemaUnknown(Exception):
    """The database was made by a newer version, or by something else; the message says what to do."""


@dataclass(frozen=True)
class Scripts:
    """A folder of Alembic's with its revisions, oldest first."""

    folder: Path
    revisions: tuple[str, ...]


OURS = Scripts(Path(__file__).parent / "migrations", REVISIONS)


async def check(database_url: str) -> SchemaState:
    """Look, and change nothing. Raises `StoreUnavailable` where the database cannot be asked."""
    url = parse_url(database_url)
    path = sqlite_path(url)
    if path is not None and not path.exists():
        return SchemaState(None, HEAD)
    engines = build_engines(url)
    try:
        with store_errors():
            async with engines.reader.connect() as connection:
                if path is None and not is_pooled(url) and not await connection.run_sync(settings_arrive):
                    raise PoolerMet
                return await connection.run_sync(_state)
    except StoreUnavailable as error:
        if any(words in str(error) for words in _OF_A_POOLER):
            raise PoolerMet from error
        raise
    finally:
        await engines.aclose()


def is_behind(path: Path) -> bool:
    """Whether a SQLite file is missing, or at a revision before `HEAD`. False for what is no database of ours."""
    if not path.exists():
        return True
    prefer_safe_sqlite()
    import sqlite3  # the one that `prefer_safe_sqlite` chose

    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return False
    return row is not None and row[0] in REVISIONS and row[0] != HEAD


async def upgrade(database_url: str) -> SchemaState:
    """Migrate to `HEAD` and return what was there before.

    All in one transaction under a lock: SQLite's write lock or a Postgres advisory lock. Who comes second
    waits and finds nothing left to do. A schema of a newer version that this one may run on is left alone. Raises
    `SchemaUnknown` and `StoreUnavailable`.
    """
    state = await check(database_url)
    if state.trouble:
        raise SchemaUnknown(state.trouble)
    if not state.up_to_date and not state.is_newer:
        await migrate(database_url, HEAD)
    return state


async def migrate(database_url: str, revision: str, scripts: Scripts = OURS) -> None:
    """Go to `revision` (or `base`: nothing), up or down. For `upgrade`, and for tests of every step."""
    deadline = asyncio.get_running_loop().time() + _WAIT_SECONDS
    async with _engine(parse_url(database_url)) as engine:
        while True:
            try:
                with store_errors():
                    await _migrate(engine, revision, scripts)
            except StoreUnavailable as error:
                if not _is_about_a_lock(error) or asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.5)  # in which those that waited behind it have their turn
            else:
                return


async def _migrate(engine: AsyncEngine, revision: str, scripts: Scripts) -> None:
    async with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _POSTGRES_LOCK})
            await connection.execute(text(f"SET LOCAL lock_timeout = '{_AT_ONCE_SECONDS}s'"))
        await connection.run_sync(_run, engine, revision, scripts)


def _is_about_a_lock(error: StoreUnavailable) -> bool:
    return getattr(getattr(error.__cause__, "orig", None), "sqlstate", None) == "55P03"  # lock_not_available


def current_revision(connection: Connection) -> str | None:
    """The revision written in the database, None where there is none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _state(connection: Connection) -> SchemaState:
    current = current_revision(connection)
    if current is None or current in REVISIONS:
        return SchemaState(current, HEAD)
    return SchemaState(current, HEAD, trouble_of_newer(connection, current))


@asynccontextmanager
async def _engine(url: URL) -> AsyncIterator[AsyncEngine]:
    engine = build_schema_engine(url, _WAIT_SECONDS)
    try:
        yield engine
    finally:
        await engine.dispose()


def _run(connection: Connection, engine: AsyncEngine, revision: str, scripts: Scripts) -> None:
    current, revisions = current_revision(connection), scripts.revisions
    if current == revision:
        return
    if current is not None and current not in revisions:  # a newer version was here while this one waited for the lock
        if trouble := trouble_of_newer(connection, current):
            raise SchemaUnknown(trouble)
        return
    # Imported here: an up-to-date database, the usual start, does not pay for Alembic.
    from advanced_alchemy.alembic.commands import AlembicCommandConfig
    from alembic import command

    config = AlembicCommandConfig(engine=engine, version_table_name="alembic_version")
    config.set_main_option("script_location", str(scripts.folder))
    config.attributes["connection"] = connection
    if current is not None and (revision == "base" or revisions.index(revision) < revisions.index(current)):
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)
    if connection.dialect.name == "sqlite":
        _check_foreign_keys(connection)


def _check_foreign_keys(connection: Connection) -> None:
    """Foreign keys are unchecked while SQLite's tables are rewritten, so look before committing."""
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise StoreUnavailable("The migration would leave rows that refer to nothing; it was undone.")
