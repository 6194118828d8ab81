"""Copies of the SQLite database: taken while it serves, put back while it does not (P-09).

A backup holds no master key: provider keys in it open only beside the master keys they were sealed with.
"""

import asyncio
import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.persistence.engine import parse_url, sqlite_path
from adapters.persistence.migrations import REVISIONS
from adapters.persistence.schema_history import STEPS, trouble_with
from adapters.persistence.sqlite_driver import prefer_safe_sqlite

_PAGES_A_STEP = 1024  # 4 MiB between two chances for the server to write
_HEADER = b"SQLite format 3\0"


class BackupRefused(Exception):
    """It would be unsafe or is impossible; the message says why and what to do. Nothing was changed."""


@dataclass(frozen=True)
class Backup:
    """A backup file. `revision` is the schema's; `replaced` is where a restore put the database that was there."""

    path: Path
    size_bytes: int
    revision: str
    replaced: Path | None = None


async def backup(database_url: str, target: Path) -> Backup:
    """Write a checked copy of the database to `target` (0600), which must not exist. Raises `BackupRefused`."""
    source = _sqlite_file(database_url, "take the backup with pg_dump, which works while the gateway serves")
    return await asyncio.to_thread(_backup, source, target)


async def restore(database_url: str, source: Path) -> Backup:
    """Put `source` in the place of the database, which no process may have open.

    The database that was there is kept beside it. An older schema is upgraded at the next start. Raises
    `BackupRefused`, also for a damaged file and for one of a newer version that this one may not run on.
    """
    target = _sqlite_file(database_url, "restore it with pg_restore or psql")
    return await asyncio.to_thread(_restore, source, target)


def _backup(source: Path, target: Path) -> Backup:
    if not source.exists():
        raise BackupRefused(f"There is no database at {source}; start the gateway once, or check OMG_DATABASE_URL.")
    if target.exists():
        raise BackupRefused(f"{target} exists already; name a new file.")
    with _draft_beside(target) as draft:
        revision = _copy(source, draft)
        os.link(draft, target)  # fails, unlike a rename, where the name was taken meanwhile
    return Backup(target, target.stat().st_size, revision)


def _restore(source: Path, target: Path) -> Backup:
    if not source.is_file():
        raise BackupRefused(f"There is no backup file at {source}.")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _draft_beside(target) as draft:
        revision = _copy(source, draft)
        replaced = _keep_aside(target) if target.exists() else None
        draft.replace(target)  # at once: at no moment is there no database
    return Backup(target, target.stat().st_size, revision, replaced)


def _copy(source: Path, target: Path) -> str:
    """Copy page by page through SQLite, look the copy over, and return its schema's revision."""
    with source.open("rb") as file:
        if file.read(len(_HEADER)) != _HEADER:
            raise BackupRefused(f"{source} is not a SQLite database.")
    with _reported(source), closing(_connect(source, "ro")) as origin, closing(_connect(target, "rw")) as copy:
        origin.backup(copy, pages=_PAGES_A_STEP)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, with no WAL beside it
        problems = [row[0] for row in copy.execute("PRAGMA quick_check(3)")]
        if problems != ["ok"]:
            raise BackupRefused(f"{source} is damaged: {'; '.join(problems)}")
        revision = _revision(copy, source)
    _flush(target)
    return revision


def _revision(connection: Any, source: Path) -> str:
    known = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()[0]
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    if row is None:
        raise BackupRefused(f"{source} is no database of this gateway: it has no schema revision.")
    if row[0] not in REVISIONS:
        kept = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'schema_history'").fetchone()[0]
        if trouble := trouble_with(row[0], connection.execute(STEPS).fetchall() if kept else ()):
            raise BackupRefused(f"{source}: {trouble}")
    return str(row[0])


def _keep_aside(target: Path) -> Path:
    """Make sure nobody has the database open, fold its WAL into it, and give it a second name."""
    with _reported(target), closing(_connect(target, "rw", busy_seconds=0.5)) as connection:
        try:
            # Leaving WAL mode needs the file for itself: it fails while any other connection is open.
            mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        except connection.OperationalError as error:
            raise _in_use(target) from error
        if mode != "delete":
            raise _in_use(target)
    aside = target.with_name(f"{target.name}.before-restore-{secrets.token_hex(4)}")
    os.link(target, aside)
    return aside


def _in_use(target: Path) -> BackupRefused:
    return BackupRefused(f"{target} is in use; stop the gateway first, then restore.")


def _connect(path: Path, mode: str, busy_seconds: float = 5.0) -> Any:
    """A plain driver connection: there is no SQLAlchemy for page-wise copies."""
    import sqlite3  # the one that `_reported` made sure of

    uri = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=busy_seconds, isolation_level=None)


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    prefer_safe_sqlite()
    import sqlite3  # the one that `prefer_safe_sqlite` chose

    try:
        yield
    except sqlite3.DatabaseError as error:
        raise BackupRefused(f"{path} cannot be read as a database: {error}") from error


@contextmanager
def _draft_beside(target: Path) -> Iterator[Path]:
    """An empty private file in the target's folder; gone afterwards, unless it was renamed."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise BackupRefused(f"{target} cannot be written: {error.strerror}.") from error
    try:
        yield draft
    except OSError as error:
        raise BackupRefused(f"{error.filename or target} cannot be used: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sqlite_file(database_url: str, instead: str) -> Path:
    path = sqlite_path(parse_url(database_url))
    if path is None:
        raise BackupRefused(f"The database is Postgres: {instead}.")
    return path
