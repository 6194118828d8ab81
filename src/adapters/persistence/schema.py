"""Bring a database's schema up to date, once, however many processes start at the same time (R-31)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.persistence.engine import build_engines, build_schema_engine, parse_url, sqlite_path
from adapters.persistence.errors import store_errors
from adapters.persistence.migrations import HEAD, REVISIONS
from adapters.persistence.sqlite_driver import prefer_safe_sqlite
from domain.errors import StoreUnavailable

_WAIT_SECONDS = 60.0  # for another process to finish its migration
_POSTGRES_LOCK = 0x6F6D67_01  # "omg", an arbitrary number that all our processes agree on


@dataclass(frozen=True)
class SchemaState:
    """A database's revision (None: empty) beside the one this version needs."""

    current: str | None
    head: str

    @property
    def up_to_date(self) -> bool:
        return self.current == self.head


class SchemaUnknown(Exception):
    """The database was made by a newer version, or by something else; the message says what to do."""


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
                return SchemaState(await connection.run_sync(current_revision), HEAD)
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
    waits and finds nothing left to do. Raises `SchemaUnknown` and `StoreUnavailable`.
    """
    state = await check(database_url)
    if not state.up_to_date:
        await migrate(database_url, HEAD)
    return state


async def migrate(database_url: str, revision: str) -> None:
    """Go to `revision` (or `base`: nothing), up or down. For `upgrade`, and for tests of every step."""
    async with _engine(parse_url(database_url)) as engine:
        with store_errors():
            async with engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _POSTGRES_LOCK})
                await connection.run_sync(_run, engine, revision)


def current_revision(connection: Connection) -> str | None:
    """The revision written in the database, None where there is none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def require_known(revision: str | None) -> None:
    """Raises `SchemaUnknown` for a revision that this version has never heard of."""
    if revision is not None and revision not in REVISIONS:
        raise SchemaUnknown(
            f"The database is at schema revision '{revision}', which this version does not know (it knows up to "
            f"'{HEAD}'): use the version that wrote it, or restore a backup made by this one."
        )


@asynccontextmanager
async def _engine(url: URL) -> AsyncIterator[AsyncEngine]:
    engine = build_schema_engine(url, _WAIT_SECONDS)
    try:
        yield engine
    finally:
        await engine.dispose()


def _run(connection: Connection, engine: AsyncEngine, revision: str) -> None:
    current = current_revision(connection)
    require_known(current)
    if current == revision:
        return
    # Imported here: an up-to-date database, the usual start, does not pay for Alembic.
    from advanced_alchemy.alembic.commands import AlembicCommandConfig
    from alembic import command

    config = AlembicCommandConfig(engine=engine, version_table_name="alembic_version")
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    if current is not None and (revision == "base" or REVISIONS.index(revision) < REVISIONS.index(current)):
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)
    if connection.dialect.name == "sqlite":
        _check_foreign_keys(connection)


def _check_foreign_keys(connection: Connection) -> None:
    """Foreign keys are unchecked while SQLite's tables are rewritten, so look before committing."""
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise StoreUnavailable("The migration would leave rows that refer to nothing; it was undone.")
