"""What Ollama's refusals mean.

Source: ollama's server routes (read 2026-11): `{"error": "…"}` with a text; 404 is a model that is not there, 503 a
full queue; a model that lacks an ability says "does not support".
"""

import re
from typing import Final

from adapters.wire.errors import Refusals, failure_from_answer, failure_in_stream
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.sift import feature_refused
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.secrets import Secret

REFUSALS: Final = Refusals()

_LACKS: Final = re.compile(
    r"does not support (thinking|tools|vision|images?|insert|chat|generate|embed)", re.IGNORECASE
)
_PARAMS: Final = {"thinking": "reasoning_effort", "tools": "tools"}
_TOO_LONG: Final = re.compile(r"exceed\w* (?:the )?(?:maximum )?context|context length", re.IGNORECASE)
_AT_FAULT: Final = frozenset({FailureKind.CLIENT_FAULT, FailureKind.SERVER_ERROR, FailureKind.CONTEXT_LENGTH})

CONTEXT_HINT: Final = " Ask for a larger one with num_ctx, or set num_ctx in the provider's settings."


def failure_from_ollama(
    status: int, headers: RawHeaders, body: bytes, *, secret: Secret | None, now: float
) -> UpstreamFailure:
    """What an answer that is no 2xx means."""
    return _sharpened(failure_from_answer(status, headers, body, REFUSALS, secret=secret, now=now))


def reported_failure(error: object, *, secret: Secret | None, now: float) -> UpstreamFailure:
    """What an `error` in a 200 means."""
    return _sharpened(failure_in_stream(error, REFUSALS, secret=secret, now=now))


def _sharpened(failure: UpstreamFailure) -> UpstreamFailure:
    lacks = _LACKS.search(failure.message)
    if lacks is not None:
        return feature_refused(_PARAMS.get(lacks[1].lower(), "messages"), failure.message)
    if failure.kind in _AT_FAULT and _TOO_LONG.search(failure.message):
        failure.kind = FailureKind.CONTEXT_LENGTH
        failure.status = 400
        failure.message += CONTEXT_HINT
    return failure
