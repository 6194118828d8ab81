"""How long requests took, as percentiles by group: exactly, or of a sample where there are very many.

The database gives the measured values of each group as one list, which is sorted here: ranking them there takes several
times as long, and once more for the other measure and for the whole.
"""

from collections.abc import Mapping, Sequence
from itertools import chain

import msgspec
from sqlalchemy import ColumnElement, Row, Select, and_, func, literal_column, select, true

from adapters.persistence.tables import RequestRow
from adapters.persistence.usage_queries.sources import groups_of, requests_of, wanted_of
from adapters.persistence.usage_queries.spans import Spans, time_number
from adapters.persistence.usage_queries.sums import within
from domain.ports.usage import Sample
from domain.usage_queries import PERCENTILES, Percentiles, UsageQuery

MEASURES = ("latency_ms", "ttft_ms")

Measured = Mapping[str, list[float]]
"""By measure the values of a group, sorted; what was never measured is not there."""

_SAMPLES: dict[bool, dict[Sample, str]] = {
    True: {16: "right(requests.decision_id, 1) = '0'", 256: "right(requests.decision_id, 2) = '00'"},
    False: {16: "substr(requests.decision_id, -1) = '0'", 256: "substr(requests.decision_id, -2) = '00'"},
}
"""By the database, whether it is Postgres; the first as the index of samples has it, to the letter."""

_decode = msgspec.json.Decoder(list[float]).decode


def values(query: UsageQuery, one_in: Sample, *, arrays: bool) -> Select[*tuple[object, ...]]:
    """For each group its stretch of time by number, what `query.named` tells apart, and a list for each measure.

    The lists are Postgres' `arrays`, and JSON on SQLite.
    """
    spans = Spans(arrays=arrays)
    times = spans.table("times", query.stretches())
    source, table = requests_of(query, arrays=arrays), RequestRow.__table__
    groups = groups_of(query, source)
    wanted = [*wanted_of(query, source), table.c.refused_by == "", *_sampled(one_in, postgres=arrays)]
    listed = func.array_agg if arrays else func.json_group_array
    lists = [listed(table.c[name]).filter(table.c[name].is_not(None)).label(name) for name in MEASURES]
    if not arrays:
        rows = times.join(source.rows, within(source, times))
        by = [times.c.number, *groups]
        return select(*by, *lists).select_from(rows).where(*wanted).group_by(*by)
    each = select(*groups, *lists).select_from(source.rows).where(*wanted, within(source, times))
    per_span = (each.group_by(*groups) if groups else each).lateral("each")
    return select(times.c.number, *per_span.c).select_from(times.join(per_span, true()))


def measured_of(found: Sequence[Row[*tuple[object, ...]]], query: UsageQuery) -> dict[tuple[object, ...], Measured]:
    """By group, as rows of sums begin: with the number of the day or the hour where one is asked for."""
    days = [time_number(stretch.day) for stretch in query.stretches()]
    measured: dict[tuple[object, ...], Measured] = {}
    for number, *rest in found:
        group, lists = rest[: len(query.named)], rest[len(query.named) :]
        times = (days[int(str(number))],) if query.by_time else ()
        of_group = {name: sorted(_list(each)) for name, each in zip(MEASURES, lists, strict=True)}
        if any(of_group.values()):
            measured[*times, *group] = {name: each for name, each in of_group.items() if each}
    return measured


def together(groups: Sequence[Measured]) -> Measured:
    """All values of some groups."""
    return {
        name: sorted(chain.from_iterable(group.get(name, ()) for group in groups))
        for name in MEASURES
        if any(name in group for group in groups)
    }


def percentiles_of(measured: Measured) -> dict[str, Percentiles]:
    """By measure, nearest rank: each is a value that was measured."""
    return {
        name: Percentiles(*(ordered[(len(ordered) * percent + 99) // 100 - 1] for percent in PERCENTILES))
        for name, ordered in measured.items()
    }


def _list(values_: object) -> list[float]:
    if isinstance(values_, str):
        return _decode(values_)
    return values_ if isinstance(values_, list) else []


def _sampled(one_in: Sample, *, postgres: bool) -> list[ColumnElement[bool]]:
    samples = _SAMPLES[postgres]
    return [and_(*(literal_column(samples[size]) for size in (16, 256) if size <= one_in))] if one_in > 1 else []
