"""Usage as it is shown to whoever may see it: rows by group, and their total."""

from collections.abc import Sequence

import msgspec

from application.usage.asking import UsageAsked, query_of
from application.usage.naming import NamesByKind, Naming
from domain.keys import Principal
from domain.ports.runtime import Clock
from domain.ports.usage import Sample, UsageReader
from domain.prices import UNPRICED
from domain.savings_interval import interval_usd
from domain.usage_queries import CostDrift, Grouping, UsageQuery, UsageRow, UsageSums

MAX_ROWS = 10_000
"""Of one answer: more are no help to a reader, and making them would hold up other requests of this process."""


EXACT_UP_TO = 50_000
"""Of so many requests percentiles are of all of them, of more of a sample."""


class Usage(msgspec.Struct, frozen=True):
    """Rows in the order of their groups, and the sum of all of them, which is a row without a group.

    `savings_interval_usd` holds the savings of all rows with 95 %; None without requests that were held out.
    `sampled_one_in` says of what share of the requests the percentiles are; None where nobody asked for them.
    """

    group_by: tuple[Grouping, ...]
    rows: tuple[UsageRow, ...]
    total: UsageRow
    names: NamesByKind = {}
    sampled_one_in: Sample | None = None
    savings_interval_usd: tuple[float, float] | None = None

    @property
    def cost_missing(self) -> tuple[str, ...]:
        """Of all rows, what was used and has no price."""
        return tuple(sorted({name for row in self.rows for name in row.cost_missing}))


class UsageReport:
    """Answers questions about usage. Raises `RequestInvalid` and `StoreUnavailable`."""

    def __init__(self, reader: UsageReader, naming: Naming, clock: Clock) -> None:
        self._reader = reader
        self._naming = naming
        self._clock = clock

    async def of_all(self, asked: UsageAsked) -> Usage:
        """Everyone's usage, as far as the question does not narrow it."""
        query = query_of(asked, self._clock.now())
        rows = await self._reader.sums(query, MAX_ROWS)
        if any(row.sums.inexact_requests > row.sums.unpriced_requests for row in rows):
            missing = _by_group(await self._reader.missing(query, MAX_ROWS))
        else:
            missing = {}
        rows = [_with_missing(row, missing.get(row.group, set()) if missing else set()) for row in rows]
        total = _total(rows)
        if "tag" in query.group_by:  # a request counts for each of its tags, and once in the total
            total = _total(await self._reader.sums(msgspec.structs.replace(query, group_by=()), MAX_ROWS))
        ordered = sorted(rows, key=lambda row: tuple(str(getattr(row, name)) for name in query.group_by))
        names = await self._naming.of_groups(query.group_by, ordered)
        usage = Usage(query.group_by, tuple(ordered), UsageRow(total), names)
        if total.savings_nano_usd:
            between = interval_usd(await self._reader.spreads(query))
            usage = msgspec.structs.replace(usage, savings_interval_usd=between)
        return await self._with_latencies(usage, query) if asked.stats else usage

    async def _with_latencies(self, usage: Usage, query: UsageQuery) -> Usage:
        one_in = _sample(usage.total.sums.requests)
        latencies = await self._reader.latencies(query, one_in)
        measured = {row.group: row for row in latencies.rows}
        rows = tuple(_with_percentiles(row, measured.get(row.group)) for row in usage.rows)
        total = _with_percentiles(usage.total, latencies.total)
        return msgspec.structs.replace(usage, rows=rows, total=total, sampled_one_in=one_in)

    async def drift(self, asked: UsageAsked) -> Sequence[CostDrift]:
        """Where what providers say they charged and what our prices give part."""
        return await self._reader.drift(query_of(asked, self._clock.now()), MAX_ROWS)

    async def of_caller(self, principal: Principal, asked: UsageAsked) -> Usage:
        """The usage of the caller's own key, whatever key or tenant the question names (S-06)."""
        own = msgspec.structs.replace(asked.filter, tenant_id=principal.tenant_id, key_id=principal.key_id or "")
        return await self.of_all(msgspec.structs.replace(asked, filter=own))


def _sample(requests: int) -> Sample:
    if requests <= EXACT_UP_TO:
        return 1
    return 16 if requests <= 16 * 2 * EXACT_UP_TO else 256


def _with_percentiles(row: UsageRow, measured: UsageRow | None) -> UsageRow:
    if measured is None:
        return row
    return msgspec.structs.replace(row, latency_ms=measured.latency_ms, ttft_ms=measured.ttft_ms)


def _total(rows: Sequence[UsageRow]) -> UsageSums:
    columns = zip(*(msgspec.structs.astuple(row.sums) for row in rows), strict=True)
    return UsageSums(*(sum(column) for column in columns))


def _by_group(rows: Sequence[UsageRow]) -> dict[tuple[object, ...], set[str]]:
    found: dict[tuple[object, ...], set[str]] = {}
    for row in rows:
        found.setdefault(row.group, set()).update(row.cost_missing)
    return found


def _with_missing(row: UsageRow, names: set[str]) -> UsageRow:
    if row.sums.unpriced_requests:
        names = {*names, *UNPRICED}
    return msgspec.structs.replace(row, cost_missing=tuple(sorted(names))) if names else row
