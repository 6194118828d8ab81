"""The settings that keep a SQLite file safe are really on, and a wrong URL is told without its password."""

import os
import stat
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.persistence.engine import STEPS_BACK, DatabaseUrlInvalid, build_engines, parse_url


async def pragmas(engine: AsyncEngine) -> dict[str, object]:
    names = "journal_mode synchronous busy_timeout foreign_keys trusted_schema cell_size_check temp_store query_only"
    async with engine.connect() as connection:
        return {name: (await connection.execute(text(f"PRAGMA {name}"))).scalar() for name in names.split()}


async def test_the_writer_is_durable_and_the_readers_cannot_write(tmp_path: Path) -> None:
    engines = build_engines(parse_url(f"sqlite:///{tmp_path}/omg.db"))
    writer, reader, reports = [await pragmas(each) for each in (engines.writer, engines.reader, engines.reports)]
    await engines.aclose()

    assert writer == {
        "journal_mode": "wal",
        "synchronous": 2,
        "busy_timeout": 5000,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "temp_store": 2,
        "query_only": 0,
    }
    assert reader == reports == writer | {"query_only": 1}


@pytest.mark.skipif(sys.platform != "linux", reason="only there has a thread a priority of its own")
async def test_reports_stand_back_behind_everything_else(tmp_path: Path) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    engines = build_engines(parse_url(f"sqlite:///{tmp_path}/omg.db"))
    async with engines.reports.connect() as connection, engines.reader.connect() as reader:
        nice = (await connection.execute(text("SELECT step_back()"))).scalar()
        with pytest.raises(OperationalError, match="step_back"):  # of reports alone
            await reader.execute(text("SELECT step_back()"))
    await engines.aclose()

    assert nice == min(19, before + STEPS_BACK)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


async def test_a_new_file_is_private(tmp_path: Path) -> None:
    await build_engines(parse_url(f"sqlite:///{tmp_path}/data/omg.db")).aclose()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "omg.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("given", ["postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"])
def test_postgres_is_always_asked_through_asyncpg(given: str) -> None:
    assert parse_url(given).drivername == "postgresql+asyncpg"


@pytest.mark.parametrize(
    ("given", "received"),
    [
        ("mysql://root:hunter2@h/d", "'mysql' is not supported"),
        ("postgresql+psycopg2://root:hunter2@h/d", "'postgresql+psycopg2' is not supported"),
        ("hunter2", "it is no URL"),
        ("postgresql://root:hunter2@h:port/d", "it is no URL"),
        ("sqlite+aiosqlite://", "SQLite needs a file path"),
        ("sqlite+aiosqlite:///:memory:", "SQLite needs a file path"),
    ],
)
def test_an_unusable_url_is_told_by_its_setting_and_without_its_password(given: str, received: str) -> None:
    with pytest.raises(DatabaseUrlInvalid) as caught:
        parse_url(given)
    assert str(caught.value).startswith(f"OMG_DATABASE_URL: {received}")
    assert "hunter2" not in str(caught.value)
