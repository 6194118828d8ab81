"""Decisions as both databases keep them, beside the requests that they led."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.clock import Uuid7Ids
from adapters.persistence.ledger.opening import open_ledger_store
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.decisions import SqlAlchemyDecisions
from adapters.persistence.usage_queries.reader import SqlAlchemyUsage
from domain.decisions import DecisionNote, Weighed
from domain.records import RequestRecord
from domain.usage_queries import LogCursor, UsageQuery
from tests.builders import NOW, a_request_record
from tests.fakes.decisions import MemoryDecisions
from tests.fakes.usage_reader import MemoryUsage

NOTE = DecisionNote("fast", "priority", 3, tuple(Weighed(f"p{number}", f"m{number}") for number in range(12)))


def routed(number: int, route: str = "fast") -> RequestRecord:
    return a_request_record(
        f"req_{number:03}",
        created_at=NOW + timedelta(seconds=number // 2),
        route=route,
        holdout=number % 2 == 0,
        savings_nano_usd=number - 3,
        decision=NOTE,
    )


async def written(url: str, records: list[RequestRecord]) -> None:
    ledger = open_ledger_store(url)
    await ledger.apply(records, None)
    await ledger.apply(records, None)  # a replay changes nothing
    await ledger.aclose()


async def test_a_decision_is_found_by_its_id(sql_store: SqlAlchemyStore, database_url: str) -> None:
    record = routed(7)
    await written(database_url, [record, routed(8)])
    decisions = SqlAlchemyDecisions(sql_store)

    assert await decisions.get(record.decision_id) == record
    assert await decisions.get("dec_none") is None


async def test_the_request_of_a_plain_decision_is_found_by_the_moment_in_its_id(
    sql_store: SqlAlchemyStore, database_url: str
) -> None:
    made = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    ids = Uuid7Ids(lambda: int(made.timestamp() * 1e9))
    plain = a_request_record(decision_id=ids.new("dec"), created_at=made + timedelta(seconds=40))
    await written(database_url, [plain])
    decisions = SqlAlchemyDecisions(sql_store)

    assert await decisions.get(plain.decision_id) == plain
    assert await decisions.get(ids.new("dec")) is None
    assert await decisions.get("dec_ffffffffffff7000a000000000000000") is None


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_pages_lead_through_all_of_a_route_oldest_first(
    sql_store: SqlAlchemyStore, database_url: str, limit: int
) -> None:
    records = [routed(number, "slow" if number % 5 == 0 else "fast") for number in range(20)]
    await written(database_url, records)
    start, end = NOW + timedelta(seconds=1), NOW + timedelta(seconds=8)
    expected = await MemoryDecisions(records).page("fast", start, end, 100, None)
    decisions, found, at = SqlAlchemyDecisions(sql_store), list[RequestRecord](), None

    while page := await decisions.page("fast", start, end, limit, at):
        found += page
        at = LogCursor(page[-1].created_at, page[-1].request_id)

    assert found == expected
    assert found


async def test_savings_are_summed_and_their_spread_is_told_as_in_memory(
    sql_store: SqlAlchemyStore, database_url: str
) -> None:
    records = [routed(number, "slow" if number % 5 == 0 else "fast") for number in range(20)]
    records.append(a_request_record("req_plain"))
    await written(database_url, records)
    usage, expected = SqlAlchemyUsage(sql_store), MemoryUsage(records)

    for groups in ((), ("route",), ("day", "model"), ("key",)):
        query = UsageQuery(NOW, NOW + timedelta(days=2), groups)
        found = {row.group: row.sums for row in await usage.sums(query, 100)}
        assert found == {row.group: row.sums for row in await expected.sums(query, 100)}, groups
    query = UsageQuery(NOW, NOW + timedelta(days=2))
    spreads = {(each.route, each.holdout): each for each in await usage.spreads(query)}
    for each in await expected.spreads(query):
        row = spreads.pop((each.route, each.holdout))
        assert row.requests == each.requests
        assert (row.cost_usd, row.cost_squared, row.savings_usd) == pytest.approx(
            (each.cost_usd, each.cost_squared, each.savings_usd)
        )
    assert spreads == {}
