"""What was used of limits by the day, for a process that counts in memory."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, select
from typing_extensions import override

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import LimitDayRow
from adapters.persistence.work import upsert
from domain.ports.limits import DayCounts, UsedToday

READ_SECONDS = 5.0


class SqlAlchemyDayCounts(DayCounts):
    """`DayCounts` in the database."""

    def __init__(self, store: SqlAlchemyStore) -> None:
        self._store = store

    @override
    async def read(self, since: int) -> Sequence[UsedToday]:
        row = LimitDayRow
        query = select(row.counter, row.starts_at, row.used).where(row.starts_at >= since)
        async with self._store.reading(READ_SECONDS) as work:
            found = await work.run(work.session.execute(query))
        return [UsedToday(counter, starts_at, used) for counter, starts_at, used in found.all()]

    @override
    async def write(self, counts: Sequence[UsedToday], forget_before: int) -> None:
        rows = [msgspec.structs.asdict(count) for count in counts]
        async with self._store.writing() as work:
            await work.run(upsert(work.session, LimitDayRow, rows))
            await work.run(work.session.execute(delete(LimitDayRow).where(LimitDayRow.starts_at < forget_before)))
