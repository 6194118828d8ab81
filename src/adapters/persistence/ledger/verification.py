"""Recomputes what the ledger keeps from its single records, and says where the two differ (P-05, P-08)."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import AttemptRow, PriceTableRow
from adapters.persistence.usage_queries.grains import GRAINS, Grain, additions, columns_of
from adapters.persistence.usage_queries.log import attempts_of, page_of, records_of
from domain.prices import Prices, cost_nano_usd
from domain.records import RequestRecord
from domain.usage_queries import LogPlace, RequestFilter

PAGE = 2_000
VERIFY_SECONDS = 3_600.0
MAX_DIFFERENCES = 100

Cell = tuple[datetime | str, ...]


class Verification(msgspec.Struct, frozen=True):
    """What was looked at, and each thing that is not as it should be, in words; at most 100 of them."""

    requests: int
    attempts: int
    differences: tuple[str, ...]


async def verify(store: SqlAlchemyStore) -> Verification:
    """Look at everything at one moment, also while the gateway serves. Raises `StoreUnavailable`."""
    async with store.reading(VERIFY_SECONDS) as work:
        return await work.run(_verify(work.session))


async def _verify(session: AsyncSession) -> Verification:
    if session.get_bind().dialect.name == "postgresql":  # SQLite's readers see one moment anyway
        _ = await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    prices = {row.id: Prices(**row.prices) for row in await session.scalars(select(PriceTableRow))}
    expected: dict[Grain, dict[Cell, list[int]]] = {grain: {} for grain in GRAINS}
    found: list[str] = []
    requests = attempts = 0
    async for records in _pages(session):
        requests += len(records)
        attempts += sum(len(record.attempts) for record in records)
        found.extend(_wrong_costs(records, prices))
        _add_up(expected, records)
    stored_attempts = int((await session.execute(select(func.count()).select_from(AttemptRow))).scalar_one())
    if stored_attempts != attempts:
        found.append(f"attempts: {stored_attempts} are stored, {attempts} belong to a request")
    for grain in GRAINS:
        found.extend(await _wrong_sums(session, grain, expected[grain]))
    return Verification(requests, attempts, tuple(found[:MAX_DIFFERENCES]))


async def _pages(session: AsyncSession) -> AsyncIterator[list[RequestRecord]]:
    after: LogPlace | None = None
    while rows := (await session.scalars(page_of(RequestFilter(), PAGE, after))).all():
        after = LogPlace(rows[-1].created_at, rows[-1].id)
        attempts = (await session.scalars(attempts_of([row.id for row in rows]))).all()
        yield records_of(rows, attempts)
        session.expunge_all()


def _add_up(expected: dict[Grain, dict[Cell, list[int]]], records: list[RequestRecord]) -> None:
    for grain, rows in additions(records).items():
        width = 1 + len(grain.groups)
        cells = expected[grain]
        for row in rows:
            total = cells.setdefault(_key(row[:width]), [0] * (len(row) - width))
            for place, value in enumerate(row[width:]):
                total[place] += int(str(value))


async def _wrong_sums(session: AsyncSession, grain: Grain, expected: dict[Cell, list[int]]) -> list[str]:
    columns = columns_of(grain)
    width = 1 + len(grain.groups)
    table = grain.row.__tablename__
    wrong: list[str] = []
    left = dict(expected)
    for row in await session.execute(select(*(getattr(grain.row, name) for name in columns))):
        key = _key(row[:width])
        due = left.pop(key, [0] * (len(columns) - width))
        for name, stored, value in zip(columns[width:], row[width:], due, strict=True):
            if int(stored) != value:
                wrong.append(f"{table} {_words(key)}: {name} is {stored}, its records give {value}")
    wrong.extend(f"{table} {_words(key)}: missing" for key, due in left.items() if any(due))
    return wrong


def _wrong_costs(records: Iterable[RequestRecord], prices: dict[str, Prices]) -> list[str]:
    wrong: list[str] = []
    for record in records:
        for attempt in record.attempts:
            if attempt.price_id is None or attempt.usage is None:
                continue
            known = prices.get(attempt.price_id)
            name = f"{record.request_id} attempt {attempt.number}"
            if known is None:
                wrong.append(f"{name}: its price {attempt.price_id} is not stored")
            elif (due := cost_nano_usd(attempt.usage, known)) != attempt.cost_nano_usd:
                wrong.append(f"{name}: cost is {attempt.cost_nano_usd} nano-USD, its price gives {due}")
    return wrong


def _key(values: Iterable[object]) -> Cell:
    """Alike for both databases: one of them gives moments without a zone."""
    key: list[datetime | str] = []
    for value in values:
        if isinstance(value, datetime):
            key.append(value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC))
        else:
            key.append(str(value))
    return tuple(key)


def _words(key: Cell) -> str:
    return " ".join(part.isoformat() if isinstance(part, datetime) else (part or "-") for part in key)
