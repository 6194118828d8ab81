"""Migrations lead to the tables of the code, in steps that can be taken back, once at a time (R-31)."""

import asyncio
import stat
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from adapters.persistence import schema
from adapters.persistence.engine import build_schema_engine, parse_url
from adapters.persistence.migrations import HEAD, REVISIONS
from adapters.persistence.tables import Row
from domain.errors import StoreUnavailable
from tests.contracts.persistence.postgres import PostgresServer


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that has never been migrated; for SQLite, not even a file."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/data/omg.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


async def tables_of(database_url: str) -> set[str]:
    engine = build_schema_engine(parse_url(database_url), 5)
    async with engine.connect() as connection:
        found = await connection.run_sync(lambda sync: set(engine.dialect.get_table_names(sync)))
    await engine.dispose()
    return found


async def test_an_empty_database_is_told_as_empty_and_left_alone(empty_url: str, tmp_path: Path) -> None:
    assert await schema.check(empty_url) == schema.SchemaState(None, HEAD)
    assert not (tmp_path / "data").exists()


async def test_every_step_goes_up_down_and_up_again(empty_url: str) -> None:
    for place, revision in enumerate(REVISIONS):
        below = REVISIONS[place - 1] if place else "base"
        for target in (revision, below, revision):
            await schema.migrate(empty_url, target)
            assert (await schema.check(empty_url)).current == (None if target == "base" else target)
    await schema.migrate(empty_url, "base")
    assert await tables_of(empty_url) == {"alembic_version"}


async def test_the_migrations_make_exactly_the_tables_of_the_code(empty_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Row.metadata))

    await schema.upgrade(empty_url)
    engine = build_schema_engine(parse_url(empty_url), 5)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_the_known_revisions_are_those_in_the_folder() -> None:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(schema.__file__).parent / "migrations"))
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == REVISIONS
    assert scripts.get_current_head() == HEAD


async def test_upgrading_tells_what_was_there_and_is_quick_the_second_time(empty_url: str) -> None:
    assert (await schema.upgrade(empty_url)).current is None
    assert await schema.upgrade(empty_url) == schema.SchemaState(HEAD, HEAD)
    assert (await schema.check(empty_url)).up_to_date


async def test_many_at_once_migrate_once(empty_url: str) -> None:
    await asyncio.gather(*(schema.upgrade(empty_url) for _ in range(6)))
    assert (await schema.check(empty_url)).up_to_date


async def test_two_processes_start_at_once_on_an_empty_database(empty_url: str) -> None:
    program = f"import asyncio; from adapters.persistence import schema; asyncio.run(schema.upgrade({empty_url!r}))"
    starts = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, stderr=asyncio.subprocess.PIPE)
        for _ in range(2)
    ]
    ends = await asyncio.gather(*(process.communicate() for process in starts))
    assert [(process.returncode, end[1]) for process, end in zip(starts, ends, strict=True)] == [(0, b"")] * 2
    assert (await schema.check(empty_url)).up_to_date


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(empty_url: str) -> None:
    await schema.upgrade(empty_url)
    engine = build_schema_engine(parse_url(empty_url), 5)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()

    found = await schema.check(empty_url)
    assert (found.current, found.is_newer) == ("9999", False)
    with pytest.raises(schema.SchemaUnknown, match="revision '9999', which this version does not know"):
        await schema.upgrade(empty_url)
    assert await schema.check(empty_url) == found


async def test_a_failed_migration_leaves_nothing_behind(empty_url: str) -> None:
    """A table in the way fails the second half; the first half is undone on both databases."""
    engine = build_schema_engine(parse_url(empty_url), 5)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE facts (x INTEGER)"))
    await engine.dispose()

    with pytest.raises(StoreUnavailable, match="already exists"):
        await schema.upgrade(empty_url)
    assert await tables_of(empty_url) == {"facts"}


async def test_the_sqlite_file_and_its_folder_are_private(tmp_path: Path) -> None:
    await schema.upgrade(f"sqlite+aiosqlite:///{tmp_path}/data/omg.db")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "omg.db").stat().st_mode) == 0o600
