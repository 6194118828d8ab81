"""Single requests out of their tables, newest first."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, literal, literal_column, or_, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from adapters.persistence.tables import AttemptRow, RequestRow
from domain.attribution import Attribution
from domain.records import AttemptRecord, Charge, RequestRecord
from domain.usage import TOKEN_COUNTS, BillingFacts, TokenUsage
from domain.usage_queries import LogCursor, RequestFilter

_decode_billing = msgspec.json.Decoder(BillingFacts).decode

_NOT_OK: ColumnElement[bool] = literal_column("requests.outcome <> 'ok'")
"""As the index of failures has it, to the letter: with a parameter or a type in it, SQLite could not tell."""

_THERE: Mapping[str, ColumnElement[bool]] = {
    "user_id": literal_column("requests.user_id IS NOT NULL"),
    "end_user": literal_column("requests.end_user <> ''"),
    "session": literal_column("requests.session <> ''"),
    "route": literal_column("requests.route <> ''"),
}
"""As their indexes have it, to the letter."""

_INDEXED = ("session", "end_user", "user_id", "key_id", "route", "model", "provider_id", "tenant_id")
"""What has an index of its own: first the one whose index tells most of the others."""


_PLAIN = ("outcome", "status", "endpoint", "device", "task", "error_code", "requested_model", "stream")
"""What has no index of its own, or only the ends of one, and is compared as it is."""


def page_of(filter_: RequestFilter, limit: int, at: LogCursor | None, *, steered: bool = False) -> Select[RequestRow]:
    """The requests that match, newest first, or oldest first where `at` asks for newer ones; in the order of the
    indexes, so that whatever is filtered by, one of them serves.

    `steered` is for SQLite, which knows nothing of the values and takes any of them: it is shown one alone.
    """
    row = RequestRow
    given = {name: value for name in filter_.__struct_fields__ if (value := getattr(filter_, name)) is not None}
    not_ok = given.get("outcome", "ok") != "ok" or given.get("status", 200) != 200
    index = next((name for name in _INDEXED if name in given), None)
    if index == "tenant_id" and not_ok:
        index = None
    hidden = {name for name in _INDEXED if name != index} if steered else set[str]()
    wanted: list[ColumnElement[bool]] = [
        (_unindexed(name) if name in hidden else getattr(row, name)) == given[name]
        for name in (*_INDEXED, *_PLAIN)
        if name in given
    ]
    if not_ok:
        wanted.append(_NOT_OK)
    if index is not None and index in _THERE and given[index] != "":
        wanted.append(_THERE[index])
    wanted += _of_flags(given, tags_as_json=steered)
    if filter_.start is not None:
        wanted.append(row.created_at >= filter_.start)
    if filter_.end is not None:
        wanted.append(row.created_at < filter_.end)
    order = (row.created_at.desc(), row.id.desc())
    if at is not None and at.newer:
        same_moment = and_(row.created_at == at.created_at, row.id > at.request_id)
        wanted += row.created_at >= at.created_at, or_(row.created_at > at.created_at, same_moment)
        order = (row.created_at.asc(), row.id.asc())
    elif at is not None:
        same_moment = and_(row.created_at == at.created_at, row.id < at.request_id)
        wanted += row.created_at <= at.created_at, or_(row.created_at < at.created_at, same_moment)
    return select(row).where(*wanted).order_by(*order).limit(limit)


def _of_flags(given: Mapping[str, object], *, tags_as_json: bool) -> list[ColumnElement[bool]]:
    """What is no plain value of a column."""
    row = RequestRow
    wanted: list[ColumnElement[bool]] = []
    if "tag" in given:
        if tags_as_json:  # SQLite
            # As the ledger writes it, so that the list of a request without it need not be taken apart.
            wanted.append(func.instr(row.tags, msgspec.json.encode(given["tag"]).decode()) > 0)
            each = func.json_each(row.tags).table_valued("value", name="tags_of")
            wanted.append(select(literal(1)).select_from(each).where(each.c.value == given["tag"]).exists())
        else:
            wanted.append(type_coerce(row.tags, JSONB).contains([given["tag"]]))
    if "refused" in given:
        wanted.append(row.refused_by != "" if given["refused"] else row.refused_by == "")
    wanted += [getattr(row, name).is_(given[name]) for name in ("estimated", "unpriced") if name in given]
    return wanted


def _unindexed(name: str) -> ColumnElement[str]:
    return literal_column(f"+requests.{name}", RequestRow.__table__.c[name].type)


def attempts_of(request_ids: Sequence[str]) -> Select[AttemptRow]:
    return select(AttemptRow).where(AttemptRow.request_id.in_(request_ids)).order_by(AttemptRow.number)


def records_of(requests: Sequence[RequestRow], attempts: Sequence[AttemptRow]) -> list[RequestRecord]:
    """Both put together, in the order of the requests."""
    by_request: Mapping[str, list[AttemptRecord]] = defaultdict(list)
    for attempt in attempts:
        by_request[attempt.request_id].append(_attempt(attempt))
    return [_request(row, tuple(by_request[row.id])) for row in requests]


def _request(row: RequestRow, attempts: tuple[AttemptRecord, ...]) -> RequestRecord:
    """`usage` is that of the last attempt: the row itself keeps none."""
    return RequestRecord(
        request_id=row.id,
        decision_id=row.decision_id,
        created_at=row.created_at,
        tenant_id=row.tenant_id,
        key_id=row.key_id,
        endpoint=row.endpoint,
        requested_model=row.requested_model,
        provider_id=row.provider_id,
        model=row.model,
        status=row.status,
        outcome=row.outcome,
        error_code=row.error_code,
        stream=row.stream,
        attempts=attempts,
        usage=attempts[-1].usage if attempts else None,
        latency_ms=row.latency_ms,
        ttft_ms=row.ttft_ms,
        task=row.task,
        charges=msgspec.convert(row.charges or (), tuple[Charge, ...]),
        refused_by=row.refused_by,
        attribution=Attribution(row.user_id, tuple(row.tags or ()), row.end_user, row.session, row.device),
        would_refuse=tuple(row.would_refuse or ()),
        route=row.route,
        holdout=row.holdout,
        savings_nano_usd=row.savings_nano_usd,
    )


def _attempt(row: AttemptRow) -> AttemptRecord:
    billing = None if row.billing is None else _decode_billing(row.billing)
    usage = TokenUsage.of((getattr(row, count) for count in TOKEN_COUNTS), billing)
    return AttemptRecord(
        number=row.number,
        provider_id=row.provider_id,
        key_id=row.key_id,
        model=row.model,
        outcome=row.outcome,
        status=row.status,
        duration_ms=row.duration_ms,
        usage=None if row.usage_source == "none" else usage,
        message=row.message,
        usage_source=row.usage_source,
        price_id=row.price_id,
        cost_nano_usd=row.cost_nano_usd,
        cost_missing=tuple(row.cost_missing.split(",")) if row.cost_missing else (),
        computed_nano_usd=row.computed_nano_usd,
    )
