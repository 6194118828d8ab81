"""What Gemini's refusals and bad endings mean.

Source: ai.google.dev troubleshooting and rate limits; google.rpc error details (read 2026-11). An invalid key is a
400 with the reason `API_KEY_INVALID`, the wait is in RetryInfo, and `PerDay` in a quota's id tells a spent day, which
ends at midnight Pacific time; `PerModel`, that it was one model's.
"""

from typing import Final, TypeVar

import msgspec

from adapters.wire.call import DialectCall
from adapters.wire.errors import Refusals, failure_from_answer, failure_in_stream
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.raw_json import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.inference import InferenceRequest

R = TypeVar("R", bound=InferenceRequest)

REFUSALS: Final = Refusals(quota_resets="day", quota_zone="America/Los_Angeles", limits_by_model=True)

_decode = msgspec.json.Decoder().decode


def answered_failure(status: int, headers: RawHeaders, body: bytes, call: DialectCall[R]) -> UpstreamFailure:
    """What an answer that is no 2xx means."""
    return failure_from_answer(status, headers, body, REFUSALS, secret=call.secret, now=call.now())


def reported_failure(error: bytes, call: DialectCall[R]) -> UpstreamFailure:
    """What the value of an `error` field in a 200 means."""
    try:
        value: object = _decode(error)
    except UNDECODABLE:
        value = error.decode("utf-8", "replace")
    return failure_in_stream(value, REFUSALS, secret=call.secret, now=call.now())


def ended_badly(reason: str) -> UpstreamFailure:
    """The model stopped for a reason that is no answer's end."""
    return UpstreamFailure(
        FailureKind.SERVER_ERROR,
        f"The provider gave up its answer: {reason[:64]}.",
        status=200,
        code="invalid_response",
    )
