"""What each way an upstream call can fail means for the next step: contract section 7 as data."""

from enum import StrEnum

import msgspec


class FailureKind(StrEnum):
    """How one upstream call failed."""

    CONNECT = "connect"  # DNS, TCP, TLS, or no pooled connection in time: nothing was sent
    SERVER_ERROR = "server_error"  # 408, 500, 502, 504, 529, or a 200 whose body is no valid answer
    OVERLOADED = "overloaded"  # 503
    RATE_LIMITED = "rate_limited"  # 429 that time cures
    QUOTA_EXHAUSTED = "quota_exhausted"  # 429 or 402 that only a reset or a payment cures
    INVALID_CREDENTIAL = "invalid_credential"  # 401, 403 against our key
    MODEL_ABSENT = "model_absent"  # 404
    CONTEXT_LENGTH = "context_length"  # the prompt does not fit this model's window
    CLIENT_FAULT = "client_fault"  # 400, 413, 422: the request itself is at fault
    UNSUPPORTED = "unsupported"  # this upstream cannot do what was asked, another may: nothing was sent
    TIMEOUT = "timeout"  # a deadline passed after the body was sent, before content
    TRUNCATED = "truncated"  # the connection ended after the body was sent, before content
    AFTER_CONTENT = "after_content"  # anything, once content has reached the client


class NextCandidate(StrEnum):
    """Whether another deployment may be tried."""

    NO = "no"
    YES = "yes"
    ONCE = "once"  # the outcome upstream is unknown: at most one more, booked twice
    LARGER_WINDOW = "larger_window"


class Reaction(msgspec.Struct, frozen=True):
    """What the attempt loop may do after a failure."""

    same_key_once: bool
    next_key: bool
    next_candidate: NextCandidate
    counts_for_breaker: bool


_NO, _YES, _ONCE = NextCandidate.NO, NextCandidate.YES, NextCandidate.ONCE

REACTIONS: dict[FailureKind, Reaction] = {
    FailureKind.CONNECT: Reaction(False, False, _YES, True),
    FailureKind.SERVER_ERROR: Reaction(True, False, _YES, True),
    FailureKind.OVERLOADED: Reaction(True, False, _YES, True),
    FailureKind.RATE_LIMITED: Reaction(False, True, _YES, False),
    FailureKind.QUOTA_EXHAUSTED: Reaction(False, True, _YES, False),
    FailureKind.INVALID_CREDENTIAL: Reaction(False, True, _YES, False),
    FailureKind.MODEL_ABSENT: Reaction(False, False, _YES, False),
    FailureKind.CONTEXT_LENGTH: Reaction(False, False, NextCandidate.LARGER_WINDOW, False),
    FailureKind.CLIENT_FAULT: Reaction(False, False, _NO, False),
    FailureKind.UNSUPPORTED: Reaction(False, False, _YES, False),
    FailureKind.TIMEOUT: Reaction(False, False, _ONCE, True),
    FailureKind.TRUNCATED: Reaction(False, False, _ONCE, True),
    FailureKind.AFTER_CONTENT: Reaction(False, False, _NO, True),
}

UNKNOWN_OUTCOME = frozenset({FailureKind.TIMEOUT, FailureKind.TRUNCATED})
"""After these the provider may have done, and billed, the work."""

MAX_UPSTREAM_CALLS = 3
"""For one request, whatever is configured (R-09)."""
