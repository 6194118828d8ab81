"""What each way an upstream call can fail means for the next step: contract section 7 as data."""

from enum import StrEnum

import msgspec


class FailureKind(StrEnum):
    """How one upstream call failed."""

    CONNECT = "connect"  # DNS, TCP, TLS, or no pooled connection in time: nothing was sent
    LOCAL_SHORTAGE = "local_shortage"  # this machine has no descriptor, memory or port left: no provider's fault
    SERVER_ERROR = "server_error"  # 408, 500, 502, 504, or a 200 whose body is no valid answer
    OVERLOADED = "overloaded"  # 503, 529
    RATE_LIMITED = "rate_limited"  # 429, or a 403 or 413 that says so: time cures it
    QUOTA_EXHAUSTED = "quota_exhausted"  # 429, 402 or 403 that only a reset or a payment cures
    OVER_ALLOWANCE = "over_allowance"  # this one request is larger than what is left or ever allowed here
    INVALID_CREDENTIAL = "invalid_credential"  # 401, 403 against our key
    ADDRESS_REFUSED = "address_refused"  # 400, 403: nobody is served where we call from, whatever the key
    MODEL_ABSENT = "model_absent"  # 404, 410: no key of the provider has this model
    MODEL_BLOCKED = "model_blocked"  # 403: this key may not use this model, another may
    CONTEXT_LENGTH = "context_length"  # the prompt does not fit this model's window
    CLIENT_FAULT = "client_fault"  # 400, 405, 409, 413, 415, 422: the request itself is at fault
    CONTENT_POLICY = "content_policy"  # a filter before the model stopped the prompt
    FEATURE_REFUSED = "feature_refused"  # tools, images, a parameter: not here, perhaps elsewhere
    ADDED_FIELD_REFUSED = "added_field_refused"  # a field the gateway added; the next call leaves it out
    UNEXPECTED_ANSWER = "unexpected_answer"  # a proxy's page, or a status (418, 451, 499) no model API means
    UNSUPPORTED = "unsupported"  # this upstream cannot do what was asked, another may: nothing was sent
    TIMEOUT = "timeout"  # a deadline passed after the body was sent, before content
    TRUNCATED = "truncated"  # the connection ended after the body was sent, before content
    AFTER_CONTENT = "after_content"  # anything, once content has reached the client


class FailureScope(StrEnum):
    """What a failure holds for, from the narrowest: availability rests no more than that."""

    REQUEST = "request"
    MODEL = "model"  # this model with this key
    DEPLOYMENT = "deployment"  # this model with every key of the provider
    KEY = "key"
    ACCOUNT = "account"  # the key's owner: the same as the key, as nobody knows which keys share one
    PROVIDER = "provider"


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
    scope: FailureScope  # where the answer did not say


_NO, _YES, _ONCE = NextCandidate.NO, NextCandidate.YES, NextCandidate.ONCE
_REQUEST, _MODEL, _KEY = FailureScope.REQUEST, FailureScope.MODEL, FailureScope.KEY
_ACCOUNT, _PROVIDER = FailureScope.ACCOUNT, FailureScope.PROVIDER

REACTIONS: dict[FailureKind, Reaction] = {
    FailureKind.CONNECT: Reaction(False, False, _YES, True, _PROVIDER),
    FailureKind.LOCAL_SHORTAGE: Reaction(False, False, _YES, False, _REQUEST),
    FailureKind.SERVER_ERROR: Reaction(True, False, _YES, True, _PROVIDER),
    FailureKind.OVERLOADED: Reaction(True, False, _YES, True, _PROVIDER),
    FailureKind.RATE_LIMITED: Reaction(False, True, _YES, False, _KEY),
    FailureKind.QUOTA_EXHAUSTED: Reaction(False, True, _YES, False, _ACCOUNT),
    FailureKind.OVER_ALLOWANCE: Reaction(False, True, _YES, False, _REQUEST),
    FailureKind.INVALID_CREDENTIAL: Reaction(False, True, _YES, False, _KEY),
    FailureKind.ADDRESS_REFUSED: Reaction(False, False, _YES, True, _PROVIDER),
    FailureKind.MODEL_ABSENT: Reaction(False, False, _YES, False, _MODEL),
    FailureKind.MODEL_BLOCKED: Reaction(False, True, _YES, False, _MODEL),
    FailureKind.CONTEXT_LENGTH: Reaction(False, False, NextCandidate.LARGER_WINDOW, False, _REQUEST),
    FailureKind.CLIENT_FAULT: Reaction(False, False, _NO, False, _REQUEST),
    FailureKind.CONTENT_POLICY: Reaction(False, False, _NO, False, _REQUEST),
    FailureKind.FEATURE_REFUSED: Reaction(False, False, _YES, False, _REQUEST),
    FailureKind.ADDED_FIELD_REFUSED: Reaction(True, False, _YES, False, _REQUEST),
    FailureKind.UNEXPECTED_ANSWER: Reaction(False, False, _YES, True, _PROVIDER),
    FailureKind.UNSUPPORTED: Reaction(False, False, _YES, False, _REQUEST),
    FailureKind.TIMEOUT: Reaction(False, False, _ONCE, True, _PROVIDER),
    FailureKind.TRUNCATED: Reaction(False, False, _ONCE, True, _PROVIDER),
    FailureKind.AFTER_CONTENT: Reaction(False, False, _NO, True, _PROVIDER),
}

OF_EVERY_KEY = frozenset({FailureScope.DEPLOYMENT, FailureScope.PROVIDER})
"""After a failure of these scopes no other key of the provider is asked for the same model."""

UNKNOWN_OUTCOME = frozenset({FailureKind.TIMEOUT, FailureKind.TRUNCATED})
"""After these the provider may have done, and billed, the work."""

BEFORE_WORK = frozenset(
    {
        FailureKind.CONNECT,
        FailureKind.LOCAL_SHORTAGE,
        FailureKind.RATE_LIMITED,
        FailureKind.QUOTA_EXHAUSTED,
        FailureKind.OVER_ALLOWANCE,
        FailureKind.INVALID_CREDENTIAL,
        FailureKind.ADDRESS_REFUSED,
        FailureKind.MODEL_BLOCKED,
        FailureKind.ADDED_FIELD_REFUSED,
    }
)
"""Refusals before any work was done: they do not count among `MAX_UPSTREAM_CALLS`."""

NOTHING_SENT = frozenset({FailureKind.CONNECT, FailureKind.LOCAL_SHORTAGE, FailureKind.UNSUPPORTED})
"""The provider has not seen the call, and counts none."""

MAX_UPSTREAM_CALLS = 3
"""Calls of one request that may have done work, whatever is configured (R-09)."""

MAX_CALLS_WITH_REFUSALS = 8
"""All calls of one request, those included that were refused before any work."""
