"""The ledger on SQLite: one connection of its own in one thread, so that the event loop never waits for it.

It writes with `synchronous = NORMAL`: a lost machine may lose the last transactions, and with them their offsets, and
the spool still has the records. Only before a segment's file goes, what came from it is made durable (P-03).
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from typing_extensions import override

from adapters.persistence.engine import file_identity
from adapters.persistence.ledger.rows import (
    ATTEMPT_COLUMNS,
    CHARGE_COLUMNS,
    DECISION_COLUMNS,
    REQUEST_COLUMNS,
    Value,
    attempt_rows,
    charge_rows,
    decision_rows,
    request_row,
    sort_out,
)
from adapters.persistence.sqlite_driver import prefer_safe_sqlite
from adapters.persistence.tables.row import as_stored
from adapters.persistence.tables.usage import SUMS
from adapters.persistence.usage_queries.grains import DAY_COLUMNS, GRAINS, Grain, additions, columns_of, written_days
from domain.errors import StoreUnavailable
from domain.ports.ledger import AppliedBatch, LedgerStore, SegmentOffset
from domain.records import RequestRecord
from domain.usage_periods import HOUR

T = TypeVar("T")

BUSY_SECONDS = 5.0
_PRAGMAS = {"journal_mode": "WAL", "synchronous": "NORMAL", "trusted_schema": "OFF", "temp_store": "MEMORY"}


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - our own names


def _add_to(grain: Grain) -> str:
    key = ", ".join(("starts_at", *grain.groups))
    sums = ", ".join(f"{name} = {name} + excluded.{name}" for name in SUMS)
    return f"{_insert(grain.row.__tablename__, columns_of(grain))} ON CONFLICT ({key}) DO UPDATE SET {sums}"


_KNOWN = "SELECT id, decision_id FROM requests WHERE id IN (SELECT value FROM json_each(?))"
_INSERT_REQUEST = _insert("requests", REQUEST_COLUMNS)
_INSERT_ATTEMPT = _insert("attempts", ATTEMPT_COLUMNS)
_INSERT_DECISION = _insert("decisions", DECISION_COLUMNS)
_ADD = {grain: _add_to(grain) for grain in GRAINS}
_CHARGE = (
    f"{_insert('budget_periods', CHARGE_COLUMNS)} ON CONFLICT (account, starts_at) "
    "DO UPDATE SET spent_nano_usd = spent_nano_usd + excluded.spent_nano_usd"
)
_KEEP_OFFSET = (
    "INSERT INTO spool_offsets (segment, applied_bytes) VALUES (?, ?) "
    "ON CONFLICT (segment) DO UPDATE SET applied_bytes = max(applied_bytes, excluded.applied_bytes)"
)
_RAISE = (
    f"{_insert('usage_days', DAY_COLUMNS)} ON CONFLICT (starts_at) DO UPDATE SET version = version + excluded.version"
)
_OFFSET = "SELECT applied_bytes FROM spool_offsets WHERE segment = ?"
_FORGET = "DELETE FROM spool_offsets WHERE segment = ?"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class SqliteLedgerStore(LedgerStore):
    """`LedgerStore` on the file at `path`, whose schema must be up to date."""

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="usage-ledger")
        self._connection: Any = None  # the driver is chosen at run time
        self._identity: tuple[int, int] | None = None  # of the file that the connection has open

    @override
    async def apply(self, records: Sequence[RequestRecord], offset: SegmentOffset | None) -> AppliedBatch:
        return await self._run(lambda: self._apply(records, offset))

    @override
    async def offset(self, segment: str) -> int:
        return await self._run(lambda: self._offset(segment))

    @override
    async def forget(self, segment: str) -> None:
        await self._run(lambda: self._forget(segment))

    async def aclose(self) -> None:
        """Let what is under way end, and close the connection."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._let_go)
        self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[[], T]) -> T:
        """In the thread, to its end even where the caller is cancelled: what is applied stays applied."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _apply(self, records: Sequence[RequestRecord], offset: SegmentOffset | None) -> AppliedBatch:
        inserted = 0
        with self._transaction() as connection:
            rest = records
            while rest:
                new, rest = sort_out(rest, _known(connection, rest))
                _insert_all(connection, list(new.values()))
                inserted += len(new)
            if offset is not None:
                connection.execute(_KEEP_OFFSET, (offset.segment, offset.offset))
        return AppliedBatch(inserted, len(records) - inserted)

    def _offset(self, segment: str) -> int:
        with self._errors():
            row = self._connected().execute(_OFFSET, (segment,)).fetchone()
        return int(row[0]) if row else 0

    def _forget(self, segment: str) -> None:
        """Durable, and with it everything applied before: the file with the records goes next."""
        with self._errors():
            connection = self._connected()
            connection.execute("PRAGMA synchronous = FULL")
        try:
            with self._transaction() as connection:
                connection.execute(_FORGET, (segment,))
        finally:
            if self._connection is not None:
                self._connection.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        """All or nothing; a connection that failed is not used again."""
        with self._errors():
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        import sqlite3  # the one that `_connected` made sure of

        try:
            yield
        except (sqlite3.Error, sqlite3.Warning, OSError) as error:
            self._let_go()  # which rolls back
            raise StoreUnavailable(f"The ledger's database could not be asked: {error}") from error
        except BaseException:
            self._let_go()
            raise

    def _connected(self) -> Any:
        if self._connection is not None and file_identity(self._path) != self._identity:
            self._let_go()  # SQLite goes on with a file that nobody can find any more
        if self._connection is None:
            prefer_safe_sqlite()
            import sqlite3  # the one that `prefer_safe_sqlite` chose

            # Of the whole process: what is no number, text or buffer the driver asks around for, 0.9 µs a value.
            sqlite3.register_adapter(bool, int)
            sqlite3.register_adapter(type(None), {None: None}.get)
            uri = f"{self._path.resolve().as_uri()}?mode=rw"
            connection = sqlite3.connect(
                uri, uri=True, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
            )
            self._connection = connection
            self._identity = file_identity(self._path)
            for name, value in _PRAGMAS.items():
                connection.execute(f"PRAGMA {name} = {value}")
        return self._connection

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.close()


def _known(connection: Any, records: Sequence[RequestRecord]) -> dict[str, str]:
    """The decisions of those requests that are there, by id."""
    ids = msgspec.json.encode([record.request_id for record in records]).decode()
    return dict(connection.execute(_KNOWN, (ids,)).fetchall())


def _insert_all(connection: Any, new: Sequence[RequestRecord]) -> None:
    connection.executemany(_INSERT_REQUEST, list(map(request_row, new, _moments(new))))
    connection.executemany(_INSERT_ATTEMPT, [row for record in new for row in attempt_rows(record)])
    connection.executemany(_INSERT_DECISION, decision_rows(new))
    connection.executemany(_CHARGE, charge_rows(new))
    texts: dict[Value, str] = {}
    added = additions(new)
    for grain, rows in added.items():
        connection.executemany(_ADD[grain], [(_text(row[0], texts), *row[1:]) for row in rows])
    connection.executemany(_RAISE, [(_text(day, texts), as_stored(end), 1) for day, end, _ in written_days(added)])


def _moments(records: Iterable[RequestRecord]) -> Iterator[str]:
    """When each was, as `as_stored` says it at three times the price."""
    begin = end = _NEVER
    text = ""
    for record in records:
        moment = record.created_at
        if not begin <= moment < end:
            begin = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            end, text = begin + HOUR, as_stored(begin)[:14]
        moment = moment.astimezone(UTC)
        yield f"{text}{moment.minute:02}:{moment.second:02}.{moment.microsecond:06}"


def _text(hour: Value, texts: dict[Value, str]) -> str:
    """As `as_stored` says it, which is asked once for each."""
    text = texts.get(hour)
    if text is None:
        if not isinstance(hour, datetime):
            raise TypeError(f"{hour!r} is no moment")
        text = texts[hour] = as_stored(hour)
    return text
