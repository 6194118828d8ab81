"""Every error as its answer: the one place that knows statuses, types and codes (contract 6).

Source: the error tables of OpenAI's API reference and the retry rules of its SDKs (read 2026-11): they retry
408, 409, 429 and 5xx unless `x-should-retry: false` says otherwise, and openai-python gives up where
`retry-after` is over 120 s.
"""

import logging
import math
from typing import cast

import msgspec
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example

from domain.errors import (
    AllCandidatesFailed,
    ClientRejected,
    Conflict,
    GatewayError,
    LimitExceeded,
    NotFound,
    NotInstalled,
    PermissionDenied,
    RequestInvalid,
    ServiceUnavailable,
    StoreUnavailable,
    StreamBroken,
    TooManyAttempts,
    Unauthenticated,
    UpstreamFailure,
)
from entrypoints.http.limit_headers import rate_limit_headers

log = logging.getLogger(__name__)

Headers = tuple[tuple[bytes, bytes], ...]

LONGEST_WAIT_WORTH_RETRYING_SECONDS = 120
LONGEST_RETRY_AFTER_SECONDS = 86_400
NEVER_RETRY = (b"x-should-retry", b"false")


class ErrorDetail(msgspec.Struct):
    """What went wrong, in OpenAI's words. `param` is the JSON path at fault."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(msgspec.Struct):
    """The body of every error."""

    error: ErrorDetail
    request_id: str = ""


class ErrorAnswer(msgspec.Struct, frozen=True):
    """An error ready to send; `headers` are those that belong to this error only."""

    status: int
    error: ErrorDetail
    headers: Headers = ()

    def body(self, request_id: str) -> bytes:
        return _encode(ErrorBody(self.error, request_id))


_encode = msgspec.json.Encoder().encode

_STATUS_OF_CODE = {
    "request_too_large": 413,
    "version_conflict": 412,
    "unsupported_content_encoding": 415,
    "unsupported_content_type": 415,
    "request_timeout": 408,
    "url_too_long": 414,
    "headers_too_large": 431,
    "method_not_supported": 405,
    "websocket_not_supported": 426,
    "idempotency_mismatch": 422,
    "budget_exceeded": 429,
    "rate_limit_exceeded": 429,
    "upstream_error": 502,
    "upstream_auth_failed": 502,
    "upstream_truncated": 502,
    "upstream_invalid_response": 502,
    "no_provider_available": 503,
    "overloaded": 503,
    "shutting_down": 503,
    "store_unavailable": 503,
    "upstream_timeout": 504,
}
"""Where one class of error has several statuses, its code says which."""

_OTHER_PROTOCOL = (b"upgrade", b"HTTP/1.1")  # what is spoken here (RFC 9110 15.5.22)
_QUOTA_CODES = frozenset({"insufficient_quota", "budget_exceeded"})
_CODE_OF_STATUS = {401: "invalid_api_key", 403: "permission_denied", 404: "not_found", 405: "method_not_supported",
                   409: "conflict", 413: "request_too_large", 415: "unsupported_content_type",
                   429: "rate_limit_exceeded", 503: "overloaded"}  # fmt: skip


def describe(error: BaseException) -> ErrorAnswer:
    """The answer for any error. One that is not expected is a bug: 500, without a detail."""
    if isinstance(error, GatewayError):
        return _expected(error)
    if isinstance(error, StoreUnavailable):
        return describe(
            ServiceUnavailable("The database is away; try again soon.", code="store_unavailable", retry_after_seconds=1)
        )
    if isinstance(error, HTTPException):
        return _framework(error)
    return ErrorAnswer(
        500,
        ErrorDetail("The gateway failed to handle this request. Quote the request id when you report it.",
                    "api_error", None, "internal_error"),
    )  # fmt: skip


def describe_and_log(error: BaseException, request_id: str) -> ErrorAnswer:
    """`describe`, and a log line with the traceback where the error is a bug."""
    answer = describe(error)
    if answer.status == 500:
        log.error("request failed unexpectedly", exc_info=error, extra={"request_id": request_id})
    return answer


def _expected(error: GatewayError) -> ErrorAnswer:
    if isinstance(error, ClientRejected):
        detail = ErrorDetail(error.message, error.type or "invalid_request_error", error.param, error.code or None)
        return ErrorAnswer(error.status if 400 <= error.status < 500 else 400, detail)
    status = _status(error)
    detail = ErrorDetail(error.message, _type(status, error.code), error.param, error.code or None)
    return ErrorAnswer(status, detail, _retry_headers(error, status))


def _status(error: GatewayError) -> int:
    known = _STATUS_OF_CODE.get(error.code)
    match error:
        case RequestInvalid():
            return known or 400
        case Unauthenticated():
            return 401
        case PermissionDenied():
            return 403
        case TooManyAttempts():
            return 429
        case NotFound():
            return known or 404
        case Conflict():
            return known or 409
        case ServiceUnavailable():
            return 503
        case NotInstalled():
            return 501
        case LimitExceeded():
            return 429
        case AllCandidatesFailed():
            return 429 if error.code in _QUOTA_CODES else known or 502
        case StreamBroken() | UpstreamFailure():
            return known or 502
        case _:
            return known or 500


def _type(status: int, code: str) -> str:
    if code in _QUOTA_CODES:
        return "insufficient_quota"
    if status >= 500:
        return "api_error"
    special = {403: "permission_error", 409: "conflict_error", 412: "conflict_error", 429: "rate_limit_error"}
    return special.get(status, "invalid_request_error")


def _retry_headers(error: GatewayError, status: int) -> Headers:
    """`retry-after` where the wait is known; `x-should-retry: false` where asking again soon is useless."""
    if isinstance(error, ServiceUnavailable | TooManyAttempts):
        return _retry_after(error.retry_after_seconds)
    if isinstance(error, LimitExceeded):
        return _limit_headers(error)
    if error.code == "idempotency_in_progress":
        return _retry_after(1.0)
    if error.code == "websocket_not_supported":
        return (_OTHER_PROTOCOL,)
    if error.code == "replay_unavailable":
        return (NEVER_RETRY,)  # SDKs retry each 409 else
    if not isinstance(error, AllCandidatesFailed):
        return ()
    wait = error.retry_after_seconds
    if error.code == "overloaded" and (wait is None or wait <= LONGEST_WAIT_WORTH_RETRYING_SECONDS):
        return _retry_after(wait)
    waiting_helps = status in (429, 503) and wait is not None and wait <= LONGEST_WAIT_WORTH_RETRYING_SECONDS
    if waiting_helps and error.code not in _QUOTA_CODES:
        return _retry_after(wait)
    return (*_retry_after(wait), NEVER_RETRY)


def _limit_headers(error: LimitExceeded) -> Headers:
    wait = error.retry_after_seconds
    own = rate_limit_headers(error.dimension, error.amount, error.remaining, wait or 0.0)
    if error.code in _QUOTA_CODES or wait is None or wait > LONGEST_WAIT_WORTH_RETRYING_SECONDS:
        return (*_retry_after(wait), NEVER_RETRY, *own)
    return (*_retry_after(wait), *own)


def _retry_after(seconds: float | None) -> Headers:
    if seconds is None or math.isnan(seconds):
        return ()
    whole = math.ceil(min(max(seconds, 1.0), LONGEST_RETRY_AFTER_SECONDS))
    return ((b"retry-after", b"%d" % whole),)


def _framework(error: HTTPException) -> ErrorAnswer:
    """Litestar's own: unknown routes and methods, bodies it could not read, a handler's refusals."""
    status = error.status_code
    if status >= 500 and status != 503:
        return describe(RuntimeError())
    headers = tuple((k.lower().encode(), v.encode()) for k, v in (error.headers or {}).items() if k.lower() == "allow")
    if isinstance(error, ValidationException):
        message, param = _first_complaint(error)
        return ErrorAnswer(400, ErrorDetail(message, "invalid_request_error", param, "invalid_value"), headers)
    code = _CODE_OF_STATUS.get(status, "invalid_value")
    message = {404: "There is nothing at this address.", 405: "This address does not take that method."}.get(
        status, error.detail or "The request was refused."
    )
    return ErrorAnswer(status, ErrorDetail(message, _type(status, code), None, code), headers)


def _first_complaint(error: ValidationException) -> tuple[str, str | None]:
    extra = error.extra
    if isinstance(extra, list) and extra and isinstance(extra[0], dict):
        first = cast(dict[str, object], extra[0])
        key = first.get("key")
        return str(first.get("message", error.detail)), str(key) if key else None
    return error.detail, None


def _example(status: int, code: str, message: str, param: str | None = None) -> ResponseSpec:
    body = ErrorBody(ErrorDetail(message, _type(status, code), param, code), "req_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f")
    return ResponseSpec(
        ErrorBody,
        generate_examples=False,
        description=message,
        examples=[Example(summary=code, value=msgspec.to_builtins(body))],
    )


ERRORS: dict[int, ResponseSpec] = {
    400: _example(400, "missing_required_parameter", "Missing required parameter: 'messages'.", "messages"),
    401: _example(401, "invalid_api_key", "Incorrect API key provided."),
    403: _example(403, "model_not_allowed", "This key may not use the model 'gpt-5.5'."),
    404: _example(404, "model_not_found", "The model 'gpt-99' does not exist or you do not have access to it."),
    413: _example(413, "request_too_large", "The request body is larger than 33554432 bytes."),
    429: _example(429, "rate_limit_exceeded", "Every provider of this model is rate limited; try again in 12 s."),
    502: _example(502, "upstream_error", "The provider failed to answer."),
    503: _example(503, "no_provider_available", "No provider of this model is available now."),
    504: _example(504, "upstream_timeout", "The provider did not answer in time."),
}
"""The error answers of an inference operation, for OpenAPI."""
