"""Behind a pooler of transactions everything works that is said to, and one that nobody mentioned is named."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from sqlalchemy import URL

from adapters.limits.postgres_counters import PostgresCounters
from adapters.persistence import schema
from adapters.persistence.announcements import ConfigAnnouncements
from adapters.persistence.engine import parse_url
from adapters.persistence.leases import SqlAlchemyLeases
from adapters.persistence.ledger.postgres import PostgresLedgerStore
from adapters.persistence.store import SqlAlchemyStore
from domain.configuration import Section
from domain.ports.security import SecretBox
from tests.builders import a_provider, a_request_record
from tests.contracts.persistence.postgres import PostgresServer
from tests.pgbouncer import pgbouncer_before
from tests.transaction_pooler import TransactionPooler

Pooler = Callable[[URL], AbstractAsyncContextManager[str]]


@pytest.fixture(
    params=[lambda server: TransactionPooler(server).running(), pgbouncer_before], ids=["ours", "pgbouncer"]
)
def pooler(request: pytest.FixtureRequest) -> Pooler:
    """Ours gives every transaction another connection, which the real one does only under load."""
    chosen: Pooler = request.param
    return chosen


async def test_the_schema_is_made_and_several_processes_work_through_it(
    postgres: PostgresServer, box: SecretBox, pooler: Pooler
) -> None:
    server = await asyncio.to_thread(postgres.new_database)
    async with pooler(parse_url(server)) as address:
        url = f"{address}&pgbouncer=true"
        await schema.upgrade(url)
        assert (await schema.check(url)).up_to_date
        stores = [SqlAlchemyStore(url, box, unit_seconds=20.0) for _ in range(3)]
        ledger = PostgresLedgerStore(parse_url(url))
        counters = PostgresCounters(parse_url(url), reply_seconds=20.0)

        async def work(store: SqlAlchemyStore, number: int) -> None:
            for turn in range(5):
                async with store.write() as unit:
                    await unit.providers.add(a_provider(f"p-{number}-{turn}"))
                    await unit.config_versions.bump(Section.PROVIDERS)
                async with store.read() as unit:
                    assert await unit.providers.get(f"p-{number}-{turn}") is not None
                assert await SqlAlchemyLeases(store).take("work", "all", 60)
                await ledger.apply([a_request_record(f"req_{number}_{turn}")], None)
                assert f"proc_{number}" in await counters.renew(f"proc_{number}", [])

        await asyncio.gather(*(work(store, number) for number, store in enumerate(stores)))
        async with stores[0].read() as unit:
            assert (await unit.config_versions.load())[Section.PROVIDERS] == 15
            assert len(await unit.providers.list_all()) == 15
        await asyncio.gather(ledger.aclose(), counters.aclose(), *(store.aclose() for store in stores))
    assert await postgres.fetch(server, "SELECT count(*) FROM requests") == [15]


async def test_each_transaction_still_has_its_limits_of_time(
    postgres: PostgresServer, box: SecretBox, pooler: Pooler
) -> None:
    server = postgres.migrated_url
    async with pooler(parse_url(server)) as address:
        store = SqlAlchemyStore(f"{address}&pgbouncer=true", box, unit_seconds=20.0)
        async with store.reading(20.0) as work:
            connection = await work.run(work.session.connection())
            shown = await work.run(connection.exec_driver_sql("SHOW statement_timeout"))
            assert shown.scalar_one() == "2s"
        await store.aclose()
    assert await postgres.fetch(server, "SHOW statement_timeout") == ["0"]


@pytest.mark.parametrize("strict", [True, False], ids=["refuses parameters", "leaves parameters out"])
async def test_a_pooler_that_nobody_mentioned_is_named(postgres: PostgresServer, strict: bool) -> None:
    async with TransactionPooler(parse_url(postgres.migrated_url), strict=strict).running() as address:
        with pytest.raises(schema.PoolerMet, match="OMG_DATABASE_POOLER=transaction"):
            await schema.check(address)


async def test_changes_are_looked_for_more_often_where_nobody_announces_them() -> None:
    direct, pooled = (ConfigAnnouncements(f"postgresql://u@h/d{more}") for more in ("", "?pgbouncer=true"))

    assert (direct.missed, pooled.missed) == (False, True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await pooled.listen(lambda: asyncio.sleep(0))
    for each in (direct, pooled):
        await each.aclose()
