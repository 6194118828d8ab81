"""The ledger's check finds what was changed behind its back, on both databases."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from adapters.persistence.ledger.opening import OpenLedgerStore, open_ledger_store
from adapters.persistence.ledger.verification import verify
from adapters.persistence.store import SqlAlchemyStore
from domain.prices import PriceRow, Prices, cost_nano_usd
from domain.records import AttemptRecord, RequestRecord
from domain.usage import TokenUsage
from tests.builders import NOW

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
        "ok", None, False, attempts, usage, 20.5, None,
    )  # fmt: skip


@pytest.fixture
async def ledger(database_url: str, sql_store: SqlAlchemyStore) -> AsyncIterator[OpenLedgerStore]:
    store = open_ledger_store(database_url)
    async with sql_store.write() as unit:
        await unit.prices.supersede(PRICE)
    await store.apply([a_record(number) for number in range(2_500)], None)
    yield store
    await store.aclose()


async def change(store: SqlAlchemyStore, statement: str) -> None:
    async with store.write() as unit:
        session = unit._work.session  # type: ignore[attr-defined]  # nothing in the product changes these rows
        await session.execute(text(statement))


async def test_a_ledger_that_adds_up_has_no_differences(sql_store: SqlAlchemyStore, ledger: OpenLedgerStore) -> None:
    """P-05, over more than one page."""
    result = await verify(sql_store)

    assert (result.requests, result.attempts, result.differences) == (2_500, 5_000, ())


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE usage_daily SET requests = requests + 1", "usage_daily"),
        ("DELETE FROM usage_hourly_by_key", "missing"),
        ("UPDATE attempts SET cost_nano_usd = 5 WHERE request_id = 'req_00007' AND number = 2", "req_00007 attempt 2"),
        ("UPDATE attempts SET input_tokens = 1 WHERE request_id = 'req_00007' AND number = 2", "input_tokens"),
    ],
)
async def test_what_was_changed_is_named(
    sql_store: SqlAlchemyStore, ledger: OpenLedgerStore, statement: str, words: str
) -> None:
    """P-08."""
    await change(sql_store, statement)

    differences = (await verify(sql_store)).differences

    assert any(words in difference for difference in differences)
