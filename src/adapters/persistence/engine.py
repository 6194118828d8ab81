"""Engines for the two databases, with the settings that keep them safe and short-tempered."""

import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, NullPool, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from adapters.persistence.postgres_url import driver_url, is_pooled, postgres_url, read_address, server_settings
from adapters.persistence.sqlite_driver import prefer_safe_sqlite

_POSTGRES_NAMES = ("postgres", "postgresql", "postgresql+asyncpg")
_BUSY_SECONDS = 5.0
STEPS_BACK = 10
"""Of nice: where both want one core, the requests get nine parts of it and a report one."""
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
    """Where to read, where to write, and where to ask what takes long: three pools over one SQLite file, one and the
    same for Postgres."""

    reader: AsyncEngine
    writer: AsyncEngine
    reports: AsyncEngine

    async def aclose(self) -> None:
        """Close all connections; the writer's last, so that it makes the final checkpoint."""
        for engine in (self.reports, self.reader, self.writer):
            await engine.dispose()


def parse_url(database_url: str) -> URL:
    """The URL with the driver we use. Raises `DatabaseUrlInvalid`."""
    if database_url.partition("://")[0] in _POSTGRES_NAMES:
        try:
            return postgres_url(read_address(database_url))
        except ValueError as error:
            raise DatabaseUrlInvalid(f"OMG_DATABASE_URL: {error}") from error.with_traceback(None)
    try:
        url = make_url(database_url)
    except Exception as error:  # noqa: BLE001 - SQLAlchemy raises several kinds, and their text has the password
        raise DatabaseUrlInvalid(_expected("it is no URL")) from error.with_traceback(None)
    if url.drivername in {"sqlite", "sqlite+aiosqlite"}:
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise DatabaseUrlInvalid(_expected("SQLite needs a file path"))
        return url.set(drivername="sqlite+aiosqlite")
    raise DatabaseUrlInvalid(_expected(f"'{url.drivername}' is not supported"))


def sqlite_path(url: URL) -> Path | None:
    """The database file, or None for Postgres."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def sqlite_files(url: URL) -> tuple[Path, ...]:
    """The database file and the two that SQLite keeps beside it, there or not; none for Postgres."""
    path = sqlite_path(url)
    return tuple(path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")) if path else ()


def build_engines(url: URL) -> Engines:
    """The pools a running gateway uses. Nothing is opened yet. Raises `OSError` for an unusable SQLite folder."""
    path = sqlite_path(url)
    if path is None:
        arguments = {"timeout": 2, "command_timeout": 5, **_connect_arguments(url, _POSTGRES_SETTINGS)}
        engine = create_async_engine(
            driver_url(url), pool_size=5, max_overflow=5, pool_timeout=2, pool_recycle=1800, connect_args=arguments
        )
        if is_pooled(url):
            _set_in_each_transaction(engine, _POSTGRES_SETTINGS)
        reader = engine.execution_options(postgresql_readonly=True)
        return Engines(reader, engine, reader)
    prepare_file(path)
    # One connection writes and checkpoints; the others cannot write.
    writer = _sqlite_engine(url, pool_size=1, pragmas={"journal_mode": "WAL", "synchronous": "FULL"}, begin="IMMEDIATE")
    only_read = {"query_only": "ON", "wal_autocheckpoint": "0"}
    reader = _sqlite_engine(url, pool_size=4, pragmas=only_read, begin="DEFERRED")
    reports = _sqlite_engine(url, pool_size=4, pragmas=only_read, begin="DEFERRED")
    event.listen(reports.sync_engine, "connect", _step_back)
    return Engines(reader, writer, reports)


def build_schema_engine(url: URL, wait_seconds: float) -> AsyncEngine:
    """An engine of single connections for migrations: foreign keys unchecked, as SQLite's table rewrites need."""
    path = sqlite_path(url)
    if path is None:
        settings = {"application_name": "open-model-gateway-migration", "lock_timeout": f"{int(wait_seconds * 1000)}"}
        arguments = {"timeout": 5, **_connect_arguments(url, settings)}
        engine = create_async_engine(driver_url(url), poolclass=NullPool, connect_args=arguments)
        if is_pooled(url):
            _set_in_each_transaction(engine, settings)
        return engine
    prepare_file(path)
    pragmas = {"journal_mode": "WAL", "synchronous": "FULL", "foreign_keys": "OFF"}
    return _sqlite_engine(url, pool_size=None, pragmas=pragmas, begin="IMMEDIATE", busy_seconds=wait_seconds)


def settings_arrive(connection: Connection) -> bool:
    """Whether what a connection begins with reached the server: a pooler between may have left it out."""
    name = "idle_in_transaction_session_timeout"
    return bool(connection.exec_driver_sql(f"SELECT current_setting('{name}') = '5s'").scalar_one())


def _connect_arguments(url: URL, settings: Mapping[str, str]) -> dict[str, Any]:
    """Behind a pooler of transactions no statement is kept, and none has a name that another might have."""
    if not is_pooled(url):
        return {"server_settings": server_settings(url, settings)}
    return {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": lambda: "",
    }


def _set_in_each_transaction(engine: AsyncEngine, settings: Mapping[str, str]) -> None:
    calls = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT {calls}")

    event.listen(engine.sync_engine, "begin", on_begin)


def file_identity(path: Path) -> tuple[int, int] | None:
    """Which file lies there: another one after a restore, None where it is gone or cannot be seen."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


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


def _step_back(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """SQLite works in the connection's own thread: that one gets the processor when nobody else wants it, so that
    reports wait for the requests and not the requests for reports. On Linux alone has a thread a priority of its own.
    """
    if sys.platform != "linux":
        return
    connection.create_function("step_back", 0, _step_back_here)
    cursor = connection.cursor()
    cursor.execute("SELECT step_back()")
    cursor.close()


def _step_back_here() -> int:
    """How far the calling thread is back now. A thread may always go back, and no thread may come forward again."""
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, os.getpid()) + STEPS_BACK))
    return os.getpriority(os.PRIO_PROCESS, thread)


def _expected(problem: str) -> str:
    return (
        f"OMG_DATABASE_URL: {problem}; expected sqlite+aiosqlite:///path/to/omg.db "
        "or postgresql+asyncpg://user:password@host/database."
    )
