"""The ledger as it is asked: sums of usage, and the log of requests."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Row, Select, text
from typing_extensions import override

from adapters.persistence.ledger.packing import unpacked
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import AttemptRow, DecisionRow, RequestRow
from adapters.persistence.usage_queries.latencies import measured_of, percentiles_of, together, values
from adapters.persistence.usage_queries.log import attempts_of, page_of, records_of
from adapters.persistence.usage_queries.spreads import spreads
from adapters.persistence.usage_queries.sums import count_of_cells, drift, priced, statement, unpriced
from adapters.persistence.work import Work, table_of
from domain.errors import ServiceUnavailable
from domain.ports.usage import RequestLog, Sample, UsageReader
from domain.records import RequestRecord
from domain.usage import TokenUsage
from domain.usage_periods import HOUR, local_hours
from domain.usage_queries import (
    CostDrift,
    CostSpread,
    Latencies,
    LogCursor,
    PricedCalls,
    RequestFilter,
    UsageQuery,
    UsageRow,
    UsageSums,
    too_many_groups,
)

REPORTS_AT_ONCE = 2
"""Of one process: reports wait for each other, so that they never take every connection from the requests."""

REPORTS_WAITING = 64
"""How many may wait for their turn; of those that come then, each is told to come again."""

REPORT_SECONDS = 20.0
"""They stand back behind the requests: on one busy core a report takes ten times as long as alone."""

_T = TypeVar("_T", RequestRow, AttemptRow)
_Found = Sequence[Row[*tuple[object, ...]]]

FOR_REPORTS = text(
    "SELECT set_config('jit', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true), "
    "set_config('work_mem', '16MB', true), set_config('statement_timeout', '5000', true)"
)
"""Of Postgres, until the transaction ends: compiling a report takes longer than answering it, a plan for any values
does not know how many spans of time or how common a filter's value is, sorting is not for the disk, and a report may
take longer than a unit of work."""


class SqlAlchemyUsage(UsageReader, RequestLog):
    """Both ports over the store's own connections."""

    def __init__(self, store: SqlAlchemyStore) -> None:
        self._store = store
        self._turn = asyncio.Semaphore(REPORTS_AT_ONCE)
        self._here = 0

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
        return _rows(found, query)

    @override
    async def missing(self, query: UsageQuery, limit: int) -> Sequence[UsageRow]:
        async with self._reading() as work:
            asked = unpriced(query, limit, arrays=_is_postgres(work))
            found = (await work.run(work.session.execute(asked))).all()
        return [_missing(each, query) for each in found]

    @override
    async def latencies(self, query: UsageQuery, one_in: Sample) -> Latencies:
        whole = msgspec.structs.replace(query, group_by=())
        async with self._reading() as work:
            asked = values(query, one_in, arrays=_is_postgres(work))
            found = (await work.run(work.session.execute(asked))).all()
            of_all = None
            if "tag" in query.group_by:  # under which a request is there for each of its tags
                asked = values(whole, one_in, arrays=_is_postgres(work))
                of_all = (await work.run(work.session.execute(asked))).all()
        return await asyncio.to_thread(_latencies, query, found, of_all)

    @override
    async def priced(self, query: UsageQuery, limit: int) -> Sequence[PricedCalls]:
        async with self._reading() as work:
            asked = priced(query, limit, arrays=_is_postgres(work))
            found = (await work.run(work.session.execute(asked))).all()
        return [_priced(row) for row in found]

    @override
    async def spreads(self, query: UsageQuery) -> Sequence[CostSpread]:
        async with self._reading() as work:
            asked = spreads(query, arrays=_is_postgres(work))
            found = (await work.run(work.session.execute(asked))).all()
        return [
            CostSpread(str(route), bool(holdout), int(str(count)), *(float(str(value)) for value in values))
            for route, holdout, count, *values in found
        ]

    @override
    async def drift(self, query: UsageQuery, limit: int) -> Sequence[CostDrift]:
        async with self._reading() as work:
            found = (await work.run(work.session.execute(drift(query, limit)))).all()
        return [CostDrift(*row) for row in found]  # type: ignore[arg-type]  # its columns, in their order

    @override
    async def page(self, filter_: RequestFilter, limit: int, at: LogCursor | None) -> Sequence[RequestRecord]:
        async with self._reading() as work:
            asked = page_of(filter_, limit, at, steered=not _is_postgres(work))
            requests = await self._plain(work, RequestRow, asked)
            return await self._with_attempts(work, requests[::-1] if at is not None and at.newer else requests)

    @override
    async def get(self, request_id: str) -> RequestRecord | None:
        async with self._reading() as work:
            found = await work.run(work.session.get(RequestRow, request_id))
            if found is None:
                return None
            record = (await self._with_attempts(work, [found]))[0]
            decision = await work.run(work.session.get(DecisionRow, request_id))
            return record if decision is None else msgspec.structs.replace(record, decision=unpacked(decision.body))

    async def _with_attempts(self, work: Work, requests: Sequence[RequestRow]) -> list[RequestRecord]:
        attempts = await self._plain(work, AttemptRow, attempts_of([row.id for row in requests]))
        return records_of(requests, attempts)

    @staticmethod
    async def _plain(work: Work, row_type: type[_T], asked: Select[_T]) -> Sequence[_T]:
        """The columns alone, named as the entity has them: entities cost the event loop half as much again."""
        columns = asked.with_only_columns(*table_of(row_type).c)
        return cast(Sequence[_T], (await work.run(work.session.execute(columns))).all())

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Work]:
        if self._here >= REPORTS_AT_ONCE + REPORTS_WAITING:
            raise ServiceUnavailable(
                "Too many reports are asked for at once; try again soon.", code="overloaded", retry_after_seconds=1
            )
        self._here += 1
        try:
            async with self._turn, self._store.reporting(REPORT_SECONDS) as work:
                if _is_postgres(work):
                    await work.run(work.session.execute(FOR_REPORTS))
                yield work
        finally:
            self._here -= 1


def _is_postgres(work: Work) -> bool:
    return work.session.get_bind().dialect.name == "postgresql"


def _latencies(query: UsageQuery, found: _Found, of_all: _Found | None) -> Latencies:
    """In a thread: there may be a hundred thousand values to sort."""
    measured = measured_of(found, query)
    if of_all is None:
        whole = together([*measured.values()])
    else:
        whole = together([*measured_of(of_all, msgspec.structs.replace(query, group_by=())).values()])
    rows = tuple(
        msgspec.structs.replace(_row_of(group, UsageSums(), query), **percentiles_of(of_group))
        for group, of_group in measured.items()
    )
    return Latencies(rows, msgspec.structs.replace(UsageRow(UsageSums()), **percentiles_of(whole)))


def _priced(found: Row[*tuple[object, ...]]) -> PricedCalls:
    provider, model, price_id, reported, calls, cost, *counts = found
    usage = TokenUsage.of((int(str(count)) for count in counts), None)
    return PricedCalls(str(provider), str(model), str(price_id), bool(reported), int(str(calls)), int(str(cost)), usage)


def _missing(found: Row[*tuple[object, ...]], query: UsageQuery) -> UsageRow:
    at, names, *values = found
    groups: dict[str, object] = dict(zip(query.named, values, strict=True))
    if query.by_time and isinstance(at, datetime):
        groups |= _times(query, next(iter(local_hours(at, at + HOUR, ZoneInfo(query.timezone)))).day)
    return UsageRow(UsageSums(), cost_missing=tuple(str(names).split(",")), **groups)  # type: ignore[arg-type]  # as above


def _times(query: UsageQuery, begins: date | None) -> dict[str, object]:
    """The day and the hour of a group, as far as they are asked for, by the moment it begins at."""
    if not isinstance(begins, datetime):
        return {"day": begins}
    times: dict[str, object] = {}
    if "hour" in query.group_by:
        times["hour"] = begins
    if "day" in query.group_by:
        times["day"] = begins.astimezone(ZoneInfo(query.timezone)).date()
    return times


def _times_at(number: object, query: UsageQuery) -> dict[str, object]:
    """The same by its `time_number`."""
    moment = int(str(number))
    hourly = "hour" in query.group_by
    return _times(query, datetime.fromtimestamp(moment * 60, UTC) if hourly else date.fromordinal(moment))


def _rows(found: _Found, query: UsageQuery) -> list[UsageRow]:
    """Some thousand for an answer, while other requests wait: what is the same for all of them is asked once."""
    by_time, named = query.by_time, query.named
    begin, width = int(by_time), int(by_time) + len(named)
    times = {number: _times_at(number, query) for number in {each[0] for each in found}} if by_time else {}
    return [
        UsageRow(
            UsageSums(*each[width:]),  # type: ignore[arg-type]  # behind the groups there are integers
            **(times[each[0]] if by_time else {}),  # type: ignore[arg-type]  # as `_times` names them
            **dict(zip(named, each[begin:width], strict=True)),  # type: ignore[arg-type]  # a name of the groups is a field
        )
        for each in found
    ]


def _row_of(group: Sequence[object], sums: UsageSums, query: UsageQuery) -> UsageRow:
    values = iter(group)
    groups: dict[str, object] = {}
    if query.by_time:
        groups = _times_at(next(values), query)
    for name in query.named:
        groups[name] = next(values)
    return UsageRow(sums, **groups)  # type: ignore[arg-type]  # a name of the groups is a field
