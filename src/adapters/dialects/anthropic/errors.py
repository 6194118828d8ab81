"""What Anthropic's refusals mean, and the rate limits its headers tell.

Source: platform.claude.com errors and rate-limits pages (read 2026-11). `reset` is an RFC 3339 time; a spend
cap is a 429 without `retry-after`, or a 400, and time alone does not cure it.
"""

import re
from datetime import UTC, datetime
from typing import Final

from adapters.wire.errors import Refusals, failure_from_answer, failure_in_body
from adapters.wire.limit_headers import HeaderTable, limit_headers
from adapters.wire.rate_limits import RawHeaders
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.secrets import Secret


def _limits() -> HeaderTable:
    table: HeaderTable = {}
    for name in ("requests", "tokens", "input-tokens", "output-tokens"):
        stem = f"anthropic-ratelimit-{name}"
        table |= limit_headers(
            "requests" if name == "requests" else "tokens",
            "minute",
            limit=f"{stem}-limit",
            remaining=f"{stem}-remaining",
            reset=f"{stem}-reset",
        )
    return table


LIMITS: Final = _limits()

REFUSALS: Final = Refusals(
    error_kinds={
        "enforced_spend_limit_reached": FailureKind.QUOTA_EXHAUSTED,
        "contract_spend_limit_reached": FailureKind.QUOTA_EXHAUSTED,
        "ramp_limit_exceeded": FailureKind.RATE_LIMITED,
        "billing_error": FailureKind.QUOTA_EXHAUSTED,
        "authentication_error": FailureKind.INVALID_CREDENTIAL,
        "permission_error": FailureKind.INVALID_CREDENTIAL,
        "not_found_error": FailureKind.MODEL_ABSENT,
        "request_too_large": FailureKind.CLIENT_FAULT,
        "api_error": FailureKind.SERVER_ERROR,
        "timeout_error": FailureKind.SERVER_ERROR,
        "overloaded_error": FailureKind.OVERLOADED,
    },
    limits=LIMITS,
)

_SPENT = re.compile(r"credit balance is too low|(?:usage|spend(?:ing)?) limits?\b.*(?:reached|exceeded)", re.IGNORECASE)
_SPENT_BEFORE = re.compile(r"reached your (?:specified )?(?:API )?(?:usage|spend(?:ing)?) limit", re.IGNORECASE)
_BACK_ON = re.compile(r"regain access on (\d{4}-\d\d-\d\d) at (\d\d:\d\d) UTC")


def failure(status: int, headers: RawHeaders, body: bytes, *, secret: Secret | None, now: float) -> UpstreamFailure:
    """What an answer that is no 2xx means. `now` is Unix time."""
    return _spent(failure_from_answer(status, headers, body, REFUSALS, secret=secret, now=now), now)


def failure_told(body: bytes, *, secret: Secret | None, now: float) -> UpstreamFailure:
    """What an error told inside a 200 means, whole or as a stream's event."""
    return failure_in_body(body, REFUSALS, secret=secret, now=now)


def invalid(message: str, param: str) -> UpstreamFailure:
    """The request itself is at fault: no other upstream would take it."""
    return UpstreamFailure(
        FailureKind.CLIENT_FAULT, message, status=400, type_="invalid_request_error", code="invalid_value", param=param
    )


def _spent(told: UpstreamFailure, now: float) -> UpstreamFailure:
    """An account without credit is told as a 400 that blames the request."""
    message = told.message
    blames = told.kind is FailureKind.CLIENT_FAULT and (_SPENT.search(message) or _SPENT_BEFORE.search(message))
    if not blames:
        return told
    back = _BACK_ON.search(message)
    wait = None
    if back is not None:
        moment = datetime.strptime(f"{back[1]} {back[2]}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        wait = max(moment.timestamp() - now, 0.0)
    return UpstreamFailure(
        FailureKind.QUOTA_EXHAUSTED,
        message,
        status=told.status,
        retry_after_seconds=wait,
        type_=told.type,
        code=told.code or None,
    )
