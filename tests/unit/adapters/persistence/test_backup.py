"""A backup is whole though the gateway writes, and a restore never destroys what was there (P-09)."""

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.persistence import schema
from adapters.persistence.backup import BackupRefused, backup, restore
from adapters.persistence.migrations import HEAD
from adapters.persistence.store import SqlAlchemyStore
from tests.builders import a_provider
from tests.fakes.security import FakeBox


@pytest.fixture
async def url(tmp_path: Path) -> str:
    made = f"sqlite+aiosqlite:///{tmp_path}/data/omg.db"
    await schema.upgrade(made)
    return made


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlAlchemyStore]:
    opened = SqlAlchemyStore(url, FakeBox(), unit_seconds=20)
    yield opened
    await opened.aclose()


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def provider_ids(url: str) -> list[str]:
    store = SqlAlchemyStore(url, FakeBox(), unit_seconds=20)
    async with store.read() as unit:
        found = [provider.id for provider in await unit.providers.list_all()]
    await store.aclose()
    return found


@pytest.mark.slow
async def test_a_backup_taken_while_writing_is_whole_and_private(
    url: str, store: SqlAlchemyStore, tmp_path: Path
) -> None:
    begun, stop = asyncio.Event(), asyncio.Event()

    async def write() -> int:
        number = 0
        while not stop.is_set():
            async with store.write() as unit:
                await unit.providers.add(a_provider(f"p{number:05}", name="n" * 2000))
            begun.set()
            number += 1
        return number

    writing = asyncio.create_task(write())
    await begun.wait()
    made = await backup(url, tmp_path / "copy.db")
    stop.set()
    written = await writing

    assert made.path == tmp_path / "copy.db"
    assert (made.revision, made.size_bytes) == (HEAD, made.path.stat().st_size)
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    ids = await provider_ids(f"sqlite+aiosqlite:///{made.path}")
    assert ids == [f"p{number:05}" for number in range(len(ids))]
    assert 0 < len(ids) <= written


async def test_a_backup_overwrites_nothing_and_leaves_no_draft(url: str, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with pytest.raises(BackupRefused, match=r"copy\.db exists already; name a new file"):
        await backup(url, target)
    assert target.read_text() == "precious"
    assert names_in(tmp_path) == ["copy.db", "data"]


async def test_a_backup_needs_a_database_and_a_folder(url: str, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="There is no database at"):
        await backup(f"sqlite+aiosqlite:///{tmp_path}/none.db", tmp_path / "copy.db")
    with pytest.raises(BackupRefused, match="cannot be written: No such file or directory"):
        await backup(url, tmp_path / "missing" / "copy.db")


async def test_a_restore_brings_the_backup_back_and_keeps_what_was_there(url: str, tmp_path: Path) -> None:
    store = SqlAlchemyStore(url, FakeBox(), unit_seconds=20)
    async with store.write() as unit:
        await unit.providers.add(a_provider("before"))
    made = await backup(url, tmp_path / "copy.db")
    async with store.write() as unit:
        await unit.providers.add(a_provider("after"))
    await store.aclose()

    restored = await restore(url, made.path)

    assert await provider_ids(url) == ["before"]
    assert restored.replaced is not None
    assert await provider_ids(f"sqlite+aiosqlite:///{restored.replaced}") == ["after", "before"]
    assert stat.S_IMODE(restored.path.stat().st_mode) == 0o600
    assert made.path.exists()


async def test_a_restore_works_where_there_is_no_database_yet(url: str, tmp_path: Path) -> None:
    made = await backup(url, tmp_path / "copy.db")
    elsewhere = f"sqlite+aiosqlite:///{tmp_path}/new/omg.db"
    restored = await restore(elsewhere, made.path)
    assert restored.replaced is None
    assert (await schema.check(elsewhere)).up_to_date


async def test_a_database_in_use_is_not_replaced(url: str, store: SqlAlchemyStore, tmp_path: Path) -> None:
    async with store.write() as unit:
        await unit.providers.add(a_provider())
    made = await backup(url, tmp_path / "copy.db")
    with pytest.raises(BackupRefused, match="is in use; stop the gateway first"):
        await restore(url, made.path)
    async with store.write() as unit:
        await unit.providers.add(a_provider("beta"))
    assert names_in(tmp_path / "data") == ["omg.db", "omg.db-shm", "omg.db-wal"]


async def test_what_is_no_backup_of_ours_is_refused(url: str, tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("hello, this is not a database at all")
    with pytest.raises(BackupRefused, match="is not a SQLite database"):
        await restore(url, text)

    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(BackupRefused, match="it has no schema revision"):
        await restore(url, foreign)

    with pytest.raises(BackupRefused, match="There is no backup file at"):
        await restore(url, tmp_path / "missing.db")
    assert (await schema.check(url)).up_to_date


async def test_a_backup_of_a_newer_version_is_refused(url: str, tmp_path: Path) -> None:
    made = await backup(url, tmp_path / "copy.db")
    with sqlite3.connect(made.path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(BackupRefused, match="'9999', which this version does not know"):
        await restore(url, made.path)


async def test_a_damaged_backup_is_refused_before_anything_is_touched(
    url: str, store: SqlAlchemyStore, tmp_path: Path
) -> None:
    async with store.write() as unit:
        for number in range(50):
            await unit.providers.add(a_provider(f"p{number}", name="n" * 3000))
    await store.aclose()
    made = await backup(url, tmp_path / "copy.db")
    with made.path.open("r+b") as file:
        file.seek(made.size_bytes // 2)
        file.write(b"\xff" * 20_000)
    with pytest.raises(BackupRefused, match=r"damaged|cannot be read as a database"):
        await restore(url, made.path)
    assert len(await provider_ids(url)) == 50
    assert names_in(tmp_path / "data") == ["omg.db"]


async def test_postgres_is_left_to_its_own_tools(tmp_path: Path) -> None:
    url = "postgresql+asyncpg://user:secret@localhost/omg"
    with pytest.raises(BackupRefused, match="pg_dump") as caught:
        await backup(url, tmp_path / "copy.db")
    assert "secret" not in str(caught.value)
    with pytest.raises(BackupRefused, match="pg_restore"):
        await restore(url, tmp_path / "copy.db")
