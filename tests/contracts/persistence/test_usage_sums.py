"""Whatever is asked of usage, the databases answer as a plain sum over the records does (R-18, R-20)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from adapters.persistence.ledger.opening import open_ledger_store
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.reader import SqlAlchemyUsage
from adapters.persistence.usage_queries.rolling import SqlAlchemyRollUps
from domain.attribution import Attribution
from domain.errors import RequestInvalid, ServiceUnavailable
from domain.ports.ledger import LedgerStore
from domain.records import AttemptRecord, RequestRecord
from domain.usage import TOKEN_COUNTS, BillingFacts, TokenUsage
from domain.usage_queries import GROUPINGS, Grouping, UsageFilter, UsageQuery, UsageRow, UsageSums
from tests.builders import a_request_record, an_attempt_record
from tests.fakes.clock import FakeClock
from tests.fakes.usage_reader import MemoryUsage

ZONES = (
    "UTC",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Pacific/Apia",
)
FIRST = datetime(2026, 3, 27, tzinfo=UTC)
LAST = datetime(2026, 4, 27, tzinfo=UTC)  # in between, clocks change in Lord Howe and in Cairo
EDGES = (
    FIRST.replace(hour=18, minute=30),
    datetime(2026, 4, 4, 15, 0, tzinfo=UTC),  # Lord Howe's half hour
    datetime(2026, 4, 23, 22, 0, tzinfo=UTC),  # Cairo's skipped midnight
    datetime(2026, 4, 1, tzinfo=UTC),
    datetime(2026, 4, 1, tzinfo=UTC) - timedelta(microseconds=1),
    datetime(2026, 4, 1, 7, 59, 59, 999_999, tzinfo=UTC),
)
MOMENTS = st.one_of(
    st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None), timezones=st.just(UTC)),
    st.sampled_from(EDGES),
    st.sampled_from(range(24 * 31)).map(lambda hour: FIRST + timedelta(hours=hour)),
)
MISSING = st.sampled_from([(), (), ("web_search",), ("character", "image")])
PROVIDERS, MODELS, KEYS = ("alpha", "beta"), ("m", "org/n:free", ""), ("key_1", "key_2", None)


@st.composite
def attempts(draw: st.DrawFn) -> AttemptRecord:
    source = draw(st.sampled_from(["provider", "estimated", "none"]))
    usage = TokenUsage(*draw(st.tuples(*[st.integers(0, 10**6)] * len(TOKEN_COUNTS)))) if source != "none" else None
    cost = draw(st.none() | st.integers(0, 10**12)) if usage is not None else None
    reported = draw(st.none() | st.integers(0, 10**9)) if usage is not None else None
    if usage is not None and reported is not None:
        usage = msgspec.structs.replace(usage, billing=BillingFacts(cost_nano_usd=reported))
        cost = reported
    computed = draw(st.none() | st.sampled_from([0, reported or 0, (reported or 0) * 101 // 100, 10**6]))
    return an_attempt_record(
        computed_nano_usd=computed,
        provider_id=draw(st.sampled_from(PROVIDERS)),
        model=draw(st.sampled_from(MODELS)),
        usage=usage,
        usage_source=source,
        cost_nano_usd=cost,
        price_id=None if cost is None else "price_1",
        cost_missing=draw(MISSING) if usage is not None else (),
    )


ENDS = st.sampled_from(
    [
        {"outcome": "ok"},
        {"outcome": "error"},
        {"outcome": "interrupted"},
        {"outcome": "client_cancelled"},
        {"outcome": "error", "refused_by": "key:key_1"},
    ]
)

ATTRIBUTIONS = st.builds(
    Attribution,
    user_id=st.sampled_from([None, "usr_1", "usr_2"]),
    tags=st.sampled_from([(), ("a",), ("a", "b"), ("b", "c")]),
    end_user=st.sampled_from(["", "ann", "bob"]),
    session=st.sampled_from(["", "s1", "s2"]),
    device=st.sampled_from(["", "phone"]),
)


@st.composite
def records(draw: st.DrawFn) -> RequestRecord:
    calls = draw(st.lists(attempts(), max_size=3))
    numbered = tuple(msgspec.structs.replace(call, number=number) for number, call in enumerate(calls, 1))
    return a_request_record(
        "req_drawn",
        created_at=draw(MOMENTS),
        tenant_id=draw(st.sampled_from(["ten_default", "ten_2"])),
        key_id=draw(st.sampled_from(KEYS)),
        provider_id=numbered[-1].provider_id if numbered else None,
        model=numbered[-1].model if numbered else None,
        task=draw(st.sampled_from(["", "summary"])),
        **draw(ENDS),
        latency_ms=draw(st.sampled_from([1.5, 20.0, 0.1 + 0.2, 4000.25])),
        ttft_ms=draw(st.sampled_from([None, 1.0, 7.5])),
        decision_id=draw(st.sampled_from(["dec_10", "dec_11", "dec_00"])),
        endpoint=draw(st.sampled_from(["chat.completions", "embeddings"])),
        attempts=numbered,
        attribution=draw(ATTRIBUTIONS),
    )


FILTERS = st.builds(
    UsageFilter,
    tenant_id=st.sampled_from([None, None, "ten_2", "ten_none"]),
    key_id=st.sampled_from([None, None, "key_1", ""]),
    provider_id=st.sampled_from([None, None, "beta", ""]),
    model=st.sampled_from([None, None, "org/n:free", ""]),
    task=st.sampled_from([None, None, "summary", ""]),
    user_id=st.sampled_from([None, None, None, "usr_1", ""]),
    endpoint=st.sampled_from([None, None, None, "embeddings"]),
    end_user=st.sampled_from([None, None, None, "ann", ""]),
    session=st.sampled_from([None, None, None, "s1", ""]),
    tag=st.sampled_from([None, None, None, "a", ""]),
)


@st.composite
def questions(draw: st.DrawFn) -> UsageQuery:
    start, end = sorted((draw(MOMENTS), draw(MOMENTS)))
    groups: Sequence[Grouping] = draw(st.lists(st.sampled_from(GROUPINGS), unique=True))
    return UsageQuery(start, end, tuple(groups), draw(st.sampled_from(ZONES)), draw(FILTERS))


OF_ROLL_UPS: tuple[Grouping, ...] = ("day", "model", "provider", "key", "task")


def known(rows: Sequence[UsageRow]) -> dict[tuple[object, ...], UsageSums]:
    """By group, without the groups that add up to nothing."""
    by_group = {row.group: row.sums for row in rows}
    assert len(by_group) == len(rows), "a group is there twice"
    return {group: sums for group, sums in by_group.items() if sums != UsageSums()}


def names(rows: Sequence[UsageRow]) -> dict[tuple[object, ...], set[str]]:
    """What has no price, by group."""
    found: dict[tuple[object, ...], set[str]] = {}
    for row in rows:
        found.setdefault(row.group, set()).update(row.cost_missing)
    return found


def by_group(rows: Sequence[UsageRow]) -> dict[tuple[object, ...], tuple[object, object]]:
    """The percentiles of each group."""
    return {row.group: (row.latency_ms, row.ttft_ms) for row in rows}


def total(rows: Sequence[UsageRow]) -> UsageSums:
    return sum((row.sums for row in rows), UsageSums())


@pytest.fixture
async def usage(sql_store: SqlAlchemyStore) -> SqlAlchemyUsage:
    return SqlAlchemyUsage(sql_store)


@pytest.fixture
def roll_ups(sql_store: SqlAlchemyStore) -> SqlAlchemyRollUps:
    return SqlAlchemyRollUps(sql_store, FakeClock(LAST + timedelta(days=2)))


@pytest.fixture
async def ledger(database_url: str) -> AsyncIterator[LedgerStore]:
    opened = open_ledger_store(database_url)
    yield opened
    await opened.aclose()


async def check(usage: SqlAlchemyUsage, written: Sequence[RequestRecord], query: UsageQuery) -> None:
    expected = MemoryUsage(written)
    answered = await usage.sums(query, 10_000)
    assert known(answered) == known(await expected.sums(query, 10_000)), query
    assert names(await usage.missing(query, 10_000)) == names(await expected.missing(query, 10_000)), query
    for one_in in (1, 16):
        measured = await usage.latencies(query, one_in)
        due = await expected.latencies(query, one_in)
        assert by_group(measured.rows) == by_group(due.rows), query
        assert measured.total == due.total, query
    priced = [sorted(found, key=repr) for found in (await usage.priced(query, 99), await expected.priced(query, 99))]
    assert priced[0] == priced[1], query
    if query.filter.tag is None:  # by which nobody can ask for it
        assert await usage.drift(query, 10_000) == await expected.drift(query, 10_000), query
    if "tag" not in query.group_by:  # under which a request counts for each of its tags
        everything = total(await expected.sums(msgspec.structs.replace(query, group_by=()), 10))
        assert total(answered) == everything, query


@pytest.mark.parametrize("examples", [pytest.param(60, id="random")])
async def test_every_question_is_answered_as_a_plain_sum_is(
    ledger: LedgerStore, usage: SqlAlchemyUsage, roll_ups: SqlAlchemyRollUps, examples: int
) -> None:
    """The database fills up from one example to the next; all that was written counts. Some days are summed up after
    the fact, and some of those are written to again.
    """
    written, loop = list[RequestRecord](), asyncio.get_running_loop()

    async def one(drawn: Sequence[RequestRecord], asked: Sequence[UsageQuery], days: int) -> None:
        batch = [
            msgspec.structs.replace(record, request_id=f"req_{number}")
            for number, record in enumerate(drawn, len(written))
        ]
        await ledger.apply(batch, None)
        await ledger.apply(batch[::2], None)  # a replay changes nothing
        written.extend(batch)
        await roll_ups.turn(days)
        for query in asked:
            await check(usage, written, query)

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(records(), min_size=1, max_size=12),
        st.lists(questions(), min_size=3, max_size=6),
        st.sampled_from([0, 0, 0, 2]),
    )
    def ask(batch: list[RequestRecord], asked: list[UsageQuery], days: int) -> None:
        asyncio.run_coroutine_threadsafe(one(batch, asked, days), loop).result(60)

    await asyncio.to_thread(ask)


async def test_every_grouping_has_the_same_total_in_every_zone(ledger: LedgerStore, usage: SqlAlchemyUsage) -> None:
    written = [
        a_request_record(
            f"req_{number}",
            created_at=FIRST + timedelta(minutes=111 * number, microseconds=number),
            key_id=KEYS[number % 3],
            provider_id=PROVIDERS[number % 2],
            model=MODELS[number % 2],
            attempts=tuple(
                an_attempt_record(each + 1, provider_id=PROVIDERS[(number + each) % 2], model=MODELS[number % 2])
                for each in range(number % 3)
            ),
        )
        for number in range(300)
    ]
    await ledger.apply(written, None)

    for zone in ("UTC", "Asia/Kathmandu", "Australia/Lord_Howe"):
        for size in range(len(OF_ROLL_UPS) + 1):
            for groups in combinations(OF_ROLL_UPS, size):
                start, end = FIRST + timedelta(minutes=1000, seconds=1), FIRST + timedelta(days=20, minutes=7)
                await check(usage, written, UsageQuery(start, end, groups, zone))


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("groups", [("key",), ("day", "key", "model")])
async def test_an_answer_with_too_many_groups_is_refused(
    ledger: LedgerStore, usage: SqlAlchemyUsage, groups: tuple[Grouping, ...], zone: str
) -> None:
    written = [a_request_record(f"req_{number}", key_id=f"key_{number}") for number in range(20)]
    await ledger.apply(written, None)

    begin = written[0].created_at - timedelta(days=3)
    query = UsageQuery(begin, begin + timedelta(days=6), groups, zone)

    assert len(await usage.sums(query, 20)) == 20
    for limit in (19, 7):
        with pytest.raises(RequestInvalid, match=f"more than {limit} rows"):
            await usage.sums(query, limit)


async def test_a_thousand_sessions_of_one_end_user_are_one_group_and_a_thousand(
    ledger: LedgerStore, usage: SqlAlchemyUsage
) -> None:
    written = [
        a_request_record(f"req_{number}", attribution=Attribution(end_user="ann", session=f"s{number % 1000}"))
        for number in range(1500)
    ]
    await ledger.apply(written, None)
    begin = written[0].created_at - timedelta(days=3)

    def asked(*groups: Grouping, **filter_: str) -> UsageQuery:
        return UsageQuery(begin, begin + timedelta(days=6), groups, "UTC", UsageFilter(**filter_))

    by_user = await usage.sums(asked("end_user"), 10)
    by_session = await usage.sums(asked("session", end_user="ann"), 1000)

    assert [(row.end_user, row.sums.requests) for row in by_user] == [("ann", 1500)]
    assert len({row.session for row in by_session}) == 1000
    assert sum(row.sums.requests for row in by_session) == 1500
    assert [row.sums.requests for row in await usage.sums(asked(session="s7"), 10)] == [2]


ATTRIBUTED: tuple[Grouping, ...] = ("user", "endpoint", "end_user", "session", "device", "tag")


async def test_ended_days_are_read_from_their_roll_ups_until_they_are_written_to_again(
    ledger: LedgerStore, usage: SqlAlchemyUsage, roll_ups: SqlAlchemyRollUps, sql_store: SqlAlchemyStore
) -> None:
    whose = Attribution("usr_1", ("a", "b"), "ann", "s1", "phone")
    written = [
        a_request_record(
            f"req_{n}", created_at=FIRST + timedelta(hours=7 * n), attribution=whose, usage=None, attempts=()
        )
        for n in range(12)
    ]
    await ledger.apply(written, None)
    await roll_ups.turn()
    async with sql_store.writing() as work:
        await work.run(work.session.execute(text("UPDATE usage_roll_ups SET requests = requests + 100")))

    async def counted(group: Grouping) -> list[int]:
        whole = UsageQuery(FIRST, FIRST + timedelta(days=3), ("day", group))
        return sorted(row.sums.requests for row in await usage.sums(whole, 100))

    for group in ATTRIBUTED:
        assert min(await counted(group)) > 100, group
    late = msgspec.structs.replace(written[0], request_id="req_late")
    await ledger.apply([late], None)
    for group in ATTRIBUTED:
        assert sum(count < 100 for count in await counted(group)) == (2 if group == "tag" else 1), group
    await roll_ups.turn()
    assert min(await counted("user")) == 5, "the day that was written to is summed up again"


async def test_a_roll_up_that_is_hardly_shorter_than_its_requests_is_not_kept(
    ledger: LedgerStore, usage: SqlAlchemyUsage, roll_ups: SqlAlchemyRollUps, sql_store: SqlAlchemyStore
) -> None:
    written = [
        a_request_record(f"req_{n}", created_at=FIRST, attribution=Attribution(end_user="ann", session=f"s{n}"))
        for n in range(300)
    ]
    await ledger.apply(written, None)
    await roll_ups.turn()

    async with sql_store.reading(20) as work:
        kept = text("SELECT DISTINCT attribute FROM usage_roll_ups ORDER BY attribute")
        found = (await work.run(work.session.scalars(kept))).all()

    assert found == ["device", "end_user", "endpoint", "tag", "user"]
    by_session = await usage.sums(UsageQuery(FIRST, FIRST + timedelta(days=1), ("session",)), 300)
    assert len(by_session) == 300


async def test_more_reports_than_may_wait_are_told_to_come_again(
    usage: SqlAlchemyUsage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.persistence.usage_queries.reader.REPORTS_WAITING", 3)
    query = UsageQuery(FIRST, LAST, ("model",))

    answers = await asyncio.gather(*(usage.sums(query, 10) for _ in range(12)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, ServiceUnavailable)]

    assert len(refused) == 7
    assert {(error.code, error.retry_after_seconds) for error in refused} == {("overloaded", 1)}
    assert await usage.sums(query, 10) == []
