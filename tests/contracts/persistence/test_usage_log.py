"""Whatever the log of requests is filtered by, the databases list what matches, newest first, and look up no more."""

from itertools import combinations
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from adapters.persistence.ledger.opening import open_ledger_store
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.log import page_of
from adapters.persistence.usage_queries.reader import SqlAlchemyUsage
from domain.attribution import Attribution
from domain.ports.security import SecretBox
from domain.records import RequestRecord
from domain.usage_queries import LogCursor, RequestFilter
from tests.builders import NOW, a_request_record, an_attempt_record
from tests.fakes.usage_reader import MemoryUsage

GIVEN = {
    "tenant_id": ("ten_default", "ten_2", "ten_none"),
    "key_id": ("key_1", "key_2", ""),
    "provider_id": ("alpha", "beta"),
    "model": ("m", "n"),
    "outcome": ("ok", "error", "client_cancelled"),
    "status": (200, 502, 418),
}
ENDS = (("ok", 200), ("error", 502), ("client_cancelled", 499))


def a_record(number: int) -> RequestRecord:
    """Each differs from the next; one in seven went nowhere, most went well."""
    provider, model = GIVEN["provider_id"][number % 2], GIVEN["model"][number % 4 // 3]
    outcome, status = ENDS[number % 9 % 3 if number % 9 < 3 else 0]
    attempt = an_attempt_record(
        provider_id=provider, model=model, usage=None, usage_source="none", price_id=None, cost_nano_usd=None
    )
    return a_request_record(
        f"req_{number:03}",
        created_at=NOW.replace(minute=number % 60, microsecond=number // 90),
        tenant_id=GIVEN["tenant_id"][number % 5 == 0],
        key_id=(None, "key_1", "key_2")[number % 3],
        provider_id=provider if number % 7 else None,
        model=model if number % 7 else None,
        outcome=outcome,
        status=status,
        usage=None,
        attempts=(attempt,) if number % 7 else (),
    )


async def test_every_filter_lists_what_matches_newest_first(sql_store: SqlAlchemyStore, database_url: str) -> None:
    written = [a_record(number) for number in range(200)]
    ledger = open_ledger_store(database_url)
    await ledger.apply(written, None)
    await ledger.aclose()
    listed, expected = SqlAlchemyUsage(sql_store), MemoryUsage(written)

    for size in range(4):
        for names in combinations(GIVEN, size):
            for place in range(3):
                given = {name: GIVEN[name][place % len(GIVEN[name])] for name in names}
                filter_ = RequestFilter(**given)  # type: ignore[arg-type]  # as the table has them
                after = LogCursor(NOW.replace(minute=30), "req_x") if place else None
                assert await listed.page(filter_, 20, after) == await expected.page(filter_, 20, after), filter_


async def test_every_other_filter_and_both_directions_list_the_same(
    sql_store: SqlAlchemyStore, database_url: str
) -> None:
    written = [another_record(number) for number in range(120)]
    ledger = open_ledger_store(database_url)
    await ledger.apply(written, None)
    await ledger.aclose()
    listed, expected = SqlAlchemyUsage(sql_store), MemoryUsage(written)

    for name, values in ALSO_GIVEN.items():
        for value in values:
            for also in ({}, {"tenant_id": "ten_default"}, {"status": 429}):
                filter_ = RequestFilter(**{name: value, **also})  # type: ignore[arg-type]  # as the table has them
                for at in (None, LogCursor(NOW.replace(minute=30), "req_x"), MIDDLE):
                    assert await listed.page(filter_, 7, at) == await expected.page(filter_, 7, at), (filter_, at)
                assert await expected.page(filter_, 7, None) or also, f"{filter_} lists nothing: it proves nothing"


MIDDLE = LogCursor(NOW.replace(minute=30), "req_x", newer=True)
ALSO_GIVEN: dict[str, tuple[object, ...]] = {
    "task": ("summary", ""),
    "tag": ("a", 'b"%'),
    "error_code": ("upstream_error", "rate_limit_exceeded"),
    "requested_model": ("fast",),
    "stream": (True, False),
    "refused": (True, False),
    "estimated": (True, False),
    "unpriced": (True, False),
    "device": ("phone",),
    "endpoint": ("embeddings",),
    "user_id": ("usr_1",),
    "end_user": ("ann", ""),
    "session": ("s1", ""),
    "route": ("fast", ""),
}


def another_record(number: int) -> RequestRecord:
    refused = number % 6 == 0
    unpriced, estimated = number % 4 == 1, number % 5 == 1
    attempt = an_attempt_record(
        usage_source="estimated" if estimated else "provider",
        price_id=None if unpriced else "price_1",
        cost_nano_usd=None if unpriced else 7,
        cost_missing=(),
    )
    return a_request_record(
        f"req_{number:03}",
        created_at=NOW.replace(minute=number % 60),
        tenant_id=("ten_default", "ten_2")[number % 3 == 0],
        endpoint=("chat.completions", "embeddings")[number % 7 == 0],
        requested_model=("fast", "alpha/m")[number % 2],
        task=("summary", "")[number % 2],
        route=("", "fast", "")[number % 3],
        status=429 if refused else 200,
        outcome="error" if refused else "ok",
        error_code="rate_limit_exceeded" if refused else ("upstream_error" if number % 11 == 0 else None),
        refused_by="key:key_1" if refused else "",
        would_refuse=("tag:a,b", "tenant:ten_1") if number % 5 == 0 else (),
        stream=number % 3 == 0,
        usage=None if refused else attempt.usage,
        attempts=() if refused else (attempt,),
        attribution=Attribution(
            user_id=(None, "usr_1", "usr_2")[number % 3],
            tags=((), ("a",), ("a", 'b"%'), ("c",))[number % 4],
            end_user=("", "ann")[number % 2],
            session=("", "s1", "s2")[number % 3],
            device=("", "phone")[number % 5 == 0],
        ),
    )


@pytest.mark.parametrize(
    ("filter_", "index"),
    [
        (RequestFilter(), "created_at"),
        (RequestFilter(tenant_id="t"), "tenant_id"),
        (RequestFilter(tenant_id="t", key_id="k", model="m"), "key_id"),
        (RequestFilter(provider_id="p", model="m", outcome="error"), "model"),
        (RequestFilter(provider_id="p", tenant_id="t", status=502), "provider_id"),
        (RequestFilter(tenant_id="t", status=502), "not_ok"),
        (RequestFilter(outcome="error"), "not_ok"),
    ],
)
async def test_sqlite_takes_the_index_that_tells_most(
    sqlite_template: Path, box: SecretBox, filter_: RequestFilter, index: str
) -> None:
    """It has no statistics to choose by; what it would take for two of them is a matter of their names."""
    asked = page_of(filter_, 200, None, steered=True).compile(
        dialect=sqlite.dialect(),
        compile_kwargs={"literal_binds": True},
    )
    store = SqlAlchemyStore(f"sqlite+aiosqlite:///{sqlite_template}", box)
    async with store.reading(10) as work:
        plan = (await work.run(work.session.execute(text(f"EXPLAIN QUERY PLAN {asked}")))).all()
    await store.aclose()

    assert len(plan) == 1, "it sorts, or looks twice"
    assert f"USING INDEX ix_requests_{index}" in plan[0].detail
