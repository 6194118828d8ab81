"""How single requests are answered, to their owners and to admins alike: each with the upstream calls it took."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import cast

import msgspec
from litestar.response import Stream

from application.usage.naming import NamesByKind
from application.usage.request_log import LogPage
from domain.money import usd
from domain.ports.usage import NamedKind
from domain.records import AttemptRecord, Outcome, RequestRecord, UsageSource
from domain.usage import TokenUsage
from entrypoints.http.csv_answer import MEDIA_TYPE, csv_lines


class AttemptEntry(msgspec.Struct, frozen=True):
    """One upstream call. `key_id` is the provider key's, `key_name` its label; `cost_usd` of null is
    unpriced, or nothing was used.

    `cost_usd` is `reported_cost_usd`, the provider's own figure, where it gives one, else `computed_cost_usd`, by the
    price. Where `cost_exact` is false, `cost_missing` names what was used and has no price.
    """

    number: int
    provider: str
    provider_name: str | None
    key_id: str | None
    key_name: str | None
    model: str
    outcome: str
    status: int | None
    duration_ms: float
    message: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    reasoning_tokens: int
    usage_source: UsageSource
    price_id: str | None
    cost_usd: str | None
    cost_exact: bool
    cost_missing: tuple[str, ...]
    computed_cost_usd: str | None
    reported_cost_usd: str | None


class RefusedBy(msgspec.Struct, frozen=True):
    """Whose limit or budget allowed it not, or would not have."""

    kind: str
    id: str


class RequestEntry(msgspec.Struct, frozen=True):
    """One request. Tokens and cost are those of all its attempts; `cost_usd` is null where one of them is unpriced.

    `decision_id` leads to `/admin/decisions/{id}`, and for one's own to `/me/decisions/{id}`. `route` is the alias, or
    `auto`, that it went by; `savings_usd` what that saved, null where it is not known or nothing was decided.
    `status` is what the client got, 499 where it had left. Times are milliseconds. A name is null where its object is
    gone, or never had one.
    """

    id: str
    decision_id: str
    created_at: datetime
    tenant_id: str
    tenant_name: str | None
    key_id: str | None
    key_name: str | None
    endpoint: str
    requested_model: str
    provider: str | None
    provider_name: str | None
    model: str | None
    task: str | None
    status: int
    outcome: Outcome
    error_code: str | None
    refused_by: RefusedBy | None
    would_refuse: tuple[RefusedBy, ...]
    user_id: str | None
    user_name: str | None
    tags: tuple[str, ...]
    end_user: str | None
    session: str | None
    device: str | None
    stream: bool
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    reasoning_tokens: int
    usage_source: UsageSource
    cost_usd: str | None
    cost_exact: bool
    cost_missing: tuple[str, ...]
    latency_ms: float
    ttft_ms: float | None
    route: str | None
    savings_usd: str | None
    attempts: tuple[AttemptEntry, ...]


class RequestPage(msgspec.Struct, frozen=True):
    """Newest first. `next_cursor` leads to older ones, `previous_cursor` as `after` to newer ones, now or later."""

    data: tuple[RequestEntry, ...]
    next_cursor: str | None
    previous_cursor: str | None


_TOKENS = {
    "input_tokens": 746,
    "output_tokens": 212,
    "cache_read_tokens": 0,
    "cache_write_tokens": 0,
    "cache_write_1h_tokens": 0,
    "reasoning_tokens": 64,
}
REQUEST_EXAMPLE: dict[str, object] = {
    "id": "req_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "decision_id": "dec_0198f3c2a1b57aa1b2c3d4e5f6a7b8c9",
    "created_at": "2026-11-21T11:58:00.123456Z",
    "tenant_id": "ten_default",
    "tenant_name": "Default",
    "key_id": "key_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "key_name": "notebook",
    "endpoint": "/v1/chat/completions",
    "requested_model": "gpt-oss-120b",
    "provider": "cerebras",
    "provider_name": "Cerebras",
    "model": "gpt-oss-120b",
    "task": None,
    "status": 200,
    "outcome": "ok",
    "error_code": None,
    "refused_by": None,
    "would_refuse": [],
    "user_id": None,
    "user_name": None,
    "tags": ["team:research"],
    "end_user": "ann",
    "session": None,
    "device": None,
    "stream": False,
    **_TOKENS,
    "usage_source": "provider",
    "cost_usd": "0.0004201",
    "cost_exact": True,
    "cost_missing": [],
    "latency_ms": 812.4,
    "ttft_ms": None,
    "route": None,
    "savings_usd": None,
    "attempts": [
        {
            "number": 1,
            "provider": "cerebras",
            "provider_name": "Cerebras",
            "key_id": "pk_env_cerebras",
            "key_name": "CEREBRAS_API_KEY",
            "model": "gpt-oss-120b",
            "outcome": "ok",
            "status": 200,
            "duration_ms": 810.9,
            "message": "",
            **_TOKENS,
            "usage_source": "provider",
            "price_id": "price_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
            "cost_usd": "0.0004201",
            "cost_exact": True,
            "cost_missing": [],
            "computed_cost_usd": "0.0004201",
            "reported_cost_usd": None,
        }
    ],
}
PAGE_EXAMPLE: dict[str, object] = {
    "data": [REQUEST_EXAMPLE],
    "next_cursor": None,
    "previous_cursor": "2026-11-21T11:58:00.123456Z~req_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
}


LIST_DESCRIPTION = (
    "Newest first, with their attempts, and the names of what has an id. A request is here about a second after its "
    "answer ended; no prompt and no answer is kept. `next_cursor` as `cursor` leads to older ones, `previous_cursor` "
    "as `after` to newer ones: asked again and again, it follows what comes. `format=csv` answers all that match as a "
    "file."
)

COLUMNS = (*(name for name in RequestEntry.__struct_fields__ if name != "attempts"), "attempts")
"""Of the CSV: the fields of the JSON; tags and `cost_missing` with commas between, of the attempts their number."""


async def request_file(pages: AsyncIterator[LogPage]) -> Stream:
    """All pages as one CSV file. What is wrong with the question is an answer of its own, not the end of a file."""
    first = await anext(pages)
    headers = {"content-disposition": 'attachment; filename="requests.csv"'}
    return Stream(_csv(first, pages), media_type=MEDIA_TYPE, headers=headers)


async def _csv(first: LogPage, pages: AsyncIterator[LogPage]) -> AsyncIterator[bytes]:
    yield csv_lines(COLUMNS, map(_line, request_page(first).data))
    async for page in pages:
        yield csv_lines(COLUMNS, map(_line, request_page(page).data), head=False)


def _line(entry: RequestEntry) -> dict[str, object]:
    refused = _subject(entry.refused_by) if entry.refused_by else None
    return cast(dict[str, object], msgspec.structs.asdict(entry)) | {
        "created_at": entry.created_at.isoformat().replace("+00:00", "Z"),
        "refused_by": refused,
        "would_refuse": ",".join(map(_subject, entry.would_refuse)),
        "tags": ",".join(entry.tags),
        "cost_missing": ",".join(entry.cost_missing),
        "attempts": len(entry.attempts),
    }


def _subject(refused: RefusedBy) -> str:
    return f"{refused.kind}:{refused.id}"


def request_page(page: LogPage) -> RequestPage:
    entries = tuple(request_entry(record, page.names) for record in page.data)
    return RequestPage(entries, page.next_cursor, page.previous_cursor)


def request_entry(record: RequestRecord, names: NamesByKind) -> RequestEntry:
    user_id = record.attribution.user_id
    usages = [attempt.usage for attempt in record.attempts if attempt.usage is not None]
    missing = tuple(sorted({name for attempt in record.attempts for name in attempt.cost_missing}))
    return RequestEntry(
        record.request_id,
        record.decision_id,
        record.created_at,
        record.tenant_id,
        _name(names, "tenant", record.tenant_id),
        record.key_id,
        _name(names, "key", record.key_id),
        record.endpoint,
        record.requested_model,
        record.provider_id,
        _name(names, "provider", record.provider_id),
        record.model,
        record.task or None,
        record.status,
        record.outcome,
        record.error_code,
        RefusedBy(*record.refused_by.split(":", 1)) if record.refused_by else None,
        tuple(RefusedBy(*each.split(":", 1)) for each in record.would_refuse),
        user_id,
        _name(names, "user", user_id),
        record.attribution.tags,
        record.attribution.end_user or None,
        record.attribution.session or None,
        record.attribution.device or None,
        record.stream,
        *_tokens(usages),
        _source(record),
        _cost(record),
        not missing,
        missing,
        record.latency_ms,
        record.ttft_ms,
        record.route or None,
        _usd(record.savings_nano_usd),
        tuple(_attempt(attempt, names) for attempt in record.attempts),
    )


def _attempt(attempt: AttemptRecord, names: NamesByKind) -> AttemptEntry:
    return AttemptEntry(
        attempt.number,
        attempt.provider_id,
        _name(names, "provider", attempt.provider_id),
        attempt.key_id,
        _name(names, "provider_key", attempt.key_id),
        attempt.model,
        attempt.outcome,
        attempt.status,
        attempt.duration_ms,
        attempt.message,
        *_tokens([attempt.usage] if attempt.usage is not None else []),
        attempt.usage_source,
        attempt.price_id,
        _usd(attempt.cost_nano_usd),
        not attempt.cost_missing,
        attempt.cost_missing,
        _usd(attempt.computed_nano_usd),
        _usd(attempt.reported_nano_usd),
    )


def _name(names: NamesByKind, kind: NamedKind, id_: str | None) -> str | None:
    return names.get(kind, {}).get(id_ or "")


def _usd(nano_usd: int | None) -> str | None:
    return None if nano_usd is None else usd(nano_usd)


def _tokens(usages: list[TokenUsage]) -> tuple[int, int, int, int, int, int]:
    return (
        sum(usage.input_tokens for usage in usages),
        sum(usage.output_tokens for usage in usages),
        sum(usage.cache_read_tokens for usage in usages),
        sum(usage.cache_write_tokens for usage in usages),
        sum(usage.cache_write_1h_tokens for usage in usages),
        sum(usage.reasoning_tokens for usage in usages),
    )


def _source(record: RequestRecord) -> UsageSource:
    sources = {attempt.usage_source for attempt in record.attempts}
    if "estimated" in sources:
        return "estimated"
    return "provider" if "provider" in sources else "none"


def _cost(record: RequestRecord) -> str | None:
    costs = [attempt.cost_nano_usd for attempt in record.attempts if attempt.usage is not None]
    known = [cost for cost in costs if cost is not None]
    return usd(sum(known)) if len(known) == len(costs) else None
