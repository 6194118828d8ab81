"""What one process changes on Postgres, another hears of at once; a change that is undone is never told (P-11)."""

import asyncio

import pytest

from adapters.persistence.announcements import ConfigAnnouncements
from adapters.persistence.store import SqlAlchemyStore
from domain.configuration import Section


async def bump(store: SqlAlchemyStore) -> None:
    async with store.write() as unit:
        await unit.config_versions.bump(Section.VIRTUAL_KEYS)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_change_is_heard_of_when_it_is_committed(sql_store: SqlAlchemyStore, database_url: str) -> None:
    heard: asyncio.Queue[dict[str, int]] = asyncio.Queue()

    async def on_change() -> None:
        async with sql_store.read() as unit:
            await heard.put(dict(await unit.config_versions.load()))

    announcements = ConfigAnnouncements(database_url)
    listening = asyncio.create_task(announcements.listen(on_change))
    try:
        at_first = await heard.get()  # it listens now
        with pytest.raises(RuntimeError):
            async with sql_store.write() as unit:
                await unit.config_versions.bump(Section.VIRTUAL_KEYS)
                raise RuntimeError("undone")
        await bump(sql_store)

        assert (at_first, await heard.get()) == ({}, {"virtual_keys": 1})
        assert heard.empty()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await announcements.aclose()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_on_sqlite_there_is_nobody_else_to_hear_of(sql_store: SqlAlchemyStore, database_url: str) -> None:
    async def on_change() -> None:
        raise AssertionError("nobody else writes")

    announcements = ConfigAnnouncements(database_url)
    listening = asyncio.create_task(announcements.listen(on_change))
    await bump(sql_store)

    assert not listening.done()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await announcements.aclose()
