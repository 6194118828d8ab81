"""What usage is summed from: the tables of sums, the requests and their attempts, each in the same shape."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, FromClause, Integer, and_, case, func, literal, literal_column, select, true

from adapters.persistence.tables import AttemptRow, RequestRow
from adapters.persistence.usage_queries.grains import Grain
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
    "inexact_requests",
    "failed_requests",
    "refused_requests",
    "savings_nano_usd",
)
"""The sums of an answer, in the order of `UsageSums`."""

COLUMN_OF = {
    "model": "model",
    "provider": "provider_id",
    "key": "key_id",
    "task": "task",
    "tenant": "tenant_id",
    "user": "user_id",
    "endpoint": "endpoint",
    "end_user": "end_user",
    "session": "session",
    "device": "device",
    "route": "route",
    "tag": "tag",
}


THERE: Mapping[str, ColumnElement[bool]] = {
    "user_id": literal_column("requests.user_id IS NOT NULL"),
    "end_user": literal_column("requests.end_user <> ''"),
    "session": literal_column("requests.session <> ''"),
    "route": literal_column("requests.route <> ''"),
}
"""What the indexes of requests by these columns hold, to the letter: else no database takes them."""


class Source(NamedTuple):
    """Rows to sum: when each was, what it is told apart by, and its part of each of `ANSWERED`. Of the rows are those
    meant that fulfil `conditions`.
    """

    rows: FromClause
    at: ColumnElement[datetime]
    columns: Mapping[str, ColumnElement[str]]
    sums: Sequence[ColumnElement[int]]
    of_requests: bool = False
    conditions: tuple[ColumnElement[bool], ...] = ()


def of_grain(grain: Grain) -> Source:
    table = grain.row.__table__
    columns = {group: table.c[group] for group in grain.groups}
    failed = table.c.errors - table.c.refused_requests - table.c.cancelled_requests
    sums = [failed if name == "failed_requests" else table.c[name] for name in ANSWERED]
    return Source(table, table.c.starts_at, columns, sums)


def of_requests() -> Source:
    """Each where its last attempt went; its tokens and cost are its attempts'."""
    table = RequestRow.__table__
    columns = _whose() | {
        "provider_id": func.coalesce(table.c.provider_id, ""),
        "model": func.coalesce(table.c.model, ""),
    }
    counted = [literal(1, Integer), *[literal(0, Integer)] * 7, *_flags()]
    return Source(table, table.c.created_at, columns, counted, of_requests=True)


def of_whole_requests() -> Source:
    """Each with the tokens and the cost of all its attempts, wherever they went."""
    table, attempts = RequestRow.__table__, AttemptRow.__table__
    used = [
        func.coalesce(
            table.c[name],
            select(func.coalesce(func.sum(attempts.c[name]), 0))
            .where(attempts.c.request_id == table.c.id)
            .scalar_subquery(),
        )
        for name in ANSWERED[1:8]
    ]
    return Source(table, table.c.created_at, _whose(), [literal(1, Integer), *used, *_flags()], of_requests=True)


def _flags() -> list[ColumnElement[int]]:
    """What a request counts for, from `estimated_requests` on."""
    table = RequestRow.__table__
    refused = table.c.refused_by != ""
    failed = and_(table.c.outcome.not_in(("ok", "client_cancelled")), ~refused)
    flags = (table.c.estimated, table.c.unpriced, table.c.inexact, failed, refused)
    return [*(case((flag, 1), else_=0) for flag in flags), func.coalesce(table.c.savings_nano_usd, 0)]


def of_attempts(*, bare: bool) -> Source:
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
    sums = [nothing, *tokens, func.coalesce(table.c.cost_nano_usd, 0), *[nothing] * 6]
    by_time = requests.c.task >= ""  # true; no index holds it, so Postgres finds the requests by their time alone
    joined = requests.join(table, and_(table.c.request_id == requests.c.id, by_time))
    return Source(joined, requests.c.created_at, columns, sums, of_requests=True)


def _whose() -> dict[str, ColumnElement[str]]:
    table = RequestRow.__table__
    return {
        "tenant_id": table.c.tenant_id,
        "key_id": func.coalesce(table.c.key_id, ""),
        "task": table.c.task,
        "user_id": func.coalesce(table.c.user_id, ""),
        **{name: table.c[name] for name in ("endpoint", "end_user", "session", "device", "route")},
    }


def tagged(source: Source, *, arrays: bool) -> Source:
    """The same once for each tag of a request, and once without where it has none. `arrays` are Postgres'."""
    tags = RequestRow.__table__.c.tags
    if arrays:
        each = func.jsonb_array_elements_text(tags).table_valued("value", name="tags_of").render_derived()
    else:
        each = func.json_each(tags).table_valued("value", name="tags_of")
    columns = {**source.columns, "tag": func.coalesce(each.c.value, "")}
    return source._replace(rows=source.rows.outerjoin(each, true()), columns=columns)


def requests_of(query: UsageQuery, *, arrays: bool) -> Source:
    """Each request, or each once for each of its tags where they are asked for. `arrays` are Postgres'."""
    return tagged(of_requests(), arrays=arrays) if by_tags(query) else of_requests()


def groups_of(query: UsageQuery, source: Source) -> list[ColumnElement[str]]:
    return [source.columns[COLUMN_OF[name]].label(name) for name in query.named]


def wanted_of(query: UsageQuery, source: Source) -> list[ColumnElement[bool]]:
    """The filters of the question and the conditions of the source, as its indexes can be used for them."""
    wanted = list(source.conditions)
    for name in query.filter.__struct_fields__:
        value = getattr(query.filter, name)
        if value is None:
            continue
        if value and name in THERE and source.of_requests:
            wanted += [RequestRow.__table__.c[name] == value, THERE[name]]
        else:
            wanted.append(source.columns[name] == value)
    return wanted


def by_tags(query: UsageQuery) -> bool:
    return "tag" in query.group_by or query.filter.tag is not None
