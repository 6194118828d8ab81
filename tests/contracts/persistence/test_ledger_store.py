"""What every ledger store must do: each request once, its sums with it, and the offset in the same transaction."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.persistence.engine import parse_url, sqlite_path
from adapters.persistence.ledger.opening import OpenLedgerStore, open_ledger_store
from adapters.persistence.ledger.rows import ATTEMPT_COLUMNS, REQUEST_COLUMNS
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import AttemptRow, RequestRow, Row
from adapters.persistence.tables.usage import SUMS
from adapters.persistence.usage_queries.grains import GRAINS, columns_of
from adapters.persistence.usage_queries.reader import SqlAlchemyUsage
from domain.errors import StoreUnavailable
from domain.ports.ledger import AppliedBatch, LedgerStore, SegmentOffset
from domain.prices import UNPRICED
from domain.records import RequestRecord
from domain.usage import TOKEN_COUNTS, TokenUsage
from domain.usage_queries import RequestFilter
from tests.builders import NOW, a_request_record, an_attempt_record
from tests.contracts.persistence.postgres import PostgresServer
from tests.fakes.ledger import MemoryLedgerStore

_EMPTY = [f"DELETE FROM {table.name}" for table in reversed(Row.metadata.sorted_tables)]


async def rows_of(database_url: str, query: str, *before: str) -> list[tuple[object, ...]]:
    """The query's rows, on a connection of its own, after some statements."""
    engine = create_async_engine(parse_url(database_url), poolclass=NullPool)
    async with engine.begin() as connection:
        for statement in before:
            await connection.execute(text(statement))
        found = [tuple(row) for row in await connection.execute(text(query))]
    await engine.dispose()
    return found


@pytest.fixture
async def sql_ledger(database_url: str) -> AsyncIterator[OpenLedgerStore]:
    store = open_ledger_store(database_url)
    yield store
    await store.aclose()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def ledger(request: pytest.FixtureRequest) -> AsyncIterator[LedgerStore]:
    """Every implementation, the fake included."""
    if request.param == "memory":
        yield MemoryLedgerStore()
        return
    store = open_ledger_store(url_of(request, str(request.param)))
    yield store
    await store.aclose()


def url_of(request: pytest.FixtureRequest, kind: str) -> str:
    if kind == "sqlite":
        from shutil import copyfile

        path = request.getfixturevalue("tmp_path") / "omg.db"
        copyfile(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite+aiosqlite:///{path}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_migrated_database()


def some_records(count: int, first: int = 0) -> list[RequestRecord]:
    return [a_request_record(f"req_{number}") for number in range(first, first + count)]


async def test_a_batch_applied_three_times_counts_once(ledger: LedgerStore) -> None:
    """R-18."""
    records = some_records(700)
    assert await ledger.apply(records, SegmentOffset("1.spool", 900)) == AppliedBatch(700, 0)
    for _ in range(2):
        assert await ledger.apply(records, SegmentOffset("1.spool", 900)) == AppliedBatch(0, 700)
    assert await ledger.apply(some_records(10, 695), None) == AppliedBatch(5, 5)


async def test_a_request_that_is_twice_in_one_batch_counts_once(ledger: LedgerStore) -> None:
    assert await ledger.apply([*some_records(3), *some_records(3)], None) == AppliedBatch(3, 3)


async def test_requests_under_one_id_of_the_clients_choice_all_count_and_each_once(ledger: LedgerStore) -> None:
    """R-18: `x-request-id` may be sent by the client; the decision's id may not."""
    records = [a_request_record("mine" * 32, decision_id=f"dec_{number % 4:032}") for number in range(6)]
    assert await ledger.apply(records[:1], None) == AppliedBatch(1, 0)
    assert await ledger.apply(records, None) == AppliedBatch(3, 3)
    assert await ledger.apply(records, None) == AppliedBatch(0, 6)


async def test_offsets_are_kept_and_forgotten(ledger: LedgerStore) -> None:
    assert await ledger.offset("1.spool") == 0
    await ledger.apply(some_records(1), SegmentOffset("1.spool", 17))
    await ledger.apply([], SegmentOffset("2.spool", 5_000_000_000))
    await ledger.apply([], SegmentOffset("1.spool", 18))
    await ledger.apply([], SegmentOffset("1.spool", 11))  # it never goes back
    assert (await ledger.offset("1.spool"), await ledger.offset("2.spool")) == (18, 5_000_000_000)
    await ledger.forget("1.spool")
    await ledger.forget("never.spool")
    assert (await ledger.offset("1.spool"), await ledger.offset("2.spool")) == (0, 5_000_000_000)


async def test_nothing_is_nothing(ledger: LedgerStore) -> None:
    assert await ledger.apply([], None) == AppliedBatch(0, 0)


def test_the_columns_written_are_the_columns_there_are() -> None:
    assert set(REQUEST_COLUMNS) == set(RequestRow.__table__.columns.keys())
    assert set(ATTEMPT_COLUMNS) == set(AttemptRow.__table__.columns.keys())
    for grain in GRAINS:
        assert set(columns_of(grain)) == set(grain.row.__table__.columns.keys())
    assert SUMS[3:12] == TOKEN_COUNTS


_SUMMED = ", ".join(f"COALESCE(SUM({name}), 0)" for name in SUMS)
_RAW_ATTEMPTS = ", ".join(f"COALESCE(SUM({name}), 0)" for name in (*TOKEN_COUNTS, "cost_nano_usd"))


async def raw_sums(database_url: str) -> tuple[int, ...]:
    marked = (
        "estimated",
        "unpriced",
        "inexact",
        "outcome <> 'ok' AND refused_by <> ''",
        "outcome = 'client_cancelled'",
    )
    flags = ", ".join(f"COUNT(*) FILTER (WHERE {flag})" for flag in marked)
    saved = "COALESCE(SUM(savings_nano_usd), 0)"
    ((requests, errors, *flagged),) = await rows_of(
        database_url,
        f"SELECT COUNT(*), COUNT(*) FILTER (WHERE outcome <> 'ok'), {flags}, {saved} FROM requests",
    )
    ((attempts, *rest),) = await rows_of(database_url, f"SELECT COUNT(*), {_RAW_ATTEMPTS} FROM attempts")
    return tuple(map(int, (requests, errors, attempts, *rest, *flagged)))  # type: ignore[arg-type]  # counts


async def rolled_up(database_url: str) -> list[tuple[int, ...]]:
    """The total of each table of sums."""
    totals = []
    for grain in GRAINS:
        query = f"SELECT {_SUMMED} FROM {grain.row.__tablename__}"
        (row,) = await rows_of(database_url, query)
        totals.append(tuple(map(int, row)))  # type: ignore[arg-type]  # counts
    return totals


tokens = st.integers(0, 5000)
attempts = st.builds(
    an_attempt_record,
    provider_id=st.sampled_from(["alpha", "beta"]),
    model=st.sampled_from(["m", "n"]),
    usage=st.one_of(st.none(), st.builds(TokenUsage, *[tokens] * len(TOKEN_COUNTS))),
    usage_source=st.sampled_from(["provider", "estimated", "none"]),
    cost_nano_usd=st.one_of(st.none(), st.integers(0, 10**12)),
    cost_missing=st.sampled_from([(), ("web_search",), UNPRICED]),
)
events = st.builds(
    a_request_record,
    request_id=st.integers(0, 40).map("req_{}".format),
    created_at=st.integers(0, 3 * 86400).map(lambda seconds: NOW + timedelta(seconds=seconds)),
    key_id=st.sampled_from([None, "key_1", "key_2"]),
    outcome=st.sampled_from(["ok", "error", "client_cancelled", "interrupted"]),
    task=st.sampled_from(["", "summary"]),
    savings_nano_usd=st.one_of(st.none(), st.integers(-(10**12), 10**12)),
    attempts=st.lists(attempts, max_size=3).map(tuple),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(events, max_size=30), max_size=4))
async def test_the_sums_are_those_of_the_rows_whatever_happens(
    sql_ledger: OpenLedgerStore, database_url: str, batches: Sequence[Sequence[RequestRecord]]
) -> None:
    """P-05: batches overlap and are applied again; every table of sums has what the rows have."""
    await rows_of(database_url, "SELECT 1", *_EMPTY)
    for batch in (*batches, *batches[:2]):
        await sql_ledger.apply(batch, SegmentOffset("1.spool", 1))
    raw = await raw_sums(database_url)
    assert raw[0] == len({record.request_id for batch in batches for record in batch})
    assert await rolled_up(database_url) == [raw] * len(GRAINS)


async def test_a_request_counts_where_its_last_attempt_went_and_tokens_where_each_did(
    sql_ledger: OpenLedgerStore, database_url: str
) -> None:
    first = an_attempt_record(provider_id="alpha", usage=TokenUsage(7), usage_source="estimated", cost_nano_usd=None)
    last = an_attempt_record(provider_id="beta", usage=TokenUsage(100, 10))
    record = a_request_record(provider_id="beta", model="m-2026-11-21", attempts=(first, last), key_id=None)
    await sql_ledger.apply([record], None)

    found = await rows_of(
        database_url,
        "SELECT provider_id, model, key_id, requests, attempts, input_tokens, cost_nano_usd, estimated_requests,"
        " unpriced_requests FROM usage_hourly ORDER BY provider_id",
    )
    assert found == [("alpha", "m", "", 0, 1, 7, 0, 0, 0), ("beta", "m", "", 1, 1, 100, 1_500, 1, 1)]
    assert await rows_of(database_url, "SELECT provider_id, model FROM requests") == [("beta", "m")]


async def test_hours_and_days_begin_in_utc(sql_ledger: OpenLedgerStore, database_url: str) -> None:
    late = datetime(2026, 11, 21, 23, 59, 59, 999_999, tzinfo=UTC)
    await sql_ledger.apply([a_request_record(created_at=late)], None)
    for table, hour in (("usage_hourly", 23), ("usage_daily", 0)):
        ((at,),) = await rows_of(database_url, f"SELECT starts_at FROM {table}")
        assert str(at).startswith(f"2026-11-21 {hour:02}:00:00")


async def test_what_is_written_is_read_back_as_it_was(sql_ledger: OpenLedgerStore, sql_store: SqlAlchemyStore) -> None:
    """Moments of any zone and in any order to the microsecond; what a record does not have is not there."""
    zones = (UTC, ZoneInfo("Asia/Kathmandu"), timezone(timedelta(hours=-3, minutes=-30)))
    steps = (0, 1, 3_599_999_999, 3_600_000_000, -1, 59_000_000, 86_400_000_000, 7)
    moments = [NOW + timedelta(microseconds=step) for step in steps]
    bare = an_attempt_record(
        key_id=None, status=None, usage=None, usage_source="none", price_id=None, cost_nano_usd=None
    )
    written = [
        a_request_record(
            f"req_{number}",
            created_at=moment.astimezone(zones[number % 3]),
            stream=number % 2 == 0,
            ttft_ms=0.0 if number % 2 else None,
            error_code="" if number % 2 else None,
            attempts=(bare,) if number % 3 else (),
            usage=None,
        )
        for number, moment in enumerate(moments)
    ]
    await sql_ledger.apply(written, None)

    found = await SqlAlchemyUsage(sql_store).page(RequestFilter(), 100, None)
    assert sorted(found, key=lambda record: record.request_id) == written


async def test_what_no_column_can_hold_is_cut_and_stops_nothing(sql_ledger: OpenLedgerStore, database_url: str) -> None:
    """Whatever a client or a provider wrote: one such value must not stop the ledger for ever."""
    attempt = an_attempt_record(
        model="m\0" * 5000, message="\0" * 9000, usage=TokenUsage(10**30, 2**63), cost_nano_usd=10**25
    )
    record = a_request_record(requested_model="x" * 10**6, model="\0", error_code="\0", attempts=(attempt, attempt))
    assert await sql_ledger.apply([record], None) == AppliedBatch(1, 0)
    assert await rows_of(database_url, "SELECT number, input_tokens FROM attempts ORDER BY number") == [
        (1, 10**9),
        (2, 10**9),
    ]
    assert await rolled_up(database_url) == [await raw_sums(database_url)] * len(GRAINS)


async def test_a_batch_that_fails_midway_leaves_nothing(sql_ledger: OpenLedgerStore, database_url: str) -> None:
    """The rows, the sums and the offset come together or not at all; afterwards the store works again."""
    await sql_ledger.apply(some_records(1), SegmentOffset("1.spool", 1))
    away, back = "ALTER TABLE spool_offsets RENAME TO hidden", "ALTER TABLE hidden RENAME TO spool_offsets"
    await rows_of(database_url, "SELECT 1", away)
    with pytest.raises(StoreUnavailable):
        await sql_ledger.apply(some_records(20), SegmentOffset("1.spool", 2))
    await rows_of(database_url, "SELECT 1", back)

    assert (await raw_sums(database_url))[0] == 1
    assert await rolled_up(database_url) == [await raw_sums(database_url)] * len(GRAINS)
    assert await sql_ledger.offset("1.spool") == 1
    assert await sql_ledger.apply(some_records(20), SegmentOffset("1.spool", 2)) == AppliedBatch(19, 1)


async def test_writers_side_by_side_add_up(sql_ledger: OpenLedgerStore, database_url: str) -> None:
    """R-26: four flushers over the same cells, batches that overlap."""
    others = [open_ledger_store(database_url) for _ in range(3)]
    results = await asyncio.gather(
        *(store.apply(some_records(60, 20 * turn), None) for turn in range(6) for store in (sql_ledger, *others))
    )
    for store in others:
        await store.aclose()
    assert sum(result.inserted for result in results) == 160
    assert (await raw_sums(database_url))[0] == 160
    assert await rolled_up(database_url) == [await raw_sums(database_url)] * len(GRAINS)


async def test_a_caller_that_leaves_breaks_nothing(sql_ledger: OpenLedgerStore, database_url: str) -> None:
    """R-14: it stays all or nothing, and the store goes on."""
    for turn in range(5):
        applying = asyncio.create_task(sql_ledger.apply(some_records(50, 50 * turn), None))
        await asyncio.sleep(0.002 * turn)
        applying.cancel()
        await asyncio.wait({applying})
    await sql_ledger.apply(some_records(300), None)
    assert (await raw_sums(database_url))[0] == 300
    assert await rolled_up(database_url) == [await raw_sums(database_url)] * len(GRAINS)


async def test_a_database_that_is_not_there_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("nothing")
    for url in (f"sqlite:///{folder}/none.db", "postgresql://nobody@127.0.0.1:9/none"):
        store = open_ledger_store(url)
        with pytest.raises(StoreUnavailable):
            await store.apply(some_records(1), None)
        with pytest.raises(StoreUnavailable):
            await store.offset("1.spool")
        await store.aclose()
    assert list(folder.iterdir()) == []


async def test_the_sqlite_writer_waits_for_a_lock_and_then_says_so(database_url: str) -> None:
    """R-23: another process writes; nothing is lost, and the next call succeeds."""
    path = sqlite_path(parse_url(database_url))
    if path is None:
        pytest.skip("Postgres locks rows, not databases")
    from adapters.persistence.ledger.sqlite import SqliteLedgerStore

    holding = create_async_engine(parse_url(database_url), poolclass=NullPool)
    store = SqliteLedgerStore(path, busy_seconds=0.1)
    async with holding.connect() as connection:
        await connection.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await store.apply(some_records(1), None)
        await connection.exec_driver_sql("ROLLBACK")
    assert await store.apply(some_records(1), None) == AppliedBatch(1, 0)
    await store.aclose()
    await holding.dispose()
