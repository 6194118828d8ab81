"""The ledger's check finds what was changed behind its back, on both databases."""

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import text

from adapters.persistence.ledger.opening import OpenLedgerStore, open_ledger_store
from adapters.persistence.ledger.verification import AppliedSegment, verify
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.rolling import SqlAlchemyRollUps
from domain.ports.ledger import SegmentOffset
from domain.prices import PriceRow, Prices, cost_nano_usd
from domain.records import AttemptRecord, Charge, RequestRecord
from domain.usage import TokenUsage
from tests.builders import NOW
from tests.fakes.clock import FakeClock

PRICE = PriceRow("price_1", "alpha", "m", Prices(1_000_000_000, 4_000_000_000), "admin", NOW)


def a_record(number: int) -> RequestRecord:
    usage = TokenUsage(100 + number, 7)
    cost = cost_nano_usd(usage, PRICE.prices)
    attempts = (
        AttemptRecord(1, "alpha", "pk_1", "m", "rate_limited", 429, 3.5, None, "slow down"),
        AttemptRecord(2, "alpha", None, "m", "ok", 200, 12.25, usage, "", "provider", "price_1", cost),
    )
    return RequestRecord(
        f"req_{number:05d}", "dec_1", NOW, "ten_default", "key_1", "chat.completions", "m", "alpha", "m", 200,
        "ok", None, False, attempts, usage, 20.5, None, charges=(Charge("key:key_1:month", 1_793_491_200, cost),),
    )  # fmt: skip


@pytest.fixture
async def ledger(database_url: str, sql_store: SqlAlchemyStore) -> AsyncIterator[OpenLedgerStore]:
    store = open_ledger_store(database_url)
    async with sql_store.write() as unit:
        await unit.prices.supersede(PRICE)
    await store.apply([a_record(number) for number in range(20)], None)
    yield store
    await store.aclose()


def no_files(segment: str, applied_bytes: int) -> AppliedSegment | None:
    return None


async def change(store: SqlAlchemyStore, statement: str) -> None:
    async with store.write() as unit:
        session = unit._work.session  # type: ignore[attr-defined]  # nothing in the product changes these rows
        await session.execute(text(statement))


async def test_a_ledger_that_adds_up_has_no_differences(sql_store: SqlAlchemyStore, ledger: OpenLedgerStore) -> None:
    """P-05, over more than one page."""
    await ledger.apply([a_record(number) for number in range(20, 2_500)], None)

    result = await verify(sql_store, no_files)

    assert (result.requests, result.attempts, result.differences) == (2_500, 5_000, ())


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE usage_daily SET requests = requests + 1", "usage_daily"),
        ("UPDATE budget_periods SET spent_nano_usd = spent_nano_usd - 1", "budget key:key_1:month from 1793491200"),
        ("DELETE FROM budget_periods", "spent is 0 nano-USD"),
        ("UPDATE budget_periods SET held_nano_usd = 7", "held is 7 nano-USD, its holds give 0"),
        ("UPDATE requests SET charges = NULL WHERE id = 'req_00007'", "budget key:key_1:month"),
        ("UPDATE attempts SET cost_nano_usd = 5 WHERE request_id = 'req_00007' AND number = 2", "was charged"),
        ("DELETE FROM usage_hourly_by_key", "missing"),
        ("DELETE FROM usage_daily_by_model", "missing"),
        ("UPDATE usage_daily_by_key SET requests = requests + 1", "usage_daily_by_key"),
        ("UPDATE usage_hourly SET starts_at = '2026-11-18 10:00:00.000000'", "2026-11-18T10:00:00+00:00"),
        ("UPDATE attempts SET cost_nano_usd = 5 WHERE request_id = 'req_00007' AND number = 2", "req_00007 attempt 2"),
        ("UPDATE attempts SET input_tokens = 1 WHERE request_id = 'req_00007' AND number = 2", "input_tokens"),
        ("UPDATE usage_daily SET cache_write_1h_tokens = 9", "cache_write_1h_tokens is 9, its records give 0"),
        ("UPDATE attempts SET cache_write_1h_tokens = 9 WHERE request_id = 'req_00007'", "is 0, its records give 9"),
    ],
)
async def test_what_was_changed_is_named(
    sql_store: SqlAlchemyStore, ledger: OpenLedgerStore, statement: str, words: str
) -> None:
    """P-08."""
    await change(sql_store, statement)

    differences = (await verify(sql_store, no_files)).differences

    assert any(words in difference for difference in differences)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE usage_roll_ups SET output_tokens = 1 WHERE attribute = 'endpoint'", "endpoint chat.completions"),
        ("DELETE FROM usage_roll_ups WHERE breakdown = 'key'", "the sums are None"),
        ("UPDATE usage_roll_ups SET value = 'x' WHERE attribute = 'tag'", "tag x ten_default: has no records"),
    ],
)
async def test_a_roll_up_that_was_changed_is_named(
    sql_store: SqlAlchemyStore, ledger: OpenLedgerStore, statement: str, words: str
) -> None:
    await SqlAlchemyRollUps(sql_store, FakeClock(NOW + timedelta(days=2))).turn()
    assert (await verify(sql_store, no_files)).differences == ()

    await change(sql_store, statement)

    assert any(words in difference for difference in (await verify(sql_store, no_files)).differences)


async def test_a_segment_that_is_shorter_than_what_was_applied_of_it_is_named(
    sql_store: SqlAlchemyStore, ledger: OpenLedgerStore
) -> None:
    await ledger.apply([], SegmentOffset("1.spool", 500))

    differences = (await verify(sql_store, lambda segment, applied_bytes: AppliedSegment(400, ()))).differences

    assert differences == ("spool segment 1.spool: applied up to 500, but it has 400 bytes",)


async def test_a_request_that_a_segment_has_and_the_database_has_not_is_named(
    sql_store: SqlAlchemyStore, ledger: OpenLedgerStore
) -> None:
    """Also where its id was another request's before: that one's row is no substitute."""
    there = a_record(7)
    same_id = msgspec.structs.replace(a_record(8), decision_id="dec_clashing")
    lost_with_a_taken_id = msgspec.structs.replace(a_record(9), decision_id="dec_lost")
    lost = msgspec.structs.replace(a_record(99_999), decision_id="dec_of_99999")
    await ledger.apply([same_id], SegmentOffset("1.spool", 500))
    ended = (there, same_id, lost_with_a_taken_id, lost)

    differences = (await verify(sql_store, lambda segment, applied_bytes: AppliedSegment(500, ended))).differences

    assert differences == tuple(
        f"spool segment 1.spool: {request_id} is applied, and not there" for request_id in ("req_00009", "req_99999")
    )
