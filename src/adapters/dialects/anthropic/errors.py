"""What Anthropic's refusals mean, and the rate limits its headers tell.

Source: platform.claude.com errors and rate-limits pages (read 2026-11). `reset` is an RFC 3339 time; a spend
cap is a 429 without `retry-after`, or a 400, and time alone does not cure it.
"""

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
        "enforced_spend_limit_reached": "quota_exhausted account",
        "contract_spend_limit_reached": "quota_exhausted account",
        "ramp_limit_exceeded": "rate_limited account",
        "billing_error": "quota_exhausted account",
        "authentication_error": FailureKind.INVALID_CREDENTIAL,
        "request_too_large": FailureKind.CLIENT_FAULT,
        "timeout_error": FailureKind.SERVER_ERROR,
        "overloaded_error": FailureKind.OVERLOADED,
    },
    limits_by_model=True,
    limits=LIMITS,
)


def failure(status: int, headers: RawHeaders, body: bytes, *, secret: Secret | None, now: float) -> UpstreamFailure:
    """What an answer that is no 2xx means. `now` is Unix time."""
    return failure_from_answer(status, headers, body, REFUSALS, secret=secret, now=now)


def reported_failure(body: bytes, *, secret: Secret | None, now: float) -> UpstreamFailure:
    """What an error reported inside a 200 means, whole or as a stream's event."""
    return failure_in_body(body, REFUSALS, secret=secret, now=now)


def invalid(message: str, param: str) -> UpstreamFailure:
    """The request itself is at fault: no other upstream would take it."""
    return UpstreamFailure(
        FailureKind.CLIENT_FAULT, message, status=400, type_="invalid_request_error", code="invalid_value", param=param
    )
