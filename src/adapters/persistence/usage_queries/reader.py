"""The ledger as it is asked: sums of usage, and the log of requests."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date

from sqlalchemy import Row, text
from typing_extensions import override

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import RequestRow
from adapters.persistence.usage_queries.log import attempts_of, page_of, records_of
from adapters.persistence.usage_queries.sums import count_of_cells, statement
from adapters.persistence.work import Work
from domain.ports.usage import RequestLog, UsageReader
from domain.records import RequestRecord
from domain.usage_queries import Grouping, LogPlace, RequestFilter, UsageQuery, UsageRow, UsageSums, too_many_groups

REPORTS_AT_ONCE = 2
"""Of one process: reports wait for each other, so that they never take every connection from the requests."""

REPORT_SECONDS = 10.0

_FOR_REPORTS = text(
    "SELECT set_config('jit', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true), "
    "set_config('work_mem', '16MB', true)"
)
"""Of Postgres, until the transaction ends: compiling a report takes longer than answering it, a plan for any values
does not know how many spans of time or how common a filter's value is, and sorting is not for the disk."""


class SqlAlchemyUsage(UsageReader, RequestLog):
    """Both ports over the store's own connections."""

    def __init__(self, store: SqlAlchemyStore) -> None:
        self._store = store
        self._turn = asyncio.Semaphore(REPORTS_AT_ONCE)

    @override
    async def sums(self, query: UsageQuery, limit: int) -> Sequence[UsageRow]:
        async with self._reading() as work:
            if (count := count_of_cells(query, 2 * limit + 1)) is not None:
                cells = (await work.run(work.session.execute(count))).scalar_one()
                if cells > 2 * limit:  # a local day meets two of UTC at most: there are more groups than half the cells
                    raise too_many_groups(limit)
            asked = statement(query, limit + 1, lateral=_is_postgres(work))
            found = (await work.run(work.session.execute(asked))).all()
        if len(found) > limit:
            raise too_many_groups(limit)
        return [_row(each, query.group_by) for each in found]

    @override
    async def page(self, filter_: RequestFilter, limit: int, after: LogPlace | None) -> Sequence[RequestRecord]:
        async with self._reading() as work:
            asked = page_of(filter_, limit, after, steered=not _is_postgres(work))
            requests = (await work.run(work.session.scalars(asked))).all()
            return await self._with_attempts(work, requests)

    @override
    async def get(self, request_id: str) -> RequestRecord | None:
        async with self._reading() as work:
            found = await work.run(work.session.get(RequestRow, request_id))
            return (await self._with_attempts(work, [found]))[0] if found is not None else None

    async def _with_attempts(self, work: Work, requests: Sequence[RequestRow]) -> list[RequestRecord]:
        attempts = await work.run(work.session.scalars(attempts_of([row.id for row in requests])))
        return records_of(requests, attempts.all())

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Work]:
        async with self._turn, self._store.reading(REPORT_SECONDS) as work:
            if _is_postgres(work):
                await work.run(work.session.execute(_FOR_REPORTS))
            yield work


def _is_postgres(work: Work) -> bool:
    return work.session.get_bind().dialect.name == "postgresql"


def _row(found: Row[*tuple[object, ...]], group_by: Sequence[Grouping]) -> UsageRow:
    """Called some thousand times for an answer, while other requests wait."""
    sums = UsageSums(*found[len(group_by) :])  # type: ignore[arg-type]  # behind the groups there are integers
    groups = dict(zip(group_by, found, strict=False))
    if "day" in groups:
        groups["day"] = date.fromordinal(groups["day"])  # type: ignore[arg-type]  # as the statement says
    return UsageRow(sums, **groups)  # type: ignore[arg-type]  # a name of the groups is a field
