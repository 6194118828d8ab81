"""Whatever is asked of the ledger, both databases answer from indexes: no question reads what it does not ask for.

Postgres is told to look through a whole table or to sort only where it must: these databases are empty, and it would
rather do so of an empty table.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import ClauseElement, Executable, text
from sqlalchemy.ext.compiler import compiles

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.latencies import values
from adapters.persistence.usage_queries.log import page_of
from adapters.persistence.usage_queries.sums import priced, statement, unpriced
from domain.usage_queries import GROUPINGS, TIMES, LogCursor, RequestFilter, UsageFilter, UsageQuery

START = datetime(2026, 9, 1, tzinfo=UTC)
END = START + timedelta(days=30, hours=5, minutes=7)
AT = LogCursor(START + timedelta(days=9), "req_x")
CURSORS = {"first": None, "older": AT, "newer": LogCursor(AT.created_at, AT.request_id, newer=True)}
GIVEN: dict[str, object] = {
    "tenant_id": "ten_1",
    "key_id": "key_1",
    "provider_id": "alpha",
    "model": "m",
    "outcome": "error",
    "status": 502,
    "user_id": "usr_1",
    "endpoint": "embeddings",
    "end_user": "ann",
    "session": "s1",
    "device": "phone",
    "task": "summary",
    "tag": "a",
    "error_code": "upstream_error",
    "requested_model": "fast",
    "route": "fast",
    "stream": True,
    "refused": True,
    "estimated": True,
    "unpriced": True,
}
_ONLY_WHERE_IT_MUST = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), "
    "set_config('enable_sort', 'off', true)"
)


class Explained(Executable, ClauseElement):
    """The plan of a statement, as rows."""

    inherit_cache = False

    def __init__(self, statement: Executable) -> None:
        self.statement = statement


@compiles(Explained)
def _explain(element: Explained, compiler: Any, **options: Any) -> str:
    words = "EXPLAIN QUERY PLAN" if compiler.dialect.name == "sqlite" else "EXPLAIN"
    return f"{words} {compiler.process(element.statement, **options)}"


async def plan_of(store: SqlAlchemyStore, asked: Executable) -> list[str]:
    async with store.reading(60) as work:
        if work.session.get_bind().dialect.name == "postgresql":
            await work.run(work.session.execute(_ONLY_WHERE_IT_MUST))
        rows = (await work.run(work.session.execute(Explained(asked)))).all()
    return [str(row[-1]) for row in rows]


def filters() -> Iterator[RequestFilter]:
    """None, each alone, each of a tenant or of a key; every other one with a beginning and an end."""
    yield RequestFilter()
    for number, (name, value) in enumerate(GIVEN.items()):
        also = ("tenant_id", "key_id")[number % 2]
        for given in ({name: value}, {name: value, also: GIVEN[also]}):
            yield RequestFilter(**given, **({"start": START, "end": END} if number % 3 else {}))  # type: ignore[arg-type]  # as the table above has them


@pytest.mark.parametrize("cursor", CURSORS)
async def test_every_page_of_the_log_comes_in_the_order_of_an_index(
    sql_store: SqlAlchemyStore, database_url: str, cursor: str
) -> None:
    sqlite = database_url.startswith("sqlite")
    for filter_ in filters():
        plan = await plan_of(sql_store, page_of(filter_, 201, CURSORS[cursor], steered=sqlite))
        wrong = [line for line in plan if "Sort" in line or "TEMP B-TREE" in line or "Seq Scan on requests" in line]

        assert not wrong, (filter_, plan)
        assert any("INDEX ix_requests_" in line or "using ix_requests_" in line for line in plan), (filter_, plan)


FILTERS = (
    UsageFilter(),
    UsageFilter(tenant_id="ten_1"),
    UsageFilter(key_id="key_1"),
    UsageFilter(user_id="usr_1"),
    UsageFilter(tag="a"),
)
ZONES = ("UTC", "Asia/Kolkata", "America/New_York")


def questions() -> Iterator[UsageQuery]:
    """Each grouping, alone and by day, in zones of each sort, with each sort of filter."""
    for number, name in enumerate(GROUPINGS):
        for groups in ((name,), ("day", name)) if name not in TIMES else ((name,),):
            yield UsageQuery(START, END, groups, ZONES[number % 3], FILTERS[number % len(FILTERS)])


def whole_tables(plan: list[str]) -> list[str]:
    """Where a plan looks through all there is."""
    tables = ("requests", "attempts", "usage_hourly", "usage_daily", "usage_roll_ups")
    return [line for line in plan for table in tables if line == f"SCAN {table}" or f"Seq Scan on {table} " in line]


async def test_no_question_about_usage_looks_through_all_requests(
    sql_store: SqlAlchemyStore, database_url: str
) -> None:
    postgres = database_url.startswith("postgres")
    for query in questions():
        plan = await plan_of(sql_store, statement(query, 10_001, lateral=postgres))

        assert not whole_tables(plan), (query, plan)


async def test_nor_do_percentiles_missing_prices_and_what_a_cost_is_made_of(
    sql_store: SqlAlchemyStore, database_url: str
) -> None:
    postgres = database_url.startswith("postgres")
    for filter_ in FILTERS:
        query = UsageQuery(START, END, ("model",), "UTC", filter_)
        for asked in (
            unpriced(query, 10_000, arrays=postgres),
            values(query, 16, arrays=postgres),
            priced(query, 10_000, arrays=postgres),
        ):
            plan = await plan_of(sql_store, asked)

            assert not whole_tables(plan), (query, plan)


@pytest.mark.parametrize("name", ["end_user", "session", "user_id"])
async def test_the_usage_of_one_of_very_many_is_found_by_its_index(
    sql_store: SqlAlchemyStore, database_url: str, name: str
) -> None:
    """Also by user where the model is told apart by the key as well, which no roll-up does."""
    query = UsageQuery(START, END, ("key", "model"), "UTC", UsageFilter(**{name: "one"}))

    plan = "\n".join(await plan_of(sql_store, statement(query, 101, lateral=database_url.startswith("postgres"))))

    assert f"ix_requests_{name}" in plan


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_sqlite_finds_what_had_no_price_by_its_index_also_in_a_tenant(sql_store: SqlAlchemyStore) -> None:
    """Not by looking through all that the tenant ever asked. Postgres chooses by what it knows of the values."""
    for filter_ in (UsageFilter(), UsageFilter(tenant_id="ten_1"), UsageFilter(model="m")):
        query = UsageQuery(START, END, ("model",), "UTC", filter_)
        plan = "\n".join(await plan_of(sql_store, unpriced(query, 9, arrays=False)))

        assert "ix_requests_inexact" in plan, plan
