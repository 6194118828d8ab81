"""Makes the roll-ups by attribute of days that have ended, the newest first, beside everything else."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Row, and_, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import UsageDayOfKeyRow, UsageDayVersionRow, UsageRolledDayRow, UsageRollUpRow
from adapters.persistence.usage_queries.reader import FOR_REPORTS
from adapters.persistence.usage_queries.roll_ups import BREAKDOWNS, ROLL_UPS, RollUp
from adapters.persistence.usage_queries.sources import ANSWERED, COLUMN_OF
from adapters.persistence.usage_queries.sums import statement_of_requests
from adapters.persistence.work import upsert
from domain.ports.runtime import Clock
from domain.ports.usage import UsageRollUps
from domain.usage_queries import Grouping, UsageQuery

MAX_CELLS = 20_000
"""Of one roll-up of one day: where there are more, its requests are read."""

ALWAYS_KEPT = 100
"""So few cells are worth it, however few requests there are."""

LEAST_REQUESTS_PER_CELL = 4
"""Where requests are told apart more finely than that, a roll-up is hardly shorter than they are."""

LATE = timedelta(minutes=10)
"""How long a day has to be over: most of what comes late has come by then."""

SECONDS = 60.0
_AT_ONCE = 500


class _Day(NamedTuple):
    starts_at: datetime
    ends_at: datetime
    version: int


class SqlAlchemyRollUps(UsageRollUps):
    def __init__(self, store: SqlAlchemyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @override
    async def turn(self, days: int | None = None) -> None:
        """Rests after each roll-up for as long as it took: a long past takes half of one core, and no more."""
        done = 0
        while (days is None or done < days) and (day := await self._next()) is not None:
            too_many: set[Grouping] = set()
            for roll_up in await self._missing(day):
                begun = self._clock.monotonic()
                if not await self._make(roll_up, day, hopeless=roll_up.attribute in too_many):
                    too_many.add(roll_up.attribute)  # which is no fewer by model or by key
                await asyncio.sleep(self._clock.monotonic() - begun)
            done += 1

    async def _next(self) -> _Day | None:
        day, rolled = UsageDayVersionRow, UsageRolledDayRow
        its_own = and_(rolled.starts_at == day.starts_at, rolled.version == day.version)
        found = (
            select(day.starts_at, day.ends_at, day.version)
            .outerjoin(rolled, its_own)
            .where(day.ends_at <= self._clock.now() - LATE)
            .group_by(day.starts_at, day.ends_at, day.version)
            .having(func.count(rolled.attribute) < len(ROLL_UPS))
            .order_by(day.starts_at.desc())
            .limit(1)
        )
        async with self._store.reporting(SECONDS) as work:
            row = (await work.run(work.session.execute(found))).first()
        return _Day(*row) if row is not None else None

    async def _missing(self, day: _Day) -> Sequence[RollUp]:
        rolled = UsageRolledDayRow
        made = select(rolled.attribute, rolled.breakdown).where(
            rolled.starts_at == day.starts_at, rolled.version == day.version
        )
        async with self._store.reporting(SECONDS) as work:
            there = {(row[0], row[1]) for row in await work.run(work.session.execute(made))}
        return [roll_up for roll_up in ROLL_UPS if roll_up not in there]

    async def _make(self, roll_up: RollUp, day: _Day, *, hopeless: bool) -> bool:
        """Read, then written in one transaction that holds the day: what is written to it meanwhile undoes this.

        Whether it is kept.
        """
        found: Sequence[Row[*tuple[object, ...]]] = ()
        kept = False
        if not hopeless:
            async with self._store.reporting(SECONDS) as work:
                if work.session.get_bind().dialect.name == "postgresql":
                    await work.run(work.session.execute(FOR_REPORTS))
                by_key = UsageDayOfKeyRow
                counted = select(func.coalesce(func.sum(by_key.requests), 0)).where(by_key.starts_at == day.starts_at)
                requests = int((await work.run(work.session.execute(counted))).scalar_one())
                most = min(MAX_CELLS, max(ALWAYS_KEPT, requests // LEAST_REQUESTS_PER_CELL))
                found = await work.run(cells(work.session, roll_up, day.starts_at, day.ends_at, most + 1))
            kept = len(found) <= most
        async with self._store.writing(SECONDS) as work:
            await work.run(_write(work.session, roll_up, day, found if kept else (), kept=kept))
        return kept


async def cells(
    session: AsyncSession, roll_up: RollUp, starts_at: datetime, ends_at: datetime, limit: int
) -> Sequence[Row[*tuple[object, ...]]]:
    """What a roll-up has to hold of some time, by the single requests: its groups, then `ANSWERED`; so many at most."""
    query = UsageQuery(starts_at, ends_at, roll_up.groups)
    lateral = session.get_bind().dialect.name == "postgresql"
    return (await session.execute(statement_of_requests(query, limit, lateral=lateral))).all()


async def _write(
    session: AsyncSession, roll_up: RollUp, day: _Day, found: Sequence[Row[*tuple[object, ...]]], *, kept: bool
) -> None:
    row = UsageRollUpRow
    version = select(UsageDayVersionRow.version).where(UsageDayVersionRow.starts_at == day.starts_at).with_for_update()
    if await session.scalar(version) != day.version:
        return
    its_own = {"attribute": roll_up.attribute, "breakdown": roll_up.breakdown, "starts_at": day.starts_at}
    await session.execute(delete(row).where(*(getattr(row, name) == value for name, value in its_own.items())))
    rows = [its_own | {"number": number} | _values(roll_up, each) for number, each in enumerate(found)]
    for at in range(0, len(rows), _AT_ONCE):
        await session.execute(insert(row), rows[at : at + _AT_ONCE])
    await upsert(session, UsageRolledDayRow, [its_own | {"version": day.version, "kept": kept}])


def _values(roll_up: RollUp, found: Row[*tuple[object, ...]]) -> dict[str, object]:
    """Columns by name; what the breakdown does not tell apart is an empty string, in each row of an insert."""
    value, *rest = found
    groups = BREAKDOWNS[roll_up.breakdown]
    told: dict[str, object] = dict.fromkeys(("tenant_id", "key_id", "provider_id", "model", "task"), "")
    told |= {COLUMN_OF[name]: str(each) for name, each in zip(groups, rest, strict=False)}
    return {"value": value, **told, **dict(zip(ANSWERED, rest[len(groups) :], strict=True))}
