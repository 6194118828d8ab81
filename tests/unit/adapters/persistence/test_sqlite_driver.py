"""The gateway never runs on a SQLite that can corrupt its WAL (R-24)."""

import os
import subprocess
import sys
from types import ModuleType

import pytest

from adapters.persistence.sqlite_driver import prefer_safe_sqlite, sqlite_version, unsafe_sqlite


def test_this_process_uses_a_safe_sqlite_once_asked() -> None:
    prefer_safe_sqlite()
    prefer_safe_sqlite()
    assert unsafe_sqlite() is None
    assert tuple(map(int, sqlite_version().split("."))) >= (3, 51, 3)


def test_an_old_sqlite_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    old = ModuleType("sqlite3")
    old.sqlite_version = "3.40.1"  # type: ignore[attr-defined]  # as the real module has it
    monkeypatch.setitem(sys.modules, "sqlite3", old)
    received = unsafe_sqlite()
    assert received is not None
    assert "SQLite 3.40.1" in received
    assert "3.51.3" in received


def test_where_no_safe_one_is_installed_the_old_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    old = ModuleType("sqlite3")
    old.sqlite_version = "3.40.1"  # type: ignore[attr-defined]  # as the real module has it
    monkeypatch.setitem(sys.modules, "sqlite3", old)
    monkeypatch.setitem(sys.modules, "pysqlite3", None)
    prefer_safe_sqlite()
    assert sqlite_version() == "3.40.1"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no bundled one")
def test_the_systems_sqlite_is_not_loaded_beside_the_bundled_one() -> None:
    program = """
import sys
from adapters.persistence.sqlite_driver import prefer_safe_sqlite
prefer_safe_sqlite()
import aiosqlite
print("_sqlite3" in sys.modules)
"""
    uncovered = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # it uses SQLite
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=uncovered)
    assert done.stdout.strip() == "False"


@pytest.mark.slow
@pytest.mark.slow
def test_the_store_really_runs_on_the_safe_one() -> None:
    program = """
import asyncio, sys, tempfile
from sqlalchemy import text
from adapters.persistence.engine import build_engines, parse_url
async def main():
    with tempfile.TemporaryDirectory() as folder:
        engines = build_engines(parse_url(f"sqlite:///{folder}/omg.db"))
        async with engines.reader.connect() as connection:
            print((await connection.execute(text("SELECT sqlite_version()"))).scalar())
        await engines.aclose()
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert tuple(map(int, done.stdout.strip().split("."))) >= (3, 51, 3)
