"""What an older version wrote reads as it did, and a process of it may go on writing while others are newer (R-31)."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.persistence import schema
from adapters.persistence.engine import build_schema_engine, parse_url
from adapters.persistence.ledger.verification import verify
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.reader import SqlAlchemyUsage
from domain.configuration import Section
from domain.ports.security import SecretBox
from domain.usage import TokenUsage
from domain.usage_queries import UsageQuery, UsageSums
from tests.builders import NOW
from tests.contracts.persistence.postgres import PostgresServer

BEFORE_THE_HOUR_IN_THE_CACHE = "0003"
BEFORE_THE_SECTIONS = "0005"
COUNTS = {
    "input_tokens": 5,
    "output_tokens": 6,
    "cache_read_tokens": 1,
    "cache_write_tokens": 2,
    "reasoning_tokens": 3,
    "audio_input_tokens": 0,
    "audio_output_tokens": 0,
    "image_tokens": 0,
}
SUMS = {"requests": 1, "errors": 0, "attempts": 1, **COUNTS, "cost_nano_usd": 0}
FLAGS = {"estimated_requests": 0, "unpriced_requests": 1}
GROUPS_OF_BEFORE = {
    "usage_hourly": ("tenant_id", "key_id", "provider_id", "model", "task"),
    "usage_daily": ("tenant_id", "key_id", "provider_id", "model", "task"),
    "usage_hourly_by_model": ("tenant_id", "provider_id", "model", "task"),
    "usage_hourly_by_key": ("tenant_id", "key_id"),
}
GROUPS = GROUPS_OF_BEFORE | {
    "usage_daily_by_model": ("tenant_id", "provider_id", "model", "task"),
    "usage_daily_by_key": ("tenant_id", "key_id"),
}
PLACE = {"tenant_id": "'ten'", "key_id": "'key_1'", "provider_id": "'alpha'", "model": "'m'", "task": "''"}


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/omg.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


def insert(table: str, **values: object) -> str:
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(map(str, values.values()))})"


def written_before(day: int, zone: str, tables: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """A request at noon with its attempt and its sums, in the columns of that version."""
    request, noon, midnight = f"'req_{day}'", f"'2026-11-{day} 12:00:00{zone}'", f"'2026-11-{day} 00:00:00{zone}'"
    flags = {"stream": "false", "estimated": "false", "unpriced": "true"}
    asked = {"endpoint": "'e'", "requested_model": "'m'", "status": 200, "outcome": "'ok'", "latency_ms": 1}
    yield insert("requests", id=request, decision_id="'dec'", created_at=noon, **PLACE, **asked, **flags)
    whose = {"request_id": request, "number": 1, "provider_id": "'alpha'", "model": "'m'", "usage_source": "'provider'"}
    yield insert("attempts", **whose, outcome="'ok'", duration_ms=1, message="''", **COUNTS)
    for table, groups in tables.items():
        at = midnight if table.startswith("usage_daily") else noon
        yield insert(table, starts_at=at, **{name: PLACE[name] for name in groups}, **SUMS, **FLAGS)


async def write_as_before(
    database_url: str, day: int, tables: Mapping[str, tuple[str, ...]] = GROUPS_OF_BEFORE
) -> None:
    zone = "+00" if database_url.startswith("postgresql") else ".000000"
    engine = build_schema_engine(parse_url(database_url), 5)
    async with engine.begin() as connection:
        for statement in written_before(day, zone, tables):
            await connection.execute(text(statement))
    await engine.dispose()


async def test_rows_without_the_hour_in_the_cache_have_none_of_it(empty_url: str, box: SecretBox) -> None:
    await schema.migrate(empty_url, BEFORE_THE_HOUR_IN_THE_CACHE)
    await write_as_before(empty_url, 19)
    await schema.upgrade(empty_url)
    await write_as_before(empty_url, 20, GROUPS)
    store = SqlAlchemyStore(empty_url, box, unit_seconds=20.0)
    usage = SqlAlchemyUsage(store)

    (row,) = await usage.sums(UsageQuery(NOW.replace(day=1), NOW), 10)
    record = await usage.get("req_19")
    checked = await verify(store, lambda segment, applied_bytes: None)
    await store.aclose()

    assert row.sums == UsageSums(2, 10, 12, 2, 4, 0, 6, 0, 0, 2)
    assert record is not None
    assert record.usage == TokenUsage(5, 6, 1, 2, 3)
    assert (checked.requests, checked.differences) == (2, ())


async def test_the_way_back_keeps_the_rows(empty_url: str) -> None:
    await schema.upgrade(empty_url)
    await write_as_before(empty_url, 19)

    await schema.migrate(empty_url, BEFORE_THE_HOUR_IN_THE_CACHE)
    await write_as_before(empty_url, 20)

    engine = build_schema_engine(parse_url(empty_url), 5)
    async with engine.connect() as connection:
        kept = [
            (await connection.execute(text(f"SELECT COUNT(*), SUM(cache_write_tokens) FROM {table}"))).one()
            for table in ("attempts", *GROUPS_OF_BEFORE)
        ]
    await engine.dispose()
    assert [(int(rows), int(tokens)) for rows, tokens in kept] == [(2, 4)] * 5


async def test_the_count_of_changes_goes_on_where_it_was_one_for_all_sections(empty_url: str, box: SecretBox) -> None:
    await schema.migrate(empty_url, BEFORE_THE_SECTIONS)
    engine = build_schema_engine(parse_url(empty_url), 5)
    async with engine.begin() as connection:
        await connection.execute(text(insert("facts", name="'config_version'", value="'41'")))
    await schema.upgrade(empty_url)
    store = SqlAlchemyStore(empty_url, box)
    async with store.write() as unit:
        counted = await unit.config_versions.load()
        following = await unit.config_versions.bump(Section.PRICES)
    await store.aclose()
    await schema.migrate(empty_url, BEFORE_THE_SECTIONS)
    async with engine.connect() as connection:
        back = (await connection.execute(text("SELECT value FROM facts WHERE name = 'config_version'"))).scalar_one()
    await engine.dispose()

    assert (counted, following, back) == ({"providers": 41}, 1, "42")
