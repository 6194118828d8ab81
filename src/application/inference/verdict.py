"""What failures lead to: where a prompt that was too long may still fit, and what a client is told when nobody served
(contract sections 6 and 7).
"""

from collections.abc import Sequence
from datetime import datetime

from domain.availability import KeyCondition
from domain.errors import (
    AllCandidatesFailed,
    ClientRejected,
    GatewayError,
    NotFound,
    RequestInvalid,
    ServiceUnavailable,
    StreamBroken,
    UpstreamFailure,
)
from domain.failover import FailureKind
from domain.routes import FallbackCause
from domain.routing import Candidate

MAX_WAIT_SECONDS = 86_400.0


class Unavailability:
    """Why candidates were passed over without a call, and the soonest any of them may be asked again."""

    def __init__(self) -> None:
        self.rate_limited = False
        self.invalid_key = False
        self.unhealthy = False
        self.no_key = False
        self.model_absent = False
        self.incapable = False
        self.last: FallbackCause | None = None  # as which cause the last one counts
        self.available_at: datetime | None = None

    def key(self, condition: KeyCondition, until: datetime | None) -> None:
        """A key that may not be asked now."""
        self.last = FallbackCause.ERROR if condition is KeyCondition.INVALID else FallbackCause.RATE_LIMIT
        if condition is KeyCondition.INVALID:
            self.invalid_key = True
        else:
            self.rate_limited = True
            self._soonest(until)

    def provider(self, until: datetime | None) -> None:
        """A provider whose breaker is open."""
        self.unhealthy = True
        self.last = FallbackCause.ERROR
        self._soonest(until)

    def without_key(self) -> None:
        """A provider that needs a key and has none."""
        self.no_key = True
        self.last = FallbackCause.ERROR

    def without_model(self) -> None:
        """A model that its provider said it does not have."""
        self.model_absent = True
        self.last = FallbackCause.ERROR

    def cannot(self) -> None:
        """A deployment that does not serve the endpoint."""
        self.incapable = True
        self.last = FallbackCause.UNSUPPORTED_PARAMETER

    @property
    def only_incapable(self) -> bool:
        """Whether every candidate lacked the endpoint, and nothing else was wrong."""
        others = self.rate_limited or self.invalid_key or self.unhealthy or self.no_key or self.model_absent
        return self.incapable and not others

    def _soonest(self, until: datetime | None) -> None:
        if until is not None and (self.available_at is None or until < self.available_at):
            self.available_at = until


RATE_KINDS = frozenset({FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED})
FEATURE_KINDS = frozenset({FailureKind.UNSUPPORTED, FailureKind.FEATURE_REFUSED, FailureKind.ADDED_FIELD_REFUSED})
"""What no provider could do, the request is told of in the provider's words."""

LOCAL_SHORTAGE = FailureKind.LOCAL_SHORTAGE
_NO_MODEL = frozenset({FailureKind.MODEL_ABSENT, FailureKind.MODEL_BLOCKED})


def verdict(
    failures: Sequence[UpstreamFailure],
    passed_over: Unavailability,
    requested_model: str,
    endpoint: str,
    now: datetime,
) -> GatewayError:
    """One error out of all that was tried and all that could not be."""
    kinds = {failure.kind for failure in failures}
    if LOCAL_SHORTAGE in kinds:
        return ServiceUnavailable(
            "The gateway's machine is short of connections or memory; try again soon.",
            code="overloaded",
            retry_after_seconds=1,
        )
    if kinds and kinds <= FEATURE_KINDS:
        return rejected(failures[-1])
    if not failures and passed_over.only_incapable:
        return RequestInvalid(
            f"No provider of '{requested_model}' serves {endpoint}. GET /v1/models tells what each model can do.",
            code="endpoint_not_supported",
            param="model",
        )
    failures = [failure for failure in failures if failure.kind not in FEATURE_KINDS]
    kinds -= FEATURE_KINDS
    if failures and kinds <= _NO_MODEL and not passed_over.rate_limited:
        return NotFound(failures[-1].message, code="model_not_found", param="model")
    for kind in (FailureKind.CONTEXT_LENGTH, FailureKind.CONTENT_POLICY):
        if kind in kinds:
            return rejected(next(f for f in failures if f.kind is kind))
    wait = _wait(failures, passed_over, now)
    if FailureKind.OVER_ALLOWANCE in kinds and kinds <= RATE_KINDS | {FailureKind.OVER_ALLOWANCE}:
        too_large = next(f for f in failures if f.kind is FailureKind.OVER_ALLOWANCE)
        return AllCandidatesFailed(
            f"The request is larger than its providers allow. One of them said: {too_large.message}",
            code="rate_limit_exceeded",
        )
    if kinds <= RATE_KINDS and (kinds or passed_over.rate_limited):
        spent = bool(kinds) and kinds <= {FailureKind.QUOTA_EXHAUSTED} and not passed_over.rate_limited
        state = "out of quota or credit" if spent else "rate limited"
        return AllCandidatesFailed(
            f"Every provider of '{requested_model}' is {state}. Try again later, or add a provider or a key.",
            code="rate_limit_exceeded",
            retry_after_seconds=wait,
        )
    credentials_refused = FailureKind.INVALID_CREDENTIAL in kinds or (not kinds and passed_over.invalid_key)
    if credentials_refused and kinds <= {FailureKind.INVALID_CREDENTIAL, *RATE_KINDS}:
        return AllCandidatesFailed(
            "Every provider refused the gateway's own credential. Its operator has to check the provider keys.",
            code="upstream_auth_failed",
        )
    if not failures:
        return _nobody(passed_over, requested_model, wait)
    return _failed(failures)


def rejected(failure: UpstreamFailure) -> ClientRejected:
    """A client's fault, in the provider's words."""
    return ClientRejected(
        failure.message,
        status=failure.status or 400,
        type_=failure.type,
        code=failure.code or None,
        param=failure.param,
    )


def broken(failure: UpstreamFailure) -> StreamBroken:
    """A failure after content, as the client is told of it."""
    codes = {
        FailureKind.TIMEOUT: "upstream_timeout",
        FailureKind.TRUNCATED: "upstream_truncated",
        FailureKind.OVERLOADED: "overloaded",
    }
    return StreamBroken(failure.message, code=codes.get(failure.kind, "upstream_error"))


def _nobody(passed_over: Unavailability, requested_model: str, wait: float | None) -> GatewayError:
    if passed_over.model_absent and not passed_over.unhealthy:
        return NotFound(
            f"The provider said it has no model '{requested_model}'; it is asked again in a few minutes.",
            code="model_not_found",
            param="model",
        )
    reason = "no provider of it has a key" if passed_over.no_key else "its providers keep failing"
    return AllCandidatesFailed(
        f"No provider is available for '{requested_model}': {reason}.",
        code="no_provider_available",
        retry_after_seconds=wait,
    )


def _failed(failures: Sequence[UpstreamFailure]) -> AllCandidatesFailed:
    """The last failure that says something about serving, in the contract's words."""
    serving = [f for f in failures if f.kind not in RATE_KINDS and f.kind is not FailureKind.INVALID_CREDENTIAL]
    last = (serving or list(failures))[-1]
    if last.kind is FailureKind.TIMEOUT:
        code = "upstream_timeout"
    elif last.kind is FailureKind.TRUNCATED:
        code = "upstream_truncated"
    elif last.kind is FailureKind.OVERLOADED:
        code = "overloaded"
    elif last.kind is FailureKind.SERVER_ERROR and last.status is not None and last.status < 300:
        code = "upstream_invalid_response"
    else:
        code = "upstream_error"
    tried = len(failures)
    after = f" after {tried} upstream calls" if tried > 1 else ""
    hint = " There is no such API at its address: its base URL may be wrong." if _is_astray(last) else ""
    return AllCandidatesFailed(
        f"No provider could answer{after}. The last one said: {last.message}{hint}",
        code=code,
        retry_after_seconds=last.retry_after_seconds if last.kind is FailureKind.OVERLOADED else None,
    )


def _is_astray(failure: UpstreamFailure) -> bool:
    """Whether what answered knows no such path: that says nothing of the model."""
    return failure.kind is FailureKind.UNEXPECTED_ANSWER and failure.status in {404, 405}


def _wait(failures: Sequence[UpstreamFailure], passed_over: Unavailability, now: datetime) -> float | None:
    waits = [f.retry_after_seconds for f in failures if f.retry_after_seconds is not None]
    if passed_over.available_at is not None:
        waits.append((passed_over.available_at - now).total_seconds())
    return min(max(min(waits), 0.0), MAX_WAIT_SECONDS) if waits else None


class WindowSearch:
    """Allows every candidate until one was too small; then larger ones, and one whose window nobody knows.

    An unknown window is perhaps a larger one, once: a second is not asked for the same prompt.
    """

    __slots__ = ("_larger_than", "_searching", "_unknown_asked")

    def __init__(self) -> None:
        self._searching = False
        self._larger_than = 0
        self._unknown_asked = False

    def allows(self, candidate: Candidate) -> bool:
        if not self._searching:
            return True
        if candidate.context_window is None:
            return not self._unknown_asked
        return candidate.context_window > self._larger_than

    def asked(self, candidate: Candidate) -> None:
        """A call is made."""
        if self._searching and candidate.context_window is None:
            self._unknown_asked = True

    def too_small(self, candidate: Candidate) -> None:
        """The candidate said the prompt does not fit."""
        self._searching = True
        self._larger_than = max(self._larger_than, candidate.context_window or 0)
