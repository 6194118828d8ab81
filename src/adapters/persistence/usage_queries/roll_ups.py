"""Sums of whole UTC days by one attribute of the requests, which no table of sums tells apart: what they hold, and for
which days they are true.

They are made after the fact, a day at a time (`rolling.py`), so that writing a request costs nothing for them. Each
write of requests raises the version of their day; a roll-up is true as long as its day has the version it was made of.
What is not true, or was never made, is read from the requests.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import CTE, and_, select

from adapters.persistence.tables import UsageDayVersionRow, UsageRolledDayRow, UsageRollUpRow
from adapters.persistence.usage_queries.sources import ANSWERED, COLUMN_OF, Source
from domain.usage_queries import Grouping, UsageQuery

ATTRIBUTES: tuple[Grouping, ...] = ("user", "endpoint", "end_user", "session", "device", "tag")

BREAKDOWNS: Mapping[str, tuple[Grouping, ...]] = {
    "tenant": ("tenant",),
    "model": ("tenant", "provider", "model", "task"),
    "key": ("tenant", "key"),
}
"""What each roll-up tells apart besides its attribute, the coarsest first."""

_BY_INDEX = ("end_user", "session")
"""One of these has few requests, which its index finds sooner than the days' sums are looked through."""


class RollUp(NamedTuple):
    """Sums by an attribute, and by what `breakdown` names."""

    attribute: Grouping
    breakdown: str

    @property
    def groups(self) -> tuple[Grouping, ...]:
        return (self.attribute, *BREAKDOWNS[self.breakdown])


ROLL_UPS = tuple(RollUp(attribute, breakdown) for attribute in ATTRIBUTES for breakdown in BREAKDOWNS)


def roll_up_of(query: UsageQuery) -> RollUp | None:
    """The coarsest that answers; None where more than one attribute is asked for, or an index does better."""
    filtered = {name for name in query.filter.__struct_fields__ if getattr(query.filter, name) is not None}
    if not filtered.isdisjoint(_BY_INDEX):
        return None
    needed = filtered | {COLUMN_OF[name] for name in query.named}
    for roll_up in ROLL_UPS:
        if COLUMN_OF[roll_up.attribute] in needed and needed <= {COLUMN_OF[name] for name in roll_up.groups}:
            return roll_up
    return None


def cells_of(roll_up: RollUp) -> Source:
    """Its rows, of all days; those that are not true as well."""
    table = UsageRollUpRow.__table__
    columns = {COLUMN_OF[name]: table.c[COLUMN_OF[name]] for name in BREAKDOWNS[roll_up.breakdown]}
    columns[COLUMN_OF[roll_up.attribute]] = table.c.value
    its_own = (table.c.attribute == roll_up.attribute, table.c.breakdown == roll_up.breakdown)
    return Source(table, table.c.starts_at, columns, [table.c[name] for name in ANSWERED], conditions=its_own)


def days_of(roll_up: RollUp, spans: CTE) -> tuple[CTE, CTE]:
    """The days of some spans whose roll-up is true, and those with requests and without: spans with their numbers."""
    day, rolled = UsageDayVersionRow.__table__, UsageRolledDayRow.__table__
    is_true = (
        select(rolled.c.starts_at)
        .where(
            rolled.c.attribute == roll_up.attribute,
            rolled.c.breakdown == roll_up.breakdown,
            rolled.c.starts_at == day.c.starts_at,
            rolled.c.version == day.c.version,
            rolled.c.kept,
        )
        .exists()
    )
    of_spans = and_(day.c.starts_at >= spans.c.starts_at, day.c.starts_at < spans.c.ends_at)
    found = select(spans.c.number, day.c.starts_at, day.c.ends_at).select_from(spans.join(day, of_spans))
    true_days, others = found.where(is_true).cte("rolled_up"), found.where(~is_true).cte("not_rolled_up")
    return true_days.prefix_with("MATERIALIZED"), others.prefix_with("MATERIALIZED")
