"""How the costs of requests by routes spread, held out and not: what the interval of savings is made of."""

from typing import Final

from sqlalchemy import Float, Select, cast, func, select

from adapters.persistence.tables import RequestRow
from adapters.persistence.usage_queries.sources import THERE, requests_of, wanted_of
from domain.usage_queries import UsageQuery

_NANO: Final = 1e9


def spreads(query: UsageQuery, *, arrays: bool) -> Select[*tuple[object, ...]]:
    """The columns of `CostSpread`. `arrays` are Postgres'."""
    source, table = requests_of(query, arrays=arrays), RequestRow.__table__
    cost = cast(func.coalesce(table.c.cost_nano_usd, 0), Float) / _NANO
    saved = cast(func.coalesce(table.c.savings_nano_usd, 0), Float) / _NANO
    wanted = [*wanted_of(query, source), source.at >= query.start, source.at < query.end, THERE["route"]]
    groups = (table.c.route, table.c.holdout)
    sums = (func.count(), func.sum(cost), func.sum(cost * cost), func.sum(saved))
    return select(*groups, *sums).select_from(source.rows).where(*wanted).group_by(*groups)
