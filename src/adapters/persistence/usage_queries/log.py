"""Single requests out of their tables, newest first."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Select, and_, literal_column, or_, select

from adapters.persistence.tables import AttemptRow, RequestRow
from domain.records import AttemptRecord, RequestRecord
from domain.usage import TokenUsage
from domain.usage_queries import LogPlace, RequestFilter

_NOT_OK: ColumnElement[bool] = literal_column("requests.outcome <> 'ok'")
"""As the index of failures has it, to the letter: with a parameter or a type in it, SQLite could not tell."""

_INDEXED = ("key_id", "model", "provider_id", "tenant_id")
"""What has an index of its own: first the one whose index tells most of the others."""


def page_of(filter_: RequestFilter, limit: int, after: LogPlace | None, *, steered: bool = False) -> Select[RequestRow]:
    """The requests that match, in the order of the indexes; whatever is filtered by, one of them serves.

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
        for name in (*_INDEXED, "outcome", "status")
        if name in given
    ]
    if not_ok:
        wanted.append(_NOT_OK)
    if filter_.start is not None:
        wanted.append(row.created_at >= filter_.start)
    if filter_.end is not None:
        wanted.append(row.created_at < filter_.end)
    if after is not None:
        same_moment = and_(row.created_at == after.created_at, row.id < after.request_id)
        wanted += row.created_at <= after.created_at, or_(row.created_at < after.created_at, same_moment)
    return select(row).where(*wanted).order_by(row.created_at.desc(), row.id.desc()).limit(limit)


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
    )


def _attempt(row: AttemptRow) -> AttemptRecord:
    usage = TokenUsage(
        row.input_tokens,
        row.output_tokens,
        row.cache_read_tokens,
        row.cache_write_tokens,
        row.reasoning_tokens,
        row.audio_input_tokens,
        row.audio_output_tokens,
        row.image_tokens,
        row.cache_write_1h_tokens,
    )
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
    )
