"""Every expected failure, in one tree.

    GatewayError
    ├── RequestInvalid            the body, a header or a parameter is wrong (400, 413)
    ├── Unauthenticated           no acceptable credential (401)
    ├── PermissionDenied          a good credential that may not do this (403)
    ├── NotFound                  no such model, provider, object or route (404)
    ├── TooManyAttempts           slow down (429): sign-in
    ├── Conflict                  it already exists, or it is in use (409)
    │   └── VersionConflict       somebody else changed it since it was read (412)
    ├── ClientRejected            the provider says the request is at fault; passed on with its words
    ├── UpstreamFailure           one upstream call failed (never shown as it is; the attempt loop reads it)
    ├── LimitExceeded             a limit or a budget of the caller's allows no more now (429)
    ├── AllCandidatesFailed       every candidate was tried or unavailable (429, 502, 503, 504)
    ├── StreamBroken              an answer that had begun cannot be finished
    └── ServiceUnavailable        the gateway itself cannot serve now (503)

Errors carry facts, not HTTP statuses: only `entrypoints.http.errors` knows those.
"""

from domain.failover import REACTIONS, FailureKind, FailureScope
from domain.provider_limits import LimitFact


class GatewayError(Exception):
    """An expected failure. `message` is safe to show a client; `code` is the contract's."""

    def __init__(self, message: str, *, code: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param


class RequestInvalid(GatewayError):
    """The request cannot be understood. `param` is the JSON path at fault (`messages.0.role`)."""

    def __init__(self, message: str, *, code: str = "invalid_value", param: str | None = None) -> None:
        super().__init__(message, code=code, param=param)


class Unauthenticated(GatewayError):
    """Missing, malformed, unknown, revoked or expired credential: one wording for all but expired."""

    def __init__(self, message: str = "Incorrect API key provided.", *, code: str = "invalid_api_key") -> None:
        super().__init__(message, code=code)


class PermissionDenied(GatewayError):
    """The credential is good and may not do this: `model_not_allowed`, `scope_missing`."""


class NotFound(GatewayError):
    """`model_not_found`, `provider_not_found` or `not_found`."""

    def __init__(self, message: str, *, code: str = "not_found", param: str | None = None) -> None:
        super().__init__(message, code=code, param=param)


class Conflict(GatewayError):
    """`already_exists`, or a state that forbids the change."""

    def __init__(self, message: str, *, code: str = "already_exists", param: str | None = None) -> None:
        super().__init__(message, code=code, param=param)


class VersionConflict(Conflict):
    """`version_conflict`: the object is no longer as the change expects it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="version_conflict")


class ClientRejected(GatewayError):
    """The provider found the client's request at fault. `status` is the provider's (400, 404, 413, 422)."""

    def __init__(
        self, message: str, *, status: int, type_: str | None = None, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message, code=code or "", param=param)
        self.status = status
        self.type = type_


class UpstreamFailure(GatewayError):
    """One upstream call failed. Raised by `ChatProvider`s, handled by the attempt loop.

    `message` is the provider's own, cut to 1 KiB with our credential masked. `status` is None where there
    was no HTTP answer. `retry_after_seconds` counts from now, from `retry-after` or the provider's reset
    headers. `type`, `code` and `param` are the provider's and only passed on for a client's fault. `scope` is
    what the failure holds for; where the answer does not say, what its kind usually holds for. `limit` is what it
    says of the limit that was met, of a refusal by one.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        status: int | None = None,
        retry_after_seconds: float | None = None,
        type_: str | None = None,
        code: str | None = None,
        param: str | None = None,
        scope: FailureScope | None = None,
        limit: LimitFact | None = None,
    ) -> None:
        super().__init__(message, code=code or "", param=param)
        self.kind = kind
        self.limit = limit
        self.scope = scope or REACTIONS[kind].scope
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.type = type_


class LimitExceeded(GatewayError):
    """`rate_limit_exceeded` or `budget_exceeded`, naming whose it is: `subject_kind` and `subject_id`.

    `dimension` is `rpm`, `tpm` and so on, or `usd`. `retry_after_seconds` of None: waiting alone does not help.
    """

    def __init__(
        self,
        message: str,
        *,
        subject_kind: str,
        subject_id: str,
        dimension: str,
        amount: int,
        remaining: int = 0,
        used: int = 0,
        code: str = "rate_limit_exceeded",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.subject_kind = subject_kind
        self.subject_id = subject_id
        self.dimension = dimension
        self.amount = amount
        self.remaining = remaining
        self.used = used
        self.retry_after_seconds = retry_after_seconds
        self.downgrade_to: str | None = None  # what may serve in place of what was asked for


class AllCandidatesFailed(GatewayError):
    """No candidate served. `code` says why in the contract's words; the wait is the smallest known."""

    def __init__(self, message: str, *, code: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after_seconds = retry_after_seconds


class StreamBroken(GatewayError):
    """The upstream failed after content: told in-band as one error event, then the stream ends."""


class TooManyAttempts(GatewayError):
    """`rate_limit_exceeded`, of what is no inference: so many sign-ins, say, and when to come again."""

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message, code="rate_limit_exceeded")
        self.retry_after_seconds = retry_after_seconds


class ServiceUnavailable(GatewayError):
    """`overloaded`, `shutting_down` or `store_unavailable`."""

    def __init__(self, message: str, *, code: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after_seconds = retry_after_seconds


class NotInstalled(GatewayError):
    """What is asked for needs a library that this gateway was installed without; the message names it."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message, code="not_installed", param=param)


class StoreUnavailable(Exception):
    """A repository could not ask its database. Never the same as 'not found' (R-25)."""
