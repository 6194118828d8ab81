"""What Cohere's refusals mean, and its headers.

Source: cohere 7.3.1 errors, docs.cohere.com on errors and rate limits (read 2026-11): a body of `message` and `id`
without `error`; 498 is a key that is not valid, 499 a call that was cancelled; trial keys have 1,000 calls a month,
and their headers are missing on the 429 itself.
"""

from typing import Final

from adapters.wire.errors import Refusals, failure_from_answer
from adapters.wire.limit_headers import HeaderTable, limit_headers
from adapters.wire.rate_limits import RawHeaders
from domain.errors import UpstreamFailure
from domain.secrets import Secret

LIMITS: Final[HeaderTable] = {
    **limit_headers(
        "requests", "minute", limit="x-trial-endpoint-call-limit", remaining="x-trial-endpoint-call-remaining"
    ),
    **limit_headers("requests", "month", limit="x-endpoint-monthly-call-limit"),
}
REFUSALS: Final = Refusals(quota_resets="month", limits_by_model=True, limits=LIMITS)

_STATUSES: Final = {498: 401, 501: 400}


def failure_from_cohere(
    status: int, headers: RawHeaders, body: bytes, *, secret: Secret | None, now: float
) -> UpstreamFailure:
    """What an answer that is no 2xx means."""
    return failure_from_answer(_STATUSES.get(status, status), headers, body, REFUSALS, secret=secret, now=now)
