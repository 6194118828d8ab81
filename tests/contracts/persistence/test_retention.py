"""Requests that were kept long enough go, with their calls and decisions; every sum of them stays."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from adapters.persistence.ledger.opening import open_ledger_store
from adapters.persistence.ledger.verification import AppliedSegment, verify
from adapters.persistence.retention import BATCH, SqlAlchemyRetention
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.reader import SqlAlchemyUsage
from adapters.persistence.usage_queries.rolling import SqlAlchemyRollUps
from domain.attribution import Attribution
from domain.records import Charge
from domain.usage_queries import Grouping, UsageQuery, UsageRow
from tests.builders import NOW, a_request_record
from tests.fakes.clock import FakeClock

OLD = NOW - timedelta(days=40)


def no_files(segment: str, applied_bytes: int) -> AppliedSegment | None:
    return None


async def used(store: SqlAlchemyStore, *group_by: Grouping) -> list[UsageRow]:
    query = UsageQuery(OLD - timedelta(days=1), NOW + timedelta(days=1), group_by)
    return sorted(await SqlAlchemyUsage(store).sums(query, 100), key=str)


async def wrong(store: SqlAlchemyStore) -> list[str]:
    """But for prices, of which this test has none."""
    return [each for each in (await verify(store, no_files)).differences if "its price" not in each]


async def rows(store: SqlAlchemyStore, table: str) -> int:
    async with store.reading(20) as work:
        return int((await work.run(work.session.execute(text(f"SELECT count(*) FROM {table}")))).scalar_one())


@pytest.fixture
async def full(database_url: str, sql_store: SqlAlchemyStore) -> SqlAlchemyStore:
    ledger = open_ledger_store(database_url)
    charges = (Charge("key:key_1:month", int((OLD - timedelta(days=5)).timestamp()), 10),)
    old = [
        a_request_record(f"old_{n:04}", created_at=OLD, charges=charges, attribution=Attribution(end_user="ann"))
        for n in range(BATCH + 20)
    ]
    new = [a_request_record(f"new_{n:04}", created_at=NOW) for n in range(30)]
    await ledger.apply([*old, *new], None)
    await ledger.aclose()
    return sql_store


def retention_of(store: SqlAlchemyStore) -> SqlAlchemyRetention:
    clock = FakeClock(NOW)
    return SqlAlchemyRetention(store, SqlAlchemyRollUps(store, clock), clock)


ASKED: tuple[tuple[Grouping, ...], ...] = ((), ("day",), ("model",), ("key", "day"), ("end_user",))


async def test_requests_go_and_every_sum_of_them_stays(full: SqlAlchemyStore) -> None:
    retention, before = retention_of(full), NOW - timedelta(days=30)
    sums = [await used(full, *groups) for groups in ASKED]
    assert await retention.count(before) == BATCH + 20
    assert await rows(full, "requests") == BATCH + 50  # to count deletes nothing

    assert await retention.prune(before) == BATCH + 20

    assert [await rows(full, table) for table in ("requests", "attempts")] == [30, 30]
    assert [await used(full, *groups) for groups in ASKED] == sums
    assert await wrong(full) == []
    assert await retention.count(before) == 0


async def test_days_that_are_not_over_by_then_stay_whole(full: SqlAlchemyStore) -> None:
    retention = retention_of(full)

    assert await retention.prune(OLD + timedelta(minutes=1)) == 0
    assert await retention.prune(OLD + timedelta(days=1)) == BATCH + 20


async def test_what_is_wrong_after_that_day_is_still_found(full: SqlAlchemyStore) -> None:
    await retention_of(full).prune(NOW - timedelta(days=30))
    async with full.writing() as work:
        await work.run(work.session.execute(text("UPDATE usage_hourly SET requests = requests + 1")))

    assert {difference.split()[0] for difference in await wrong(full)} == {"usage_hourly"}
