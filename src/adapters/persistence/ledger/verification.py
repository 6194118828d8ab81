"""Recomputes what the ledger keeps from its single records, and says where the two differ (P-05, P-08)."""

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import AttemptRow, PriceTableRow, RequestRow, SpoolOffsetRow
from adapters.persistence.usage_queries.grains import GRAINS, Grain, additions, columns_of
from adapters.persistence.usage_queries.log import attempts_of, page_of, records_of
from domain.prices import Prices, cost_nano_usd
from domain.records import RequestRecord, distinct
from domain.usage_periods import DAY
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


class AppliedSegment(msgspec.Struct, frozen=True):
    """A segment of the spool as it lies there, and the requests that ended in the part the database says it has."""

    size_bytes: int
    ended: tuple[RequestRecord, ...]


LookAt = Callable[[str, int], AppliedSegment | None]
"""The segment of this name up to this offset; None where its file is gone, as it is once all of it is applied."""


async def verify(store: SqlAlchemyStore, look_at: LookAt) -> Verification:
    """Look at everything at one moment, also while the gateway serves. Raises `StoreUnavailable`."""
    async with store.reading(VERIFY_SECONDS) as work:
        return await work.run(_verify(work.session, look_at))


async def _verify(session: AsyncSession, look_at: LookAt) -> Verification:
    """Day by day: that bounds the memory, whatever the ledger has grown to."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite's readers see one moment anyway
        _ = await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    prices = {row.id: Prices(**row.prices) for row in await session.scalars(select(PriceTableRow))}
    found = await _wrong_segments(session, look_at)
    requests = attempts = 0
    async for day in _days(session):
        expected: dict[Grain, dict[Cell, list[int]]] = {grain: {} for grain in GRAINS}
        async for records in _pages(session, day):
            requests += len(records)
            attempts += sum(len(record.attempts) for record in records)
            found.extend(_wrong_costs(records, prices))
            _add_up(expected, records)
        for grain in GRAINS:
            found.extend(await _wrong_sums(session, grain, day, expected[grain]))
        if len(found) >= MAX_DIFFERENCES:
            return Verification(requests, attempts, tuple(found[:MAX_DIFFERENCES]))
    stored_attempts = int((await session.execute(select(func.count()).select_from(AttemptRow))).scalar_one())
    if stored_attempts != attempts:
        found.append(f"attempts: {stored_attempts} are stored, {attempts} belong to a request")
    return Verification(requests, attempts, tuple(found[:MAX_DIFFERENCES]))


async def _days(session: AsyncSession) -> AsyncIterator[datetime]:
    """Every UTC day from the first row to the last, whether of requests or of sums."""
    moments: list[datetime] = []
    for column in (RequestRow.created_at, *(grain.row.starts_at for grain in GRAINS)):
        for edge in (column.asc(), column.desc()):
            moments += (await session.scalars(select(column).order_by(edge).limit(1))).all()
    if moments:
        day = min(moments).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        while day <= max(moments):
            yield day
            day += DAY


async def _pages(session: AsyncSession, day: datetime) -> AsyncIterator[list[RequestRecord]]:
    after: LogPlace | None = None
    of_day = RequestFilter(start=day, end=day + DAY)
    while rows := (await session.scalars(page_of(of_day, PAGE, after))).all():
        after = LogPlace(rows[-1].created_at, rows[-1].id)
        attempts = (await session.scalars(attempts_of([row.id for row in rows]))).all()
        yield records_of(rows, attempts)
        session.expunge_all()


async def _wrong_segments(session: AsyncSession, look_at: LookAt) -> list[str]:
    wrong: list[str] = []
    for segment, applied in (await session.execute(select(SpoolOffsetRow.segment, SpoolOffsetRow.applied_bytes))).all():
        seen = look_at(segment, applied)
        if seen is None:
            continue
        if applied > seen.size_bytes:
            wrong.append(f"spool segment {segment}: applied up to {applied}, but it has {seen.size_bytes} bytes")
        for at in range(0, len(seen.ended), PAGE):
            part = seen.ended[at : at + PAGE]
            ids = [each.request_id for record in part for each in (record, distinct(record))]
            stored = set((await session.scalars(select(RequestRow.decision_id).where(RequestRow.id.in_(ids)))).all())
            missing = (record.request_id for record in part if record.decision_id not in stored)
            wrong.extend(f"spool segment {segment}: {request_id} is applied, and not there" for request_id in missing)
    return wrong


def _add_up(expected: dict[Grain, dict[Cell, list[int]]], records: list[RequestRecord]) -> None:
    for grain, rows in additions(records).items():
        width = 1 + len(grain.groups)
        cells = expected[grain]
        for row in rows:
            total = cells.setdefault(_key(row[:width]), [0] * (len(row) - width))
            for place, value in enumerate(row[width:]):
                total[place] += int(str(value))


async def _wrong_sums(session: AsyncSession, grain: Grain, day: datetime, expected: dict[Cell, list[int]]) -> list[str]:
    columns = columns_of(grain)
    width = 1 + len(grain.groups)
    table = grain.row.__tablename__
    wrong: list[str] = []
    left = dict(expected)
    of_day = (grain.row.starts_at >= day, grain.row.starts_at < day + DAY)
    for row in await session.execute(select(*(getattr(grain.row, name) for name in columns)).where(*of_day)):
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
