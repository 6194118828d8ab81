"""Which SQLite the process uses: versions before 3.51.3 can corrupt a WAL database (promise R-24).

Source: sqlite.org release notes of 3.51.3, 2026-03-13 ("WAL-reset corruption").
"""

import sys
from importlib import import_module
from types import ModuleType

SAFE_VERSION = (3, 51, 3)


def prefer_safe_sqlite() -> None:
    """Let `import sqlite3` mean the bundled `pysqlite3`, unless a safe one is imported already.

    Call it before anything imports `aiosqlite` or opens a database. Calling it again does nothing. The system's
    SQLite is not even looked at where there is a bundled one: two of them in a process take 2 MB more.
    """
    imported = sys.modules.get("sqlite3")
    if imported is not None and _version_of(imported) >= SAFE_VERSION:
        return
    try:
        bundled = import_module("pysqlite3")
    except ImportError:  # no wheel for this platform: `unsafe_sqlite` tells, `omg doctor` shows it
        return
    if _version_of(bundled) >= SAFE_VERSION:
        sys.modules["sqlite3"] = bundled
        sys.modules["sqlite3.dbapi2"] = import_module("pysqlite3.dbapi2")


def sqlite_version() -> str:
    """The version that `import sqlite3` means now, as `3.53.4`."""
    return str(import_module("sqlite3").sqlite_version)


def unsafe_sqlite() -> str | None:
    """What is wrong with this process's SQLite and what to do, or None."""
    version = sqlite_version()
    if _version_of(import_module("sqlite3")) >= SAFE_VERSION:
        return None
    wanted = ".".join(map(str, SAFE_VERSION))
    return (
        f"SQLite {version} can corrupt its database when two connections checkpoint at once; "
        f"use a Python with SQLite {wanted} or newer, install 'pysqlite3', or set OMG_DATABASE_URL to Postgres."
    )


def _version_of(module: ModuleType) -> tuple[int, ...]:
    return tuple(int(part) for part in str(module.sqlite_version).split("."))
