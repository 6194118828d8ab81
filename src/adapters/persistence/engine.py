"""Engines for the two databases, with the settings that keep them safe and short-tempered."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from adapters.persistence.sqlite_driver import prefer_safe_sqlite

_BUSY_SECONDS = 5.0
_POSTGRES_SETTINGS = {
    "application_name": "open-model-gateway",
    "timezone": "UTC",
    "statement_timeout": "2000",  # ms, like the next
    "idle_in_transaction_session_timeout": "5000",
}


class DatabaseUrlInvalid(ValueError):
    """The database URL cannot be used; the message names the setting and shows no password."""


@dataclass(frozen=True)
class Engines:
    """Where to read and where to write: two pools over one SQLite file, one and the same for Postgres."""

    reader: AsyncEngine
    writer: AsyncEngine

    async def aclose(self) -> None:
        """Close all connections; the writer's last, so that it makes the final checkpoint."""
        await self.reader.dispose()
        await self.writer.dispose()


def parse_url(database_url: str) -> URL:
    """The URL with the driver we use. Raises `DatabaseUrlInvalid`."""
    try:
        url = make_url(database_url)
    except Exception as error:  # noqa: BLE001 - SQLAlchemy raises several kinds, and their text has the password
        raise DatabaseUrlInvalid(_expected("it is no URL")) from error.with_traceback(None)
    if url.drivername in {"sqlite", "sqlite+aiosqlite"}:
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise DatabaseUrlInvalid(_expected("SQLite needs a file path"))
        return url.set(drivername="sqlite+aiosqlite")
    if url.drivername in {"postgres", "postgresql", "postgresql+asyncpg"}:
        return url.set(drivername="postgresql+asyncpg")
    raise DatabaseUrlInvalid(_expected(f"'{url.drivername}' is not supported"))


def sqlite_path(url: URL) -> Path | None:
    """The database file, or None for Postgres."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def build_engines(url: URL) -> Engines:
    """The pools a running gateway uses. Nothing is opened yet. Raises `OSError` for an unusable SQLite folder."""
    path = sqlite_path(url)
    if path is None:
        engine = create_async_engine(
            url,
            pool_size=5,
            max_overflow=5,
            pool_timeout=2,
            pool_recycle=1800,
            connect_args={"timeout": 2, "command_timeout": 5, "server_settings": _POSTGRES_SETTINGS},
        )
        return Engines(engine.execution_options(postgresql_readonly=True), engine)
    prepare_file(path)
    # One connection writes and checkpoints; the others cannot write.
    writer = _sqlite_engine(url, pool_size=1, pragmas={"journal_mode": "WAL", "synchronous": "FULL"}, begin="IMMEDIATE")
    reader = _sqlite_engine(url, pool_size=4, pragmas={"query_only": "ON", "wal_autocheckpoint": "0"}, begin="DEFERRED")
    return Engines(reader, writer)


def build_schema_engine(url: URL, wait_seconds: float) -> AsyncEngine:
    """An engine of single connections for migrations: foreign keys unchecked, as SQLite's table rewrites need."""
    path = sqlite_path(url)
    if path is None:
        settings = {"application_name": "open-model-gateway-migration", "lock_timeout": f"{int(wait_seconds * 1000)}"}
        return create_async_engine(url, poolclass=NullPool, connect_args={"timeout": 5, "server_settings": settings})
    prepare_file(path)
    pragmas = {"journal_mode": "WAL", "synchronous": "FULL", "foreign_keys": "OFF"}
    return _sqlite_engine(url, pool_size=None, pragmas=pragmas, begin="IMMEDIATE", busy_seconds=wait_seconds)


def prepare_file(path: Path) -> None:
    """Make the database file with mode 0600 (its WAL inherits it), and its folder, where there is none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _sqlite_engine(
    url: URL, *, pool_size: int | None, pragmas: Mapping[str, str], begin: str, busy_seconds: float = _BUSY_SECONDS
) -> AsyncEngine:
    prefer_safe_sqlite()
    # isolation_level None: the driver begins nothing by itself, the listener below does.
    connect_args = {"isolation_level": None, "timeout": busy_seconds}
    if pool_size is None:
        engine = create_async_engine(url, poolclass=NullPool, connect_args=connect_args)
    else:
        engine = create_async_engine(
            url, pool_size=pool_size, max_overflow=0, pool_timeout=2, connect_args=connect_args
        )
    safe = {"foreign_keys": "ON", "trusted_schema": "OFF", "cell_size_check": "ON", "temp_store": "MEMORY"}
    statements = [f"PRAGMA {name} = {value}" for name, value in (safe | dict(pragmas)).items()]

    def on_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {begin}")

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine


def _expected(problem: str) -> str:
    return (
        f"OMG_DATABASE_URL: {problem}; expected sqlite+aiosqlite:///path/to/omg.db "
        "or postgresql+asyncpg://user:password@host/database."
    )
