"""The ledger on Postgres: one connection of its own, whole columns at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy import URL
from typing_extensions import override

from adapters.persistence.ledger.rows import (
    ATTEMPT_COLUMNS,
    CHARGE_COLUMNS,
    DECISION_COLUMNS,
    REQUEST_COLUMNS,
    TOKEN_COLUMNS,
    RowValues,
    attempt_rows,
    charge_rows,
    decision_rows,
    request_row,
    sort_out,
)
from adapters.persistence.postgres_url import driver_url, is_pooled, server_settings
from adapters.persistence.tables.usage import SUMS
from adapters.persistence.usage_queries.grains import DAY_COLUMNS, GRAINS, Grain, additions, columns_of, written_days
from adapters.persistence.work import store_errors
from domain.errors import StoreUnavailable
from domain.ports.ledger import AppliedBatch, LedgerStore, SegmentOffset
from domain.records import RequestRecord

T = TypeVar("T")

TRIES = 3
CONNECT_SECONDS = 2.0
COMMAND_SECONDS = 10.0
_SETTINGS = {
    "application_name": "open-model-gateway-ledger",
    "timezone": "UTC",
    "statement_timeout": f"{COMMAND_SECONDS * 1000:.0f}",
    "idle_in_transaction_session_timeout": "5000",
}
_TYPES = (
    dict.fromkeys(("created_at", "starts_at", "ends_at"), "timestamptz")
    | {"version": "bigint", "number": "int", "status": "int"}
    | dict.fromkeys(("charges", "tags", "would_refuse"), "jsonb")
    | dict.fromkeys(("stream", "estimated", "unpriced", "inexact", "holdout"), "bool")
    | {"body": "bytea", "savings_nano_usd": "bigint"}
    | dict.fromkeys(("latency_ms", "ttft_ms", "duration_ms"), "float8")
    | dict.fromkeys((*TOKEN_COLUMNS, *SUMS, "computed_nano_usd", "reported_nano_usd"), "bigint")
)
_CONTENDED = ("40001", "40P01")  # serialization failure, deadlock


def _insert(table: str, columns: Sequence[str]) -> str:
    arrays = ", ".join(f"${place}::{_TYPES.get(name, 'text')}[]" for place, name in enumerate(columns, 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({arrays})"  # noqa: S608 - our own names


def _add_to(grain: Grain) -> str:
    table, key = grain.row.__tablename__, ", ".join(("starts_at", *grain.groups))
    sums = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in SUMS)
    return f"{_insert(table, columns_of(grain))} ON CONFLICT ({key}) DO UPDATE SET {sums}"


_INSERT_REQUESTS = f"{_insert('requests', REQUEST_COLUMNS)} ON CONFLICT (id) DO NOTHING RETURNING id"
_KNOWN = "SELECT id, decision_id FROM requests WHERE id = ANY($1::text[])"
_INSERT_ATTEMPTS = _insert("attempts", ATTEMPT_COLUMNS)
_INSERT_DECISIONS = _insert("decisions", DECISION_COLUMNS)
_ADD = {grain: _add_to(grain) for grain in GRAINS}
_CHARGE = (
    "INSERT INTO budget_periods (account, starts_at, spent_nano_usd) "
    "SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[]) ON CONFLICT (account, starts_at) "
    "DO UPDATE SET spent_nano_usd = budget_periods.spent_nano_usd + excluded.spent_nano_usd"
)
LOCK_HELD = (
    "SELECT 1 FROM budget_periods WHERE (account, starts_at) IN "
    "(SELECT account, starts_at FROM budget_holds WHERE hold_id = ANY($1::text[])) "
    "ORDER BY account, starts_at FOR UPDATE"
)
"""Buckets before holds, and buckets by their key: whoever changes either takes the locks in this order (R-26)."""

_RELEASE = (
    "WITH gone AS (DELETE FROM budget_holds WHERE hold_id = ANY($1::text[]) RETURNING account, starts_at, nano_usd), "
    "freed AS (SELECT account, starts_at, sum(nano_usd)::bigint AS nano_usd FROM gone GROUP BY 1, 2) "
    "UPDATE budget_periods b SET held_nano_usd = b.held_nano_usd - freed.nano_usd FROM freed "
    "WHERE b.account = freed.account AND b.starts_at = freed.starts_at"
)
"""What was held for requests that have ended; what they cost follows in the same transaction."""
_RAISE = (
    f"{_insert('usage_days', DAY_COLUMNS)} ON CONFLICT (starts_at) "
    "DO UPDATE SET version = usage_days.version + excluded.version"
)
_KEEP_OFFSET = (
    "INSERT INTO spool_offsets (segment, applied_bytes) VALUES ($1, $2) ON CONFLICT (segment) "
    "DO UPDATE SET applied_bytes = greatest(spool_offsets.applied_bytes, excluded.applied_bytes)"
)


def connect_options(url: URL, name: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What asyncpg connects with, and the settings of the session; `name` is how the server shows it."""
    plain = driver_url(url)
    _, given = plain.get_dialect()().create_connect_args(plain)
    cache_size = given.pop("prepared_statement_cache_size", None)  # SQLAlchemy's name, for a pooler between
    given.pop("prepared_statement_name_func", None)
    options: dict[str, Any] = dict(given)
    if is_pooled(url) or cache_size is not None:
        options["statement_cache_size"] = 0 if is_pooled(url) else cache_size
    return options, server_settings(url, _SETTINGS | {"application_name": name})


class PostgresLedgerStore(LedgerStore):
    """`LedgerStore` on the database at `url`, whose schema must be up to date."""

    def __init__(self, url: URL) -> None:
        self._options, self._server_settings = connect_options(url, "open-model-gateway-ledger")
        self._connection: Any = None  # asyncpg has no types
        self._turn = asyncio.Lock()

    @override
    async def apply(self, records: Sequence[RequestRecord], offset: SegmentOffset | None) -> AppliedBatch:
        return await self._asked(lambda connection: _apply(connection, records, offset))

    @override
    async def offset(self, segment: str) -> int:
        query = "SELECT applied_bytes FROM spool_offsets WHERE segment = $1"
        return int(await self._asked(lambda connection: connection.fetchval(query, segment)) or 0)

    @override
    async def forget(self, segment: str) -> None:
        query = "DELETE FROM spool_offsets WHERE segment = $1"
        await self._asked(lambda connection: connection.execute(query, segment))

    async def aclose(self) -> None:
        async with self._turn:
            self._let_go()

    async def _asked(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """On the one connection. What loses against another writer is tried again (R-26)."""
        async with self._turn:
            for left in reversed(range(TRIES)):
                try:
                    with store_errors():
                        return await work(await self._connected())
                except BaseException as error:
                    self._let_go()  # also where the caller is cancelled: nobody knows what it would answer next
                    cause = error.__cause__ if isinstance(error, StoreUnavailable) else error
                    if not left or getattr(cause, "sqlstate", None) not in _CONTENDED:
                        raise
        raise StoreUnavailable("The ledger's database was never asked.")

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                **self._options,
                timeout=CONNECT_SECONDS,
                command_timeout=COMMAND_SECONDS,
                server_settings=self._server_settings,
            )
        return self._connection

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


async def _apply(connection: Any, records: Sequence[RequestRecord], offset: SegmentOffset | None) -> AppliedBatch:
    inserted = 0
    async with connection.transaction():
        rest = records
        while rest:
            added, rest = await _insert_new(connection, rest)
            inserted += added
        if offset is not None:
            await connection.execute(_KEEP_OFFSET, offset.segment, offset.offset)
    return AppliedBatch(inserted, len(records) - inserted)


async def _insert_new(connection: Any, records: Sequence[RequestRecord]) -> tuple[int, list[RequestRecord]]:
    """How many were new; and those that have another request's id, with an id of their own."""
    candidates, clashing = sort_out(records, {})
    columns = await asyncio.to_thread(_requests, candidates)
    new = [candidates.pop(row[0]) for row in await connection.fetch(_INSERT_REQUESTS, *columns)]
    for statement, arrays in await asyncio.to_thread(_rest, new):
        await connection.execute(statement, *arrays)
    if candidates:
        known = dict(await connection.fetch(_KNOWN, list(candidates)))
        clashing += sort_out(candidates.values(), known)[1]
    return len(new), clashing


def _requests(candidates: Mapping[str, RequestRecord]) -> list[RowValues]:
    return _columns([request_row(record, record.created_at) for record in candidates.values()], len(REQUEST_COLUMNS))


def _rest(new: Sequence[RequestRecord]) -> list[tuple[str, list[RowValues]]]:
    """What goes with the requests that were new: statements and their columns."""
    attempts = [row for record in new for row in attempt_rows(record)]
    rest = [(_INSERT_ATTEMPTS, _columns(attempts, len(ATTEMPT_COLUMNS)))] if attempts else []
    if new:  # also those that went nowhere: one that was cancelled while it held is among them
        ended = tuple(record.decision_id for record in new)
        rest += [(LOCK_HELD, [ended]), (_RELEASE, [ended])]
    if decisions := decision_rows(new):
        rest.append((_INSERT_DECISIONS, _columns(decisions, len(DECISION_COLUMNS))))
    if charges := charge_rows(new):
        rest.append((_CHARGE, _columns(charges, len(CHARGE_COLUMNS))))
    added = additions(new)
    for grain, rows in added.items():
        if rows:
            rest.append((_ADD[grain], _columns(rows, len(columns_of(grain)))))
    if days := written_days(added):
        rest.append((_RAISE, _columns(days, len(DAY_COLUMNS))))
    return rest


def _columns(rows: Sequence[RowValues], count: int) -> list[RowValues]:
    return list(zip(*rows, strict=True)) if rows else [()] * count
