"""Callers who leave, and databases that do not answer: no connection is lost, nothing is half written (R-14)."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.persistence.store import SqlAlchemyStore
from domain.errors import RequestInvalid, StoreUnavailable
from domain.ports.security import SecretBox
from tests.builders import a_provider, a_provider_key, a_tenant
from tests.contracts.persistence.postgres import PostgresServer
from tests.waiting import until


async def settled(store: SqlAlchemyStore) -> int:
    """Connections still checked out when the units of callers who left have closed; it hangs where one never does."""
    await until(lambda: store.checked_out == 0)
    return store.checked_out


async def test_hundreds_of_cancelled_units_leave_no_connection_checked_out(sql_store: SqlAlchemyStore) -> None:
    chance = random.Random(7)

    async def unit(number: int) -> None:
        opened = sql_store.write() if number % 3 == 0 else sql_store.read()
        async with opened as repositories:
            if number % 3 == 0:
                await repositories.facts.bump("counter")
            await repositories.keys.list_all()
            await repositories.facts.get("counter")

    async def leave_early(number: int) -> None:
        task = asyncio.create_task(unit(number))
        await asyncio.sleep(chance.random() * 0.02)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    for start in range(0, 300, 20):
        await asyncio.gather(*(leave_early(number) for number in range(start, start + 20)))

    assert await settled(sql_store) == 0
    async with sql_store.write() as repositories:
        await repositories.facts.bump("counter")


async def test_a_cancelled_caller_leaves_at_once_and_its_write_is_undone(sql_store: SqlAlchemyStore) -> None:
    written = asyncio.Event()

    async def write_and_wait() -> None:
        async with sql_store.write() as unit:
            await unit.providers.add(a_provider())
            written.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write_and_wait())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await settled(sql_store) == 0
    async with sql_store.read() as unit:
        assert await unit.providers.list_all() == []


async def test_cancelled_again_and_again_the_connection_still_goes_back(sql_store: SqlAlchemyStore) -> None:
    """Some frameworks repeat a cancellation at every await, also in `finally`."""

    async def write_and_wait() -> None:
        async with sql_store.write() as unit:
            await unit.providers.add(a_provider())
            await asyncio.Event().wait()

    task = asyncio.create_task(write_and_wait())
    while not task.done():
        await asyncio.sleep(0)
        task.cancel()

    assert await settled(sql_store) == 0


async def test_a_unit_left_mid_statement_waits_in_the_background(database_url: str, box: SecretBox) -> None:
    """The one writer is busy: a second caller gives up, and its turn passes without harm."""
    store = SqlAlchemyStore(database_url, box, unit_seconds=0.5)
    holder = SqlAlchemyStore(database_url, box, unit_seconds=30)
    async with holder.write() as unit:
        await unit.facts.bump("counter")
        with pytest.raises(StoreUnavailable, match=r"did not answer within 0\.5 seconds"):
            async with store.write() as second:
                await second.facts.bump("counter")
    assert await settled(store) == 0
    await store.aclose()
    async with holder.read() as unit:
        assert await unit.facts.get("counter") == "1"
    await holder.aclose()


async def test_a_process_that_starts_waits_for_a_busy_database_where_its_requests_would_not(
    database_url: str, box: SecretBox
) -> None:
    """A start that gave up after two seconds on a loaded machine left nothing running at all."""
    store = SqlAlchemyStore(database_url, box, unit_seconds=0.1)
    holder = SqlAlchemyStore(database_url, box, unit_seconds=30)

    async def starting() -> None:
        with store.patient(30):
            async with store.write() as second:
                await second.facts.bump("counter")

    async with holder.write() as unit:
        await unit.facts.bump("counter")
        waiting = asyncio.create_task(starting())
        await asyncio.sleep(0.3)  # longer than a unit usually may take
        assert not waiting.done()
    await waiting
    async with holder.write() as unit:
        await unit.facts.bump("counter")
        with pytest.raises(StoreUnavailable):  # what comes later has no patience
            async with store.write() as second:
                await second.facts.bump("counter")

    await settled(store)
    await store.aclose()
    await holder.aclose()


async def test_a_unit_serves_nobody_after_it_was_left(sql_store: SqlAlchemyStore) -> None:
    async with sql_store.read() as unit:
        await unit.facts.get("a")
    with pytest.raises(RuntimeError, match="none after it was left"):
        await unit.facts.get("a")


async def test_a_unit_refuses_two_callers_at_once(sql_store: SqlAlchemyStore) -> None:
    async with sql_store.read() as unit:
        first = asyncio.create_task(unit.keys.list_all())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="one caller at a time"):
            await unit.keys.list_all()
        await first


async def test_a_reading_unit_cannot_write(sql_store: SqlAlchemyStore) -> None:
    with pytest.raises(StoreUnavailable, match=r"read-?only"):
        async with sql_store.read() as unit:
            await unit.tenants.add(a_tenant())
    assert await settled(sql_store) == 0


async def test_a_unit_whose_caller_ignored_a_failure_is_not_committed(sql_store: SqlAlchemyStore) -> None:
    with pytest.raises(StoreUnavailable, match="nothing was written"):
        async with sql_store.write() as unit:
            await unit.facts.bump("counter")
            with suppress(RequestInvalid):
                await unit.providers.add(a_provider(priority=1 << 70))
    async with sql_store.read() as unit:
        assert await unit.facts.get("counter") is None


async def test_a_value_no_column_can_hold_is_the_requests_fault(sql_store: SqlAlchemyStore) -> None:
    with pytest.raises(RequestInvalid, match="cannot be stored"):
        async with sql_store.write() as unit:
            await unit.providers.add(a_provider(priority=1 << 70))


@pytest.fixture
async def postgres_store(postgres: PostgresServer, box: SecretBox) -> AsyncIterator[SqlAlchemyStore]:
    store = SqlAlchemyStore(postgres.new_migrated_database(), box, unit_seconds=10.0)
    yield store
    await store.aclose()


async def test_a_stopped_postgres_is_unavailable_and_comes_back_by_itself(
    postgres: PostgresServer, postgres_store: SqlAlchemyStore
) -> None:
    """R-25: never 'not found'."""
    async with postgres_store.write() as unit:
        await unit.keys.add(a_provider_key())
    await asyncio.to_thread(postgres.stop)
    try:
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                async with postgres_store.read() as unit:
                    await unit.keys.get("pk_1")
        with pytest.raises(StoreUnavailable):
            await postgres_store.ping()
        assert await settled(postgres_store) == 0
    finally:
        await asyncio.to_thread(postgres.start)
    await postgres_store.ping()
    async with postgres_store.read() as unit:
        assert await unit.keys.get("pk_1") == a_provider_key()


async def test_a_postgres_killed_within_a_unit_is_unavailable(
    postgres: PostgresServer, postgres_store: SqlAlchemyStore
) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'open-model-gateway'"
    with pytest.raises(StoreUnavailable):
        async with postgres_store.write() as unit:
            await unit.facts.bump("counter")
            await postgres.fetch(postgres.migrated_url, cut)
            await unit.facts.bump("counter")
    assert await settled(postgres_store) == 0
    async with postgres_store.read() as unit:
        assert await unit.facts.get("counter") is None


async def test_a_nul_that_postgres_cannot_hold_is_the_requests_fault(postgres_store: SqlAlchemyStore) -> None:
    with pytest.raises(RequestInvalid, match="NUL"):
        async with postgres_store.write() as unit:
            await unit.providers.add(a_provider(name="a\0b"))


async def test_nothing_stays_idle_in_a_transaction(postgres: PostgresServer, postgres_store: SqlAlchemyStore) -> None:
    for _ in range(5):
        with suppress(RuntimeError):
            async with postgres_store.write() as unit:
                await unit.facts.bump("counter")
                raise RuntimeError
        async with postgres_store.read() as unit:
            await unit.facts.get("counter")
    idle = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
    assert await postgres.fetch(postgres.migrated_url, idle) == [0]


async def test_a_sqlite_file_without_tables_is_unavailable(box: SecretBox, tmp_path: Path) -> None:
    store = SqlAlchemyStore(f"sqlite+aiosqlite:///{tmp_path}/other/omg.db", box)
    with pytest.raises(StoreUnavailable, match="no such table"):
        await store.ping()
    with pytest.raises(StoreUnavailable, match="no such table"):
        async with store.read() as unit:
            await unit.keys.list_all()
    await store.aclose()
