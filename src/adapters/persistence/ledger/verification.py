"""Recomputes what the ledger keeps from its single records, and says where the two differ (P-05, P-08)."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import starmap

import msgspec
from sqlalchemy import and_, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.persistence.ledger.rows import USED, charge_rows, used
from adapters.persistence.retention import pruned_before
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import (
    AttemptRow,
    BudgetHoldRow,
    BudgetPeriodRow,
    PriceTableRow,
    RequestRow,
    SpoolOffsetRow,
    UsageDayVersionRow,
    UsageRolledDayRow,
    UsageRollUpRow,
)
from adapters.persistence.usage_queries.grains import GRAINS, Grain, additions, columns_of
from adapters.persistence.usage_queries.log import attempts_of, page_of, records_of
from adapters.persistence.usage_queries.roll_ups import BREAKDOWNS, RollUp
from adapters.persistence.usage_queries.rolling import MAX_CELLS, cells
from adapters.persistence.usage_queries.sources import ANSWERED, COLUMN_OF
from domain.prices import ALWAYS, PriceRow, Prices, booked
from domain.records import RequestRecord, distinct
from domain.usage_periods import DAY
from domain.usage_queries import LogCursor, RequestFilter

PAGE = 2_000
VERIFY_SECONDS = 3_600.0
MAX_DIFFERENCES = 100

_AT_LEISURE = text("SET LOCAL idle_in_transaction_session_timeout = 0")
"""Adding up between two questions may take longer than a unit of work may idle."""

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
    async with store.reporting(VERIFY_SECONDS) as work:
        return await work.run(_verify(work.session, look_at))


async def _verify(session: AsyncSession, look_at: LookAt) -> Verification:
    """Day by day: that bounds the memory, whatever the ledger has grown to."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite's readers see one moment anyway
        _ = await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        await session.execute(_AT_LEISURE)
    prices = {row.id: msgspec.convert(row.prices, Prices) for row in await session.scalars(select(PriceTableRow))}
    found = await _wrong_segments(session, look_at)
    pruned = await pruned_before(session)
    requests = attempts = 0
    spent: dict[Cell, int] = {}
    async for day in _days(session, pruned):
        expected: dict[Grain, dict[Cell, list[int]]] = {grain: {} for grain in GRAINS}
        async for rows, records in _pages(session, day):
            found.extend(_wrong_requests(rows, records))
            requests += len(records)
            attempts += sum(len(record.attempts) for record in records)
            found.extend(_wrong_costs(records, prices))
            _add_up(expected, records)
            found.extend(_wrong_charges(records))
            for account, starts_at, nano_usd in charge_rows(records):
                key = (str(account), str(starts_at))
                spent[key] = spent.get(key, 0) + int(str(nano_usd))
        for grain in GRAINS:
            found.extend(await _wrong_sums(session, grain, day, expected[grain]))
        found.extend(await _wrong_roll_ups(session, day))
        if len(found) >= MAX_DIFFERENCES:
            return Verification(requests, attempts, tuple(found[:MAX_DIFFERENCES]))
    found.extend(await _wrong_budgets(session, spent, int(pruned.timestamp()) if pruned is not None else None))
    found.extend(await _wrong_holds(session))
    stored_attempts = int((await session.execute(select(func.count()).select_from(AttemptRow))).scalar_one())
    if stored_attempts != attempts:
        found.append(f"attempts: {stored_attempts} are stored, {attempts} belong to a request")
    return Verification(requests, attempts, tuple(found[:MAX_DIFFERENCES]))


async def _days(session: AsyncSession, pruned: datetime | None) -> AsyncIterator[datetime]:
    """Every UTC day from the first row to the last, whether of requests or of sums, of which the requests are kept."""
    moments: list[datetime] = []
    for column in (RequestRow.created_at, *(grain.row.starts_at for grain in GRAINS)):
        for edge in (column.asc(), column.desc()):
            moments += (await session.scalars(select(column).order_by(edge).limit(1))).all()
    if moments:
        day = min(moments).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        day = day if pruned is None else max(day, pruned)
        while day <= max(moments):
            yield day
            day += DAY


async def _pages(
    session: AsyncSession, day: datetime
) -> AsyncIterator[tuple[Sequence[RequestRow], list[RequestRecord]]]:
    after: LogCursor | None = None
    of_day = RequestFilter(start=day, end=day + DAY)
    while rows := (await session.scalars(page_of(of_day, PAGE, after))).all():
        after = LogCursor(rows[-1].created_at, rows[-1].id)
        attempts = (await session.scalars(attempts_of([row.id for row in rows]))).all()
        yield rows, records_of(rows, attempts)
        session.expunge_all()


def _wrong_requests(rows: Sequence[RequestRow], records: Sequence[RequestRecord]) -> Iterator[str]:
    """What a request's own row says it used, where it says so."""
    for row, record in zip(rows, records, strict=True):
        for name, due in zip(USED, used(record), strict=True):
            stored = getattr(row, name)
            if stored is not None and stored != due:
                yield f"{record.request_id}: {name} is {stored}, its attempts give {due}"


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


async def _wrong_roll_ups(session: AsyncSession, day: datetime) -> list[str]:
    """Where a roll-up that is read for this day is not what its requests are summed up to."""
    rolled, version, row = UsageRolledDayRow, UsageDayVersionRow, UsageRollUpRow
    is_true = and_(version.starts_at == rolled.starts_at, version.version == rolled.version)
    found = (
        select(rolled.attribute, rolled.breakdown).join(version, is_true).where(rolled.starts_at == day, rolled.kept)
    )
    wrong: list[str] = []
    for roll_up in starmap(RollUp, (await session.execute(found)).all()):
        names = ["value", *(COLUMN_OF[name] for name in BREAKDOWNS[roll_up.breakdown]), *ANSWERED]
        width, table = len(roll_up.groups), f"usage_roll_ups {day:%Y-%m-%d} {roll_up.attribute}"
        stored = select(*(getattr(row, name) for name in names)).where(
            row.attribute == roll_up.attribute, row.breakdown == roll_up.breakdown, row.starts_at == day
        )
        there = {_key(each[:width]): [int(value) for value in each[width:]] for each in await session.execute(stored)}
        for each in await cells(session, roll_up, day, day + DAY, MAX_CELLS):
            key, due = _key(each[:width]), [int(str(value)) for value in each[width:]]
            if (sums := there.pop(key, None)) != due:
                wrong.append(f"{table} {_words(key)}: the sums are {sums}, its records give {due}")
        wrong.extend(f"{table} {_words(key)}: has no records" for key in there)
    return wrong


async def _wrong_budgets(session: AsyncSession, expected: dict[Cell, int], pruned: int | None) -> list[str]:
    """Where a budget has not been spent what its requests were charged (P-06), beside what was spent before there was
    one, in periods that began at `pruned` or
    later.
    """
    row = BudgetPeriodRow
    stored = {
        (account, str(starts_at)): int(spent)
        for account, starts_at, spent in await session.execute(
            select(row.account, row.starts_at, row.spent_nano_usd - row.opening_nano_usd)
        )
    }
    return [
        f"budget {account} from {starts_at}: spent is {stored.get((account, starts_at), 0)} nano-USD, "
        f"its requests give {expected.get((account, starts_at), 0)}"
        for account, starts_at in sorted({(str(key[0]), str(key[1])) for key in (*stored, *expected)})
        if stored.get((account, starts_at), 0) != expected.get((account, starts_at), 0)
        and (pruned is None or int(starts_at) >= pruned)
    ]


async def _wrong_holds(session: AsyncSession) -> list[str]:
    """Where more or less is held of a budget than its holds are together (P-06). In one process nothing is stored."""
    period, hold = BudgetPeriodRow, BudgetHoldRow
    sums = select(hold.account, hold.starts_at, func.sum(hold.nano_usd)).group_by(hold.account, hold.starts_at)
    due = {(account, starts_at): int(held) for account, starts_at, held in await session.execute(sums)}
    rows = await session.execute(select(period.account, period.starts_at, period.held_nano_usd))
    stored = {(account, starts_at): int(held) for account, starts_at, held in rows}
    return [
        f"budget {key[0]} from {key[1]}: held is {stored.get(key, 0)} nano-USD, its holds give {due.get(key, 0)}"
        for key in sorted({*stored, *due})
        if stored.get(key, 0) != due.get(key, 0)
    ]


def _wrong_charges(records: Iterable[RequestRecord]) -> Iterator[str]:
    """No budget pays more for a request than it cost."""
    for record in records:
        cost = sum(attempt.cost_nano_usd or 0 for attempt in record.attempts)
        for charge in record.charges:
            if charge.nano_usd > cost:
                yield f"{record.request_id}: {charge.account} was charged {charge.nano_usd} nano-USD of {cost}"


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
                continue
            due = booked(attempt.usage, PriceRow(attempt.price_id, "", "", known, "", ALWAYS))
            if attempt.computed_nano_usd is not None and due.computed_nano_usd != attempt.computed_nano_usd:
                found, given = attempt.computed_nano_usd, due.computed_nano_usd
                wrong.append(f"{name}: computed cost is {found} nano-USD, its price gives {given}")
            if due.cost_nano_usd != attempt.cost_nano_usd:
                wrong.append(f"{name}: cost is {attempt.cost_nano_usd} nano-USD, its price gives {due.cost_nano_usd}")
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
