"""`/admin/requests`: the log of single requests, each with the upstream calls it took."""

from datetime import datetime
from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get
from litestar.params import PathParameter, QueryParameter

from application.usage.request_log import RequestReport, RequestsAsked
from domain.money import usd
from domain.records import AttemptRecord, Outcome, RequestRecord, UsageSource
from domain.usage import TokenUsage
from domain.usage_queries import RequestFilter
from entrypoints.http.admin.operations import (
    COMPLAINTS,
    FIRST_PAGE,
    ITEM_ERRORS,
    READ_ERRORS,
    Cursor,
    Limit,
    example,
)
from entrypoints.http.authorization import require_admin


class AttemptAnswer(msgspec.Struct, frozen=True):
    """One upstream call. `key_id` is the provider key's; `cost_usd` of null is unpriced, or nothing was used."""

    number: int
    provider: str
    key_id: str | None
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


class RequestAnswer(msgspec.Struct, frozen=True):
    """One request. Tokens and cost are those of all its attempts; `cost_usd` is null where one of them is unpriced.

    `status` is what the client got, 499 where it had left. Times are milliseconds.
    """

    id: str
    decision_id: str
    created_at: datetime
    tenant_id: str
    key_id: str | None
    endpoint: str
    requested_model: str
    provider: str | None
    model: str | None
    task: str | None
    status: int
    outcome: Outcome
    error_code: str | None
    stream: bool
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    reasoning_tokens: int
    usage_source: UsageSource
    cost_usd: str | None
    latency_ms: float
    ttft_ms: float | None
    attempts: tuple[AttemptAnswer, ...]


class RequestPage(msgspec.Struct, frozen=True):
    """Newest first."""

    data: tuple[RequestAnswer, ...]
    next_cursor: str | None


_TOKENS = {
    "input_tokens": 746,
    "output_tokens": 212,
    "cache_read_tokens": 0,
    "cache_write_tokens": 0,
    "cache_write_1h_tokens": 0,
    "reasoning_tokens": 64,
}
_EXAMPLE = {
    "id": "req_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "decision_id": "dec_0198f3c2a1b57aa1b2c3d4e5f6a7b8c9",
    "created_at": "2026-11-21T11:58:00.123456Z",
    "tenant_id": "ten_default",
    "key_id": "key_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "endpoint": "/v1/chat/completions",
    "requested_model": "gpt-oss-120b",
    "provider": "cerebras",
    "model": "gpt-oss-120b",
    "task": None,
    "status": 200,
    "outcome": "ok",
    "error_code": None,
    "stream": False,
    **_TOKENS,
    "usage_source": "provider",
    "cost_usd": "0.0004201",
    "latency_ms": 812.4,
    "ttft_ms": None,
    "attempts": [
        {
            "number": 1,
            "provider": "cerebras",
            "key_id": "pk_env_cerebras",
            "model": "gpt-oss-120b",
            "outcome": "ok",
            "status": 200,
            "duration_ms": 810.9,
            "message": "",
            **_TOKENS,
            "usage_source": "provider",
            "price_id": "price_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
            "cost_usd": "0.0004201",
        }
    ],
}

RequestId = Annotated[str, PathParameter(description="The `x-request-id` of the answer")]


class RequestController(Controller):
    path = "/admin/requests"
    tags = ("Usage",)
    guards = (require_admin,)
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listRequests",
        summary="List requests",
        description="Newest first, with their attempts. A request is here about a second after its answer ended; "
        "no prompt and no answer is kept.",
        responses={200: example({"data": [_EXAMPLE], "next_cursor": None}, "A page", RequestPage), **READ_ERRORS},
    )
    @inject
    async def list_page(
        self,
        report: FromDishka[RequestReport],
        from_: Annotated[
            str | None, QueryParameter(name="from", description="First moment: a UTC date, or a time with its offset")
        ] = None,
        to: Annotated[
            str | None, QueryParameter(description="End: a UTC date, which is included, or a time, which is not")
        ] = None,
        tenant_id: Annotated[str | None, QueryParameter(description="Only this tenant's")] = None,
        key_id: Annotated[str | None, QueryParameter(description="Only this virtual key's")] = None,
        provider: Annotated[str | None, QueryParameter(description="Only what this provider answered last")] = None,
        model: Annotated[str | None, QueryParameter(description="Only what this model answered last")] = None,
        outcome: Annotated[Outcome | None, QueryParameter(description="Only with this outcome")] = None,
        status: Annotated[int | None, QueryParameter(description="Only with this HTTP status", ge=100, le=599)] = None,
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
    ) -> RequestPage:
        filter_ = RequestFilter(
            tenant_id=tenant_id or None,
            key_id=key_id or None,
            provider_id=provider or None,
            model=model or None,
            outcome=outcome,
            status=status,
        )
        page = await report.list_page(RequestsAsked(from_, to, filter_), limit, cursor)
        return RequestPage(tuple(request_answer(record) for record in page.data), page.next_cursor)

    @get(
        "/{request_id:str}",
        operation_id="getRequest",
        summary="Look up one request",
        description="By the `x-request-id` of its answer, which the gateway's log lines have too.",
        responses={200: example(_EXAMPLE, "The request", RequestAnswer), **ITEM_ERRORS},
    )
    @inject
    async def get_one(self, request_id: RequestId, report: FromDishka[RequestReport]) -> RequestAnswer:
        return request_answer(await report.get(request_id))


def request_answer(record: RequestRecord) -> RequestAnswer:
    usages = [attempt.usage for attempt in record.attempts if attempt.usage is not None]
    return RequestAnswer(
        record.request_id,
        record.decision_id,
        record.created_at,
        record.tenant_id,
        record.key_id,
        record.endpoint,
        record.requested_model,
        record.provider_id,
        record.model,
        record.task or None,
        record.status,
        record.outcome,
        record.error_code,
        record.stream,
        *_tokens(usages),
        _source(record),
        _cost(record),
        record.latency_ms,
        record.ttft_ms,
        tuple(_attempt(attempt) for attempt in record.attempts),
    )


def _attempt(attempt: AttemptRecord) -> AttemptAnswer:
    return AttemptAnswer(
        attempt.number,
        attempt.provider_id,
        attempt.key_id,
        attempt.model,
        attempt.outcome,
        attempt.status,
        attempt.duration_ms,
        attempt.message,
        *_tokens([attempt.usage] if attempt.usage is not None else []),
        attempt.usage_source,
        attempt.price_id,
        None if attempt.cost_nano_usd is None else usd(attempt.cost_nano_usd),
    )


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
