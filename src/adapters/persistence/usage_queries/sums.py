"""One statement for any question about usage: whole days and hours from the roll-ups, the edges from the rows."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from advanced_alchemy.types import DateTimeUTC
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
    column,
    func,
    literal,
    select,
    true,
    union_all,
    values,
)

from adapters.persistence.tables import AttemptRow, RequestRow
from adapters.persistence.usage_queries.grains import DAYS, HOURS, HOURS_BY_KEY, HOURS_BY_MODEL, Grain
from domain.usage_periods import DAY, Stretch
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
_MOMENT = DateTimeUTC(timezone=True)

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
    cut = query.cut()
    needed = _needed(query)
    edges = _stretches(cut.edges, "edges")
    summed = _lateral if lateral else _joined
    parts = [
        summed(query, _grain(DAYS), _stretches(cut.days, "days")),
        summed(query, _grain(_cheapest(needed)), _stretches(cut.hours, "hours")),
        summed(query, _requests(), edges),
        summed(query, _attempts(bare=lateral), edges),
    ]
    together = union_all(*parts).subquery("together")
    groups = [together.c[name] for name in query.group_by]
    sums = [cast(func.coalesce(func.sum(together.c[name]), 0), BigInteger) for name in ANSWERED]
    return select(*groups, *sums).group_by(*groups).limit(limit)


def count_of_cells(query: UsageQuery, limit: int) -> Select[int] | None:
    """How many groups there are by days of UTC, up to `limit`: told soon, where the answer itself may take long.

    None where it is not: without days, or where a coarser grain than the finest serves.
    """
    if "day" not in query.group_by or not query.cut().hours or _cheapest(_needed(query)) is not HOURS:
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


def _stretches(stretches: Sequence[Stretch], name: str) -> CTE:
    """A table of them; without any, one that no moment is in."""
    never = datetime(1970, 1, 1, tzinfo=UTC)
    rows = [(each.day.toordinal() if each.day else 0, each.start, each.end) for each in stretches]
    columns = (column("day", Integer), column("starts_at", _MOMENT), column("ends_at", _MOMENT))
    return values(*columns, name=name).data(rows or [(0, never, never)]).cte(name)


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


def _joined(query: UsageQuery, source: _Source, stretches: CTE) -> Part:
    """The sums of one source over some stretches, by group: SQLite goes from each stretch to its rows by itself."""
    groups = {name: source.columns[_COLUMN_OF[name]] for name in query.group_by if name != "day"}
    days = {"day": stretches.c.day} if "day" in query.group_by else {}
    named = [value.label(name) for name, value in (days | groups).items()]
    rows = stretches.join(source.rows, _within(source, stretches))
    return select(*named, *_totals(source)).select_from(rows).where(*_wanted(query, source)).group_by(*named)


def _lateral(query: UsageQuery, source: _Source, stretches: CTE) -> Part:
    """The same, stretch by stretch: Postgres would compare every row with every stretch if it were left the choice."""
    groups = [source.columns[_COLUMN_OF[name]].label(name) for name in query.group_by if name != "day"]
    wanted = (*_wanted(query, source), _within(source, stretches))
    each = select(*groups, *_totals(source)).select_from(source.rows).where(*wanted).group_by(*groups).lateral()
    days = [stretches.c.day] if "day" in query.group_by else []
    return select(*days, *each.c).select_from(stretches.join(each, true()))


def _within(source: _Source, stretches: CTE) -> ColumnElement[bool]:
    return and_(source.at >= stretches.c.starts_at, source.at < stretches.c.ends_at)


def _totals(source: _Source) -> Sequence[ColumnElement[int]]:
    return [func.sum(value).label(name) for name, value in zip(ANSWERED, source.sums, strict=True)]


def _wanted(query: UsageQuery, source: _Source) -> list[ColumnElement[bool]]:
    return [
        source.columns[name] == value
        for name in query.filter.__struct_fields__
        if (value := getattr(query.filter, name)) is not None
    ]
