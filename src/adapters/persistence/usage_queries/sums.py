"""One statement for any question about usage: whole days and hours from the roll-ups, the edges from the rows."""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from adapters.persistence.tables import AttemptRow
from adapters.persistence.usage_queries.grains import (
    DAYS,
    DAYS_BY_KEY,
    DAYS_BY_MODEL,
    HOURS,
    HOURS_BY_KEY,
    HOURS_BY_MODEL,
    Grain,
)
from adapters.persistence.usage_queries.roll_ups import RollUp, cells_of, days_of, roll_up_of
from adapters.persistence.usage_queries.sources import (
    ANSWERED,
    COLUMN_OF,
    Source,
    by_tags,
    groups_of,
    of_attempts,
    of_grain,
    of_requests,
    of_whole_requests,
    tagged,
    wanted_of,
)
from adapters.persistence.usage_queries.spans import Spans
from domain.prices import UNPRICED
from domain.usage import TOKEN_COUNTS
from domain.usage_periods import DAY, Cut
from domain.usage_queries import DRIFT_PERCENT, UsageQuery

Part = Select[*tuple[object, ...]]

KEPT_STATEMENTS = 32
"""To put one together takes the event loop longer than to answer a small question with it, and people who page ask the
same again and again."""

NOT_TOLD = ("", *UNPRICED)
"""`cost_missing` of calls that are exact, and of those of models without any price."""

_INEXACT: ColumnElement[bool] = literal_column("requests.inexact")
"""Of a request that has such a call; as its index has it, to the letter."""


@lru_cache(maxsize=KEPT_STATEMENTS)
def statement(query: UsageQuery, limit: int, *, lateral: bool) -> Part:
    """Rows of at most `limit` groups: the day or hour as its `time_number` where one is asked for, what else `group_by`
    names, and then the sums.

    `lateral` is for Postgres, which is lost without it; SQLite has none. It is one statement so that all of it is as
    of one moment, whatever the isolation of the transaction.
    """
    if _of_requests_alone(query):
        if (roll_up := roll_up_of(query)) is not None and (cut := query.cut(nearest_days=True)).days:
            return _statement_of_roll_up(query, roll_up, cut, limit, lateral=lateral)
        return statement_of_requests(query, limit, lateral=lateral)
    of_days, of_hours = _cheapest(_needed(query))
    cut = query.cut(nearest_days=of_hours is HOURS)
    spans = Spans(arrays=lateral)
    days, hours, edges = spans.table("days", cut.days), spans.table("hours", cut.hours), spans.table("edges", cut.edges)
    summed = _lateral if lateral else _joined
    parts = [
        summed(query, of_grain(of_days), days),
        summed(query, of_grain(of_hours), hours),
        summed(query, of_requests(), edges),
        summed(query, of_attempts(bare=lateral), edges),
    ]
    return _together(query, parts, spans, limit)


def statement_of_requests(query: UsageQuery, limit: int, *, lateral: bool) -> Part:
    """The same from the requests alone: each of the time is read, and its attempts where they may have gone to
    different places that are told apart.
    """
    spans = Spans(arrays=lateral)
    times = spans.table("times", query.stretches())
    summed = _lateral if lateral else _joined
    return _together(query, [summed(query, each, times) for each in _single(query, arrays=lateral)], spans, limit)


def _statement_of_roll_up(query: UsageQuery, roll_up: RollUp, cut: Cut, limit: int, *, lateral: bool) -> Part:
    """The same of one attribute of the requests: from its roll-up of those days that have one which is true, and from
    the requests of the others, and of what is no whole day.
    """
    spans = Spans(arrays=lateral)
    days, rest = spans.table("days", cut.days), spans.table("rest", (*cut.hours, *cut.edges))
    summed_up, others = days_of(roll_up, days)
    summed = _lateral if lateral else _joined
    parts = [summed(query, cells_of(roll_up), summed_up)]
    parts += [summed(query, each, times) for each in _single(query, arrays=lateral) for times in (others, rest)]
    return _together(query, parts, spans, limit)


def _single(query: UsageQuery, *, arrays: bool) -> list[Source]:
    apart = _needed(query) & {"provider_id", "model"}
    sources = [of_requests(), of_attempts(bare=arrays)] if apart else [of_whole_requests()]
    return [tagged(source, arrays=arrays) for source in sources] if by_tags(query) else sources


def _together(query: UsageQuery, parts: Sequence[Part], spans: Spans, limit: int) -> Part:
    together, counted = union_all(*parts).subquery("together"), spans.counted()
    times = [counted.c.day] if query.by_time else []
    groups = [*times, *(together.c[name] for name in query.named)]
    sums = [_whole(func.coalesce(func.sum(together.c[name] * counted.c.sign), 0)) for name in ANSWERED]
    rows = together.join(counted, together.c.number == counted.c.number)
    anything = or_(*(each != 0 for each in sums))
    return select(*groups, *sums).select_from(rows).group_by(*groups).having(anything).limit(limit)


def count_of_cells(query: UsageQuery, limit: int) -> Select[int] | None:
    """How many groups there are by days of UTC, up to `limit`: told soon, where the answer itself may take long.

    None where it is not: without days, by hardly more than them, or where a coarser grain than the finest serves.
    """
    by_much = query.by_time and len(query.named) > 1
    if not by_much or _of_requests_alone(query) or not query.cut().hours or _cheapest(_needed(query))[1] is not HOURS:
        return None
    source = of_grain(DAYS)
    groups = [source.columns[COLUMN_OF[name]] for name in query.named]
    wanted = [*wanted_of(query, source), source.at >= query.start, source.at <= query.end - DAY]
    cells = select(source.at, *groups).where(*wanted).distinct().limit(limit).subquery("cells")
    return select(func.count()).select_from(cells)


def unpriced(query: UsageQuery, limit: int, *, arrays: bool) -> Part:
    """Calls that used something without a price, newest first: when, the names, and what `query.named` tells apart.

    Those of models without any price are left out: there may be as many as there are calls.
    """
    source = of_attempts(bare=True)
    if not arrays:  # SQLite would take the index by tenant, and look through all that a tenant ever asked
        tenant: ColumnElement[str] = literal_column("+requests.tenant_id", String)
        source = source._replace(columns={**source.columns, "tenant_id": tenant})
    if by_tags(query):
        source = tagged(source, arrays=arrays)
    names = AttemptRow.__table__.c.cost_missing
    groups = [source.columns[COLUMN_OF[name]] for name in query.named]
    wanted = [*wanted_of(query, source), source.at >= query.start, source.at < query.end, names.not_in(NOT_TOLD)]
    wanted.append(_INEXACT)
    return (
        select(source.at, names, *groups)
        .select_from(source.rows)
        .where(*wanted)
        .order_by(source.at.desc())
        .limit(limit)
    )


def drift(query: UsageQuery, limit: int) -> Part:
    """The columns of `CostDrift`, by model: of calls that have both costs."""
    source, table = of_attempts(bare=True), AttemptRow.__table__
    reported, computed = table.c.reported_nano_usd, table.c.computed_nano_usd
    apart = func.sum(case((func.abs(reported - computed) * 100 > reported * DRIFT_PERCENT, 1), else_=0))
    sums = [_whole(each) for each in (func.count(), apart, func.sum(reported), func.sum(computed))]
    within = (source.at >= query.start, source.at < query.end, reported.is_not(None), computed.is_not(None))
    model = (source.columns["provider_id"], source.columns["model"])
    rows = select(*model, *sums).select_from(source.rows).where(*wanted_of(query, source), *within).group_by(*model)
    return rows.having(apart > 0).order_by(func.abs(sums[2] - sums[3]).desc(), *model).limit(limit)


def priced(query: UsageQuery, limit: int, *, arrays: bool) -> Part:
    """The columns of `PricedCalls`, its token counts last: of calls that have a cost."""
    source, table = of_attempts(bare=True), AttemptRow.__table__
    if by_tags(query):
        source = tagged(source, arrays=arrays)
    cost, reported = table.c.cost_nano_usd, case((table.c.reported_nano_usd.is_not(None), 1), else_=0)
    groups = [source.columns["provider_id"], source.columns["model"], func.coalesce(table.c.price_id, ""), reported]
    sums = [func.count(), func.sum(cost), *(func.sum(table.c[name]) for name in TOKEN_COUNTS)]
    wanted = [*wanted_of(query, source), source.at >= query.start, source.at < query.end, cost.is_not(None)]
    named = [group.label(f"group_{place}") for place, group in enumerate(groups)]
    rows = select(*named, *map(_whole, sums)).select_from(source.rows).where(*wanted)
    return rows.group_by(*groups).limit(limit)


def _needed(query: UsageQuery) -> set[str]:
    """The columns that the question tells apart or filters by."""
    filtered = {name for name in query.filter.__struct_fields__ if getattr(query.filter, name) is not None}
    return filtered | {COLUMN_OF[name] for name in query.named}


def _of_requests_alone(query: UsageQuery) -> bool:
    """Whether it asks for what no roll-up tells apart."""
    return not _needed(query) <= set(HOURS.groups)


def _cheapest(needed: set[str]) -> tuple[Grain, Grain]:
    """The coarsest tables, of days and of hours, that can tell apart what must be told apart."""
    coarse = ((DAYS_BY_MODEL, HOURS_BY_MODEL), (DAYS_BY_KEY, HOURS_BY_KEY))
    return next((grains for grains in coarse if needed <= set(grains[1].groups)), (DAYS, HOURS))


def _joined(query: UsageQuery, source: Source, spans: CTE) -> Part:
    """The sums of one source over some spans, by group: SQLite goes from each span to its rows by itself."""
    named = [spans.c.number, *groups_of(query, source)]
    rows = spans.join(source.rows, within(source, spans))
    return select(*named, *_totals(source)).select_from(rows).where(*wanted_of(query, source)).group_by(*named)


def _lateral(query: UsageQuery, source: Source, spans: CTE) -> Part:
    """The same, span by span: Postgres would compare every row with every span if it were left the choice."""
    groups = groups_of(query, source)
    wanted = (*wanted_of(query, source), within(source, spans))
    each = select(*groups, *_totals(source)).select_from(source.rows).where(*wanted).group_by(*groups).lateral()
    return select(spans.c.number, *each.c).select_from(spans.join(each, true()))


def within(source: Source, spans: CTE) -> ColumnElement[bool]:
    return and_(source.at >= spans.c.starts_at, source.at < spans.c.ends_at)


def _totals(source: Source) -> Sequence[ColumnElement[int]]:
    return [_whole(func.sum(value)).label(name) for name, value in zip(ANSWERED, source.sums, strict=True)]


def _whole(value: ColumnElement[int]) -> ColumnElement[int]:
    """Postgres sums into decimals of any length, which cost more; these fit (`MAX_TOKENS`, `MAX_COST_NANO_USD`)."""
    return cast(value, BigInteger)
