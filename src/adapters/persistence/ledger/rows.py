"""Settled requests as rows of the ledger's tables, in the order of the columns."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from adapters.persistence.ledger.packing import packed
from adapters.persistence.usage_queries.grains import is_estimated, is_inexact, is_unpriced, went_to
from domain.attribution import Attribution
from domain.records import AttemptRecord, RequestRecord, distinct
from domain.usage import TOKEN_COUNTS, BillingFacts, TokenUsage

USED = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "cost_nano_usd",
)
"""What a request's row has of its attempts, added up."""

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
    "inexact",
    "latency_ms",
    "ttft_ms",
    "charges",
    "refused_by",
    "user_id",
    "tags",
    "end_user",
    "session",
    "device",
    "would_refuse",
    *USED,
    "route",
    "holdout",
    "savings_nano_usd",
)

TOKEN_COLUMNS = TOKEN_COUNTS

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
    "computed_nano_usd",
    "reported_nano_usd",
    "cost_missing",
    "billing",
)

MAX_NAME = 256
MAX_MESSAGE = 1000
MAX_TOKENS = 10**9
MAX_COST_NANO_USD = 10**15
"""A million USD. Together with the tokens' it keeps every sum within 64 bits, whatever a provider reports."""

Value = str | bytes | int | float | bool | datetime | None
RowValues = tuple[Value, ...]

_encode = msgspec.json.Encoder().encode
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
        is_inexact(record),
        record.latency_ms,
        record.ttft_ms,
        msgspec.json.encode(record.charges).decode() if record.charges else None,
        record.refused_by,
        *_attributed(record.attribution),
        _encode(record.would_refuse).decode() if record.would_refuse else None,
        *used(record),
        record.route,
        record.holdout,
        record.savings_nano_usd,
    )


DECISION_COLUMNS = ("request_id", "decision_id", "body")


def decision_rows(records: Iterable[RequestRecord]) -> list[RowValues]:
    """Of those requests that have a decision."""
    return [
        (record.request_id, record.decision_id, packed(record.decision))
        for record in records
        if record.decision is not None
    ]


def used(record: RequestRecord) -> tuple[int, ...]:
    """The tokens and the cost of all attempts, in the order of `USED`."""
    totals = [0] * len(USED)
    for attempt in record.attempts:
        usage = attempt.usage
        if usage is not None:
            totals[0] += usage.input_tokens
            totals[1] += usage.output_tokens
            totals[2] += usage.cache_read_tokens
            totals[3] += usage.cache_write_tokens
            totals[4] += usage.cache_write_1h_tokens
            totals[5] += usage.reasoning_tokens
        totals[6] += attempt.cost_nano_usd or 0
    return tuple(totals)


def _attributed(attribution: Attribution) -> RowValues:
    """Without tags there is no list: most requests have none."""
    tags = _encode(attribution.tags).decode() if attribution.tags else None
    return attribution.user_id, tags, attribution.end_user, attribution.session, attribution.device


CHARGE_COLUMNS = ("account", "starts_at", "spent_nano_usd")


def charge_rows(records: Iterable[RequestRecord]) -> list[RowValues]:
    """What these requests add to each bucket of each account, in the order of the table's key (R-26)."""
    sums: dict[tuple[str, int], int] = {}
    for record in records:
        for charge in record.charges:
            key = (charge.account, charge.starts_at)
            sums[key] = sums.get(key, 0) + charge.nano_usd
    return [(*key, sums[key]) for key in sorted(sums)]


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
            *(_NO_TOKENS if attempt.usage is None else attempt.usage.counts()),
            attempt.price_id,
            attempt.cost_nano_usd,
            attempt.computed_nano_usd,
            attempt.reported_nano_usd,
            ",".join(attempt.cost_missing),
            _billing(attempt.usage),
        )
        for number, attempt in enumerate(record.attempts, 1)
    ]


def _billing(usage: TokenUsage | None) -> str | None:
    return None if usage is None or usage.billing is None else _encode(usage.billing).decode()


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
        and (usage is None or max(usage.counts()) <= MAX_TOKENS)
        and (attempt.cost_nano_usd or 0) <= MAX_COST_NANO_USD
        and (attempt.computed_nano_usd or 0) <= MAX_COST_NANO_USD
        and (usage is None or usage.billing is None or _billing_fits(usage.billing))
    )


def _cut_attempt(attempt: AttemptRecord) -> AttemptRecord:
    usage, cost, computed = attempt.usage, attempt.cost_nano_usd, attempt.computed_nano_usd
    return msgspec.structs.replace(
        attempt,
        model=_cut(attempt.model),
        message=_cut(attempt.message, MAX_MESSAGE),
        usage=usage and _cut_usage(usage),
        cost_nano_usd=cost and min(cost, MAX_COST_NANO_USD),
        computed_nano_usd=computed and min(computed, MAX_COST_NANO_USD),
    )


def _cut_usage(usage: TokenUsage) -> TokenUsage:
    counts = zip(TOKEN_COLUMNS, usage.counts(), strict=True)
    billing = usage.billing
    if billing is not None and not _billing_fits(billing):
        reported = billing.cost_nano_usd
        billing = BillingFacts(cost_nano_usd=reported and max(0, min(reported, MAX_COST_NANO_USD)))
    cut = {name: min(tokens, MAX_TOKENS) for name, tokens in counts}
    return msgspec.structs.replace(usage, billing=billing, **cut)


def _billing_fits(billing: BillingFacts) -> bool:
    written = _encode(billing)
    numbers = [*billing.counts.values(), *billing.units.values(), billing.cost_nano_usd or 0]
    fits = len(written) <= MAX_MESSAGE and b"\\u0000" not in written
    return fits and all(0 <= number <= MAX_COST_NANO_USD for number in numbers)


def _cut(name: str, limit: int = MAX_NAME) -> str:
    return name.replace("\0", "\ufffd")[:limit]
