"""Whatever is asked of usage, the databases answer as a plain sum over the records does (R-18, R-20)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.persistence.ledger.opening import open_ledger_store
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.reader import SqlAlchemyUsage
from domain.errors import RequestInvalid
from domain.ports.ledger import LedgerStore
from domain.records import AttemptRecord, RequestRecord
from domain.usage import TokenUsage
from domain.usage_queries import GROUPINGS, Grouping, UsageFilter, UsageQuery, UsageRow, UsageSums
from tests.builders import a_request_record, an_attempt_record
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
PROVIDERS, MODELS, KEYS = ("alpha", "beta"), ("m", "org/n:free", ""), ("key_1", "key_2", None)


@st.composite
def attempts(draw: st.DrawFn) -> AttemptRecord:
    source = draw(st.sampled_from(["provider", "estimated", "none"]))
    usage = (
        TokenUsage(*draw(st.tuples(*[st.integers(0, 10**6)] * len(TokenUsage.__struct_fields__))))
        if source != "none"
        else None
    )
    cost = draw(st.none() | st.integers(0, 10**12)) if usage is not None else None
    return an_attempt_record(
        provider_id=draw(st.sampled_from(PROVIDERS)),
        model=draw(st.sampled_from(MODELS)),
        usage=usage,
        usage_source=source,
        cost_nano_usd=cost,
        price_id=None if cost is None else "price_1",
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
        outcome=draw(st.sampled_from(["ok", "error", "client_cancelled"])),
        attempts=numbered,
    )


FILTERS = st.builds(
    UsageFilter,
    tenant_id=st.sampled_from([None, None, "ten_2", "ten_none"]),
    key_id=st.sampled_from([None, None, "key_1", ""]),
    provider_id=st.sampled_from([None, None, "beta", ""]),
    model=st.sampled_from([None, None, "org/n:free", ""]),
    task=st.sampled_from([None, None, "summary", ""]),
)


@st.composite
def questions(draw: st.DrawFn) -> UsageQuery:
    start, end = sorted((draw(MOMENTS), draw(MOMENTS)))
    groups: Sequence[Grouping] = draw(st.lists(st.sampled_from(GROUPINGS), unique=True))
    return UsageQuery(start, end, tuple(groups), draw(st.sampled_from(ZONES)), draw(FILTERS))


def known(rows: Sequence[UsageRow]) -> dict[tuple[object, ...], UsageSums]:
    """By group, without the groups that add up to nothing."""
    by_group = {(row.day, row.model, row.provider, row.key, row.task): row.sums for row in rows}
    assert len(by_group) == len(rows), "a group is there twice"
    return {group: sums for group, sums in by_group.items() if sums != UsageSums()}


def total(rows: Sequence[UsageRow]) -> UsageSums:
    return sum((row.sums for row in rows), UsageSums())


@pytest.fixture
async def usage(sql_store: SqlAlchemyStore) -> SqlAlchemyUsage:
    return SqlAlchemyUsage(sql_store)


@pytest.fixture
async def ledger(database_url: str) -> AsyncIterator[LedgerStore]:
    opened = open_ledger_store(database_url)
    yield opened
    await opened.aclose()


async def check(usage: SqlAlchemyUsage, written: Sequence[RequestRecord], query: UsageQuery) -> None:
    expected = MemoryUsage(written)
    answered = await usage.sums(query, 10_000)
    assert known(answered) == known(await expected.sums(query, 10_000)), query
    everything = total(await expected.sums(msgspec.structs.replace(query, group_by=()), 10))
    assert total(answered) == everything, query


@pytest.mark.parametrize("examples", [pytest.param(60, id="random")])
async def test_every_question_is_answered_as_a_plain_sum_is(
    ledger: LedgerStore, usage: SqlAlchemyUsage, examples: int
) -> None:
    """The database fills up from one example to the next; all that was written counts."""
    written, loop = list[RequestRecord](), asyncio.get_running_loop()

    async def one(drawn: Sequence[RequestRecord], asked: Sequence[UsageQuery]) -> None:
        batch = [
            msgspec.structs.replace(record, request_id=f"req_{number}")
            for number, record in enumerate(drawn, len(written))
        ]
        await ledger.apply(batch, None)
        await ledger.apply(batch[::2], None)  # a replay changes nothing
        written.extend(batch)
        for query in asked:
            await check(usage, written, query)

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(records(), min_size=1, max_size=12), st.lists(questions(), min_size=3, max_size=6))
    def ask(batch: list[RequestRecord], asked: list[UsageQuery]) -> None:
        asyncio.run_coroutine_threadsafe(one(batch, asked), loop).result(60)

    await asyncio.to_thread(ask)


async def test_every_grouping_has_the_same_total_in_every_zone(ledger: LedgerStore, usage: SqlAlchemyUsage) -> None:
    written = [
        a_request_record(
            f"req_{number}",
            created_at=FIRST + timedelta(minutes=37 * number, microseconds=number),
            key_id=KEYS[number % 3],
            provider_id=PROVIDERS[number % 2],
            model=MODELS[number % 2],
            attempts=tuple(
                an_attempt_record(each + 1, provider_id=PROVIDERS[(number + each) % 2], model=MODELS[number % 2])
                for each in range(number % 3)
            ),
        )
        for number in range(900)
    ]
    await ledger.apply(written, None)

    for zone in ("UTC", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe"):
        for size in range(len(GROUPINGS) + 1):
            for groups in combinations(GROUPINGS, size):
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
