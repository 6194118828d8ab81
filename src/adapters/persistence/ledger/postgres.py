"""The ledger on Postgres: one connection of its own, whole columns at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy import URL
from typing_extensions import override

from adapters.persistence.errors import store_errors
from adapters.persistence.ledger.rows import (
    ATTEMPT_COLUMNS,
    REQUEST_COLUMNS,
    TOKEN_COLUMNS,
    RowValues,
    attempt_rows,
    request_row,
    sort_out,
)
from adapters.persistence.tables.usage import SUMS
from adapters.persistence.usage_queries.grains import GRAINS, Grain, additions, columns_of
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
    {"created_at": "timestamptz", "starts_at": "timestamptz", "number": "int", "status": "int"}
    | dict.fromkeys(("stream", "estimated", "unpriced"), "bool")
    | dict.fromkeys(("latency_ms", "ttft_ms", "duration_ms"), "float8")
    | dict.fromkeys((*TOKEN_COLUMNS, *SUMS), "bigint")
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
_ADD = {grain: _add_to(grain) for grain in GRAINS}
_KEEP_OFFSET = (
    "INSERT INTO spool_offsets (segment, applied_bytes) VALUES ($1, $2) ON CONFLICT (segment) "
    "DO UPDATE SET applied_bytes = greatest(spool_offsets.applied_bytes, excluded.applied_bytes)"
)


class PostgresLedgerStore(LedgerStore):
    """`LedgerStore` on the database at `url`, whose schema must be up to date."""

    def __init__(self, url: URL) -> None:
        _, options = url.get_dialect()().create_connect_args(url)
        cache_size = options.pop("prepared_statement_cache_size", None)  # SQLAlchemy's name, for a pooler between
        options.pop("prepared_statement_name_func", None)
        self._options: dict[str, Any] = dict(options)
        if cache_size is not None:
            self._options["statement_cache_size"] = cache_size
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
                **self._options, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS, server_settings=_SETTINGS
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
    for grain, rows in additions(new).items():
        if rows:
            rest.append((_ADD[grain], _columns(rows, len(columns_of(grain)))))
    return rest


def _columns(rows: Sequence[RowValues], count: int) -> list[RowValues]:
    return list(zip(*rows, strict=True)) if rows else [()] * count
