"""One statement for any question about usage: whole days and hours from the roll-ups, the edges from the rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)

from adapters.persistence.tables import AttemptRow, RequestRow
from adapters.persistence.usage_queries.grains import DAYS, HOURS, HOURS_BY_KEY, HOURS_BY_MODEL, Grain
from adapters.persistence.usage_queries.spans import Spans
from domain.usage_periods import DAY
from domain.usage_queries import UsageQuery

ANSWERED = (
    "requests",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "cost_nano_usd",
    "estimated_requests",
    "unpriced_requests",
)
"""The sums of an answer, in the order of `UsageSums`."""

_COLUMN_OF = {"model": "model", "provider": "provider_id", "key": "key_id", "task": "task"}

Part = Select[*tuple[object, ...]]


class _Source(NamedTuple):
    """Rows to sum: when each was, what it is told apart by, and its part of each of `ANSWERED`."""

    rows: FromClause
    at: ColumnElement[datetime]
    columns: Mapping[str, ColumnElement[str]]
    sums: Sequence[ColumnElement[int]]


def statement(query: UsageQuery, limit: int, *, lateral: bool) -> Part:
    """Rows of at most `limit` groups: what `group_by` names (a day as its ordinal), and then the sums.

    `lateral` is for Postgres, which is lost without it; SQLite has none. It is one statement so that all of it is as
    of one moment, whatever the isolation of the transaction.
    """
    grain = _cheapest(_needed(query))
    cut = query.cut(nearest_days=grain is HOURS)
    spans = Spans(arrays=lateral)
    days, hours, edges = spans.table("days", cut.days), spans.table("hours", cut.hours), spans.table("edges", cut.edges)
    summed = _lateral if lateral else _joined
    parts = [
        summed(query, _grain(DAYS), days),
        summed(query, _grain(grain), hours),
        summed(query, _requests(), edges),
        summed(query, _attempts(bare=lateral), edges),
    ]
    together, counted = union_all(*parts).subquery("together"), spans.counted()
    groups = [(counted if name == "day" else together).c[name] for name in query.group_by]
    sums = [_whole(func.coalesce(func.sum(together.c[name] * counted.c.sign), 0)) for name in ANSWERED]
    rows = together.join(counted, together.c.number == counted.c.number)
    anything = or_(*(each != 0 for each in sums))
    return select(*groups, *sums).select_from(rows).group_by(*groups).having(anything).limit(limit)


def count_of_cells(query: UsageQuery, limit: int) -> Select[int] | None:
    """How many groups there are by days of UTC, up to `limit`: told soon, where the answer itself may take long.

    None where it is not: without days, by hardly more than them, or where a coarser grain than the finest serves.
    """
    by_much = "day" in query.group_by and len(query.group_by) > 2
    if not by_much or not query.cut().hours or _cheapest(_needed(query)) is not HOURS:
        return None
    source = _grain(DAYS)
    groups = [source.columns[_COLUMN_OF[name]] for name in query.group_by if name != "day"]
    wanted = [*_wanted(query, source), source.at >= query.start, source.at <= query.end - DAY]
    cells = select(source.at, *groups).where(*wanted).distinct().limit(limit).subquery("cells")
    return select(func.count()).select_from(cells)


def _needed(query: UsageQuery) -> set[str]:
    """The columns that the question tells apart or filters by."""
    filtered = {name for name in query.filter.__struct_fields__ if getattr(query.filter, name) is not None}
    return filtered | {_COLUMN_OF[name] for name in query.group_by if name != "day"}


def _cheapest(needed: set[str]) -> Grain:
    """The coarsest table of hours that can tell apart what must be told apart."""
    return next((grain for grain in (HOURS_BY_MODEL, HOURS_BY_KEY) if needed <= set(grain.groups)), HOURS)


def _grain(grain: Grain) -> _Source:
    table = grain.row.__table__
    columns = {group: table.c[group] for group in grain.groups}
    return _Source(table, table.c.starts_at, columns, [table.c[name] for name in ANSWERED])


def _requests() -> _Source:
    """Each where its last attempt went; its tokens and cost are its attempts'."""
    table = RequestRow.__table__
    columns = _whose() | {
        "provider_id": func.coalesce(table.c.provider_id, ""),
        "model": func.coalesce(table.c.model, ""),
    }
    flags = [case((table.c[flag], 1), else_=0) for flag in ("estimated", "unpriced")]
    return _Source(table, table.c.created_at, columns, [literal(1, Integer), *[literal(0, Integer)] * 7, *flags])


def _attempts(*, bare: bool) -> _Source:
    """Each where it went, when its request was.

    Both databases must go from the few requests of the edges to their attempts. SQLite would index all attempts by
    what they are filtered by, for this one question, unless that is no `bare` column; Postgres knows from its
    statistics what to expect of a bare column, and of nothing else.
    """
    requests, table = RequestRow.__table__, AttemptRow.__table__
    where = {name: table.c[name] if bare else func.coalesce(table.c[name], "") for name in ("provider_id", "model")}
    columns = _whose() | where
    tokens = [table.c[name] for name in ANSWERED[1:7]]
    nothing = literal(0, Integer)
    sums = [nothing, *tokens, func.coalesce(table.c.cost_nano_usd, 0), nothing, nothing]
    by_time = requests.c.task >= ""  # true; no index holds it, so Postgres finds the requests by their time alone
    joined = requests.join(table, and_(table.c.request_id == requests.c.id, by_time))
    return _Source(joined, requests.c.created_at, columns, sums)


def _whose() -> dict[str, ColumnElement[str]]:
    table = RequestRow.__table__
    return {"tenant_id": table.c.tenant_id, "key_id": func.coalesce(table.c.key_id, ""), "task": table.c.task}


def _joined(query: UsageQuery, source: _Source, spans: CTE) -> Part:
    """The sums of one source over some spans, by group: SQLite goes from each span to its rows by itself."""
    named = [spans.c.number, *_groups(query, source)]
    rows = spans.join(source.rows, _within(source, spans))
    return select(*named, *_totals(source)).select_from(rows).where(*_wanted(query, source)).group_by(*named)


def _lateral(query: UsageQuery, source: _Source, spans: CTE) -> Part:
    """The same, span by span: Postgres would compare every row with every span if it were left the choice."""
    groups = _groups(query, source)
    wanted = (*_wanted(query, source), _within(source, spans))
    each = select(*groups, *_totals(source)).select_from(source.rows).where(*wanted).group_by(*groups).lateral()
    return select(spans.c.number, *each.c).select_from(spans.join(each, true()))


def _groups(query: UsageQuery, source: _Source) -> list[ColumnElement[str]]:
    return [source.columns[_COLUMN_OF[name]].label(name) for name in query.group_by if name != "day"]


def _within(source: _Source, spans: CTE) -> ColumnElement[bool]:
    return and_(source.at >= spans.c.starts_at, source.at < spans.c.ends_at)


def _totals(source: _Source) -> Sequence[ColumnElement[int]]:
    return [_whole(func.sum(value)).label(name) for name, value in zip(ANSWERED, source.sums, strict=True)]


def _whole(value: ColumnElement[int]) -> ColumnElement[int]:
    """Postgres sums into decimals of any length, which cost more; these fit (`MAX_TOKENS`, `MAX_COST_NANO_USD`)."""
    return cast(value, BigInteger)


def _wanted(query: UsageQuery, source: _Source) -> list[ColumnElement[bool]]:
    return [
        source.columns[name] == value
        for name in query.filter.__struct_fields__
        if (value := getattr(query.filter, name)) is not None
    ]
