"""Deletes single requests that are older than they are kept, in small batches; every sum of them stays."""

import asyncio
from datetime import UTC, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import AttemptRow, DecisionRow, FactRow, RequestRow
from adapters.persistence.work import upsert
from domain.ports.runtime import Clock
from domain.ports.usage import Retention, UsageRollUps

PRUNED_BEFORE = "usage:pruned_before"
"""The fact that names the day before which single requests are gone: nobody recomputes sums of before it."""

BATCH = 500
"""Requests in one transaction: a few milliseconds in which nothing else is written."""

COUNT_SECONDS = 60.0


class SqlAlchemyRetention(Retention):
    """Of whole days of UTC, the oldest first; sums by attribute are made of them before, if they are not yet."""

    def __init__(self, store: SqlAlchemyStore, roll_ups: UsageRollUps, clock: Clock) -> None:
        self._store = store
        self._roll_ups = roll_ups
        self._clock = clock

    @override
    async def count(self, before: datetime) -> int:
        old = select(func.count()).select_from(RequestRow).where(RequestRow.created_at < _day_of(before))
        async with self._store.reporting(COUNT_SECONDS) as work:
            return int((await work.run(work.session.execute(old))).scalar_one())

    @override
    async def prune(self, before: datetime, *, at_leisure: bool = True) -> int:
        day = _day_of(before)
        if not await self._any(day):
            return 0
        await self._roll_ups.turn()
        gone = 0
        while True:
            begun = self._clock.monotonic()
            async with self._store.writing() as work:
                deleted = await work.run(_delete_batch(work.session, day))
            gone += deleted
            if deleted < BATCH:
                return gone
            if at_leisure:
                await asyncio.sleep(self._clock.monotonic() - begun)

    async def _any(self, day: datetime) -> bool:
        old = select(RequestRow.id).where(RequestRow.created_at < day).limit(1)
        async with self._store.reporting(COUNT_SECONDS) as work:
            return (await work.run(work.session.execute(old))).first() is not None


async def pruned_before(session: AsyncSession) -> datetime | None:
    """The day before which single requests are gone; None where none are."""
    kept = (await session.execute(select(FactRow.value).where(FactRow.name == PRUNED_BEFORE))).scalar_one_or_none()
    return datetime.fromisoformat(kept) if kept is not None else None


async def _delete_batch(session: AsyncSession, day: datetime) -> int:
    known = await pruned_before(session)
    if known is None or known < day:
        await upsert(session, FactRow, [{"name": PRUNED_BEFORE, "value": day.isoformat()}])
    oldest = (
        select(RequestRow.id)
        .where(RequestRow.created_at < day)
        .order_by(RequestRow.created_at, RequestRow.id)
        .limit(BATCH)
    )
    ids = list(await session.scalars(oldest))
    for table, column in ((AttemptRow, AttemptRow.request_id), (DecisionRow, DecisionRow.request_id)):
        await session.execute(delete(table).where(column.in_(ids)))
    await session.execute(delete(RequestRow).where(RequestRow.id.in_(ids)))
    return len(ids)


def _day_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
