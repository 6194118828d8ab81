"""Settled requests as rows of the ledger's tables, in the order of the columns."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from adapters.persistence.usage_queries.grains import is_estimated, is_unpriced, went_to
from domain.records import AttemptRecord, RequestRecord, distinct
from domain.usage import TokenUsage

REQUEST_COLUMNS = (
    "id",
    "decision_id",
    "created_at",
    "tenant_id",
    "key_id",
    "endpoint",
    "requested_model",
    "provider_id",
    "model",
    "task",
    "status",
    "outcome",
    "error_code",
    "stream",
    "estimated",
    "unpriced",
    "latency_ms",
    "ttft_ms",
)

TOKEN_COLUMNS = TokenUsage.__struct_fields__

ATTEMPT_COLUMNS = (
    "request_id",
    "number",
    "provider_id",
    "key_id",
    "model",
    "outcome",
    "status",
    "duration_ms",
    "message",
    "usage_source",
    *TOKEN_COLUMNS,
    "price_id",
    "cost_nano_usd",
)

MAX_NAME = 256
MAX_MESSAGE = 1000
MAX_TOKENS = 10**9
MAX_COST_NANO_USD = 10**15
"""A million USD. Together with the tokens' it keeps every sum within 64 bits, whatever a provider reports."""

Value = str | int | float | bool | datetime | None
RowValues = tuple[Value, ...]

_NO_TOKENS = (0,) * len(TOKEN_COLUMNS)


def request_row(record: RequestRecord, created_at: datetime | str) -> RowValues:
    """With its moment as the database takes it."""
    provider_id, model = went_to(record)
    return (
        record.request_id,
        record.decision_id,
        created_at,
        record.tenant_id,
        record.key_id,
        record.endpoint,
        record.requested_model,
        provider_id,
        model,
        record.task,
        record.status,
        record.outcome,
        record.error_code,
        record.stream,
        is_estimated(record),
        is_unpriced(record),
        record.latency_ms,
        record.ttft_ms,
    )


def attempt_rows(record: RequestRecord) -> list[RowValues]:
    return [
        (
            record.request_id,
            number,
            attempt.provider_id,
            attempt.key_id,
            attempt.model,
            attempt.outcome,
            attempt.status,
            attempt.duration_ms,
            attempt.message,
            attempt.usage_source,
            *(_NO_TOKENS if attempt.usage is None else msgspec.structs.astuple(attempt.usage)),
            attempt.price_id,
            attempt.cost_nano_usd,
        )
        for number, attempt in enumerate(record.attempts, 1)
    ]


def sort_out(
    records: Iterable[RequestRecord], known: dict[str, str]
) -> tuple[dict[str, RequestRecord], list[RequestRecord]]:
    """What is new, by id and as it can be stored; and what has an id that another request has, by another one.

    `known` has the decisions of ids that are taken, and learns the new ones.
    """
    new: dict[str, RequestRecord] = {}
    clashing: list[RequestRecord] = []
    for record in records:
        taken_by = known.get(record.request_id)
        if taken_by is None:
            known[record.request_id] = record.decision_id
            new[record.request_id] = storable(record)
        elif taken_by != record.decision_id:
            clashing.append(distinct(record))
    return new, clashing


def storable(record: RequestRecord) -> RequestRecord:
    """The record itself, unless a client or a provider wrote something into it that a column cannot hold.

    One such value would otherwise stop everything behind it for ever.
    """
    if _fits(record):
        return record
    return msgspec.structs.replace(
        record,
        requested_model=_cut(record.requested_model),
        model=_cut(record.model) if record.model is not None else None,
        error_code=_cut(record.error_code) if record.error_code is not None else None,
        attempts=tuple(attempt if _attempt_fits(attempt) else _cut_attempt(attempt) for attempt in record.attempts),
    )


def _fits(record: RequestRecord) -> bool:
    for attempt in record.attempts:
        if not _attempt_fits(attempt):
            return False
    return _name_fits(record.requested_model) and _name_fits(record.model) and _name_fits(record.error_code)


def _name_fits(name: str | None) -> bool:
    return name is None or (len(name) <= MAX_NAME and "\0" not in name)


def _attempt_fits(attempt: AttemptRecord) -> bool:
    message, usage = attempt.message, attempt.usage
    return (
        _name_fits(attempt.model)
        and (not message or (len(message) <= MAX_MESSAGE and "\0" not in message))
        and (usage is None or max(msgspec.structs.astuple(usage)) <= MAX_TOKENS)
        and (attempt.cost_nano_usd or 0) <= MAX_COST_NANO_USD
    )


def _cut_attempt(attempt: AttemptRecord) -> AttemptRecord:
    usage, cost = attempt.usage, attempt.cost_nano_usd
    return msgspec.structs.replace(
        attempt,
        model=_cut(attempt.model),
        message=_cut(attempt.message, MAX_MESSAGE),
        usage=usage and TokenUsage(*(min(tokens, MAX_TOKENS) for tokens in msgspec.structs.astuple(usage))),
        cost_nano_usd=cost and min(cost, MAX_COST_NANO_USD),
    )


def _cut(name: str, limit: int = MAX_NAME) -> str:
    return name.replace("\0", "\ufffd")[:limit]
