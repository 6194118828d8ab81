"""`GET /v1/usage`: what the caller's own key has used."""

from urllib.parse import parse_qsl

import msgspec

from application.usage.asking import UsageAsked
from domain.usage_queries import UsageFilter
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.errors import ERRORS
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.usage_answer import (
    DESCRIPTION,
    EXAMPLE,
    FROM,
    GROUP_BY,
    STATS,
    TIMEZONE,
    TO,
    UsageAnswer,
    usage_answer,
)

_encode = msgspec.json.Encoder().encode

_ERRORS = {status: spec for status, spec in ERRORS.items() if status in (400, 401, 404, 503)}


async def get_usage(exchange: Exchange) -> None:
    principal = await exchange.authenticate("usage")
    exchange.require_provider()
    asked = _asked(exchange.scope["query_string"], exchange.provider)
    usage = await exchange.services.usage.of_caller(principal, asked)
    await exchange.send_json(200, _encode(usage_answer(usage)))


def _asked(query: bytes, pinned: str | None) -> UsageAsked:
    """Of a parameter that is there twice, the last counts; an empty one is not there."""
    pairs = parse_qsl(query.decode("latin-1"), encoding="utf-8", errors="replace")
    given = dict(pairs)
    return UsageAsked(
        from_=given.get("from"),
        to=given.get("to"),
        group_by=tuple(value for name, value in pairs if name in ("group_by", "group_by[]")),
        timezone=given.get("timezone"),
        stats=given.get("stats") in ("true", "1"),
        filter=UsageFilter(
            provider_id=pinned if pinned is not None else given.get("provider"),
            model=given.get("model"),
            task=given.get("task"),
        ),
    )


GET_USAGE = InferenceRoute(
    path="/v1/usage",
    method="GET",
    operation_id="getOwnUsage",
    tag="Usage",
    summary="Look at one's own usage",
    description=f"What this key used and what it cost. {DESCRIPTION} Under `/{{provider}}/v1` only that provider's.",
    handler=get_usage,
    response=UsageAnswer,
    response_example=EXAMPLE,
    query={
        "from": FROM,
        "to": TO,
        "group_by": GROUP_BY,
        "timezone": TIMEZONE,
        "stats": STATS,
        "provider": "Only this provider's",
        "model": "Only this model's",
        "task": "Only this task's",
    },
    errors=_ERRORS,
)
