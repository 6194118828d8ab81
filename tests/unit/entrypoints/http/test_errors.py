"""Every error as its answer (contract 6)."""

import pytest
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotAuthorizedException,
    NotFoundException,
    PermissionDeniedException,
    ServiceUnavailableException,
    ValidationException,
)

from domain.errors import (
    AllCandidatesFailed,
    ClientRejected,
    Conflict,
    NotFound,
    PermissionDenied,
    RequestInvalid,
    ServiceUnavailable,
    StoreUnavailable,
    StreamBroken,
    Unauthenticated,
    UpstreamFailure,
)
from domain.failover import FailureKind
from entrypoints.http.errors import describe

INVALID = "invalid_request_error"


@pytest.mark.parametrize(
    ("error", "status", "type_", "code"),
    [
        (RequestInvalid("m"), 400, INVALID, "invalid_value"),
        (RequestInvalid("m", code="request_too_large"), 413, INVALID, "request_too_large"),
        (Unauthenticated(), 401, INVALID, "invalid_api_key"),
        (PermissionDenied("m", code="model_not_allowed"), 403, "permission_error", "model_not_allowed"),
        (NotFound("m", code="model_not_found"), 404, INVALID, "model_not_found"),
        (Conflict("m"), 409, "conflict_error", "already_exists"),
        (AllCandidatesFailed("m", code="rate_limit_exceeded"), 429, "rate_limit_error", "rate_limit_exceeded"),
        (AllCandidatesFailed("m", code="insufficient_quota"), 429, "insufficient_quota", "insufficient_quota"),
        (AllCandidatesFailed("m", code="upstream_auth_failed"), 502, "api_error", "upstream_auth_failed"),
        (AllCandidatesFailed("m", code="no_provider_available"), 503, "api_error", "no_provider_available"),
        (AllCandidatesFailed("m", code="upstream_timeout"), 504, "api_error", "upstream_timeout"),
        (AllCandidatesFailed("m", code="something_new"), 502, "api_error", "something_new"),
        (StreamBroken("m", code="upstream_truncated"), 502, "api_error", "upstream_truncated"),
        (ServiceUnavailable("m", code="overloaded"), 503, "api_error", "overloaded"),
        (StoreUnavailable(), 503, "api_error", "store_unavailable"),
        (UpstreamFailure(FailureKind.CONNECT, "m"), 502, "api_error", None),
        (NotFoundException(), 404, INVALID, "not_found"),
        (MethodNotAllowedException(), 405, INVALID, "method_not_supported"),
        (NotAuthorizedException(), 401, INVALID, "invalid_api_key"),
        (PermissionDeniedException(), 403, "permission_error", "permission_denied"),
        (ClientException("m"), 400, INVALID, "invalid_value"),
        (ServiceUnavailableException(), 503, "api_error", "overloaded"),
        (HTTPException(status_code=501), 500, "api_error", "internal_error"),
        (ValueError("secret"), 500, "api_error", "internal_error"),
        (RecursionError(), 500, "api_error", "internal_error"),
    ],
)
def test_the_table(error: Exception, status: int, type_: str, code: str | None) -> None:
    answer = describe(error)

    assert (answer.status, answer.error.type, answer.error.code) == (status, type_, code)
    assert "secret" not in answer.error.message


def test_a_providers_verdict_on_the_request_is_passed_on_in_its_words() -> None:
    answer = describe(ClientRejected("too odd", status=422, type_="their_type", code="their_code", param="tools"))

    assert answer.status == 422
    assert (answer.error.message, answer.error.type) == ("too odd", "their_type")
    assert (answer.error.code, answer.error.param) == ("their_code", "tools")


@pytest.mark.parametrize(
    ("seconds", "sent"),
    [(0.0, b"1"), (-5.0, b"1"), (1.2, b"2"), (12.0, b"12"), (1e9, b"86400"), (float("inf"), b"86400")],
)
def test_waits_are_whole_seconds_within_reason(seconds: float, sent: bytes) -> None:
    answer = describe(AllCandidatesFailed("m", code="rate_limit_exceeded", retry_after_seconds=seconds))

    assert dict(answer.headers)[b"retry-after"] == sent


@pytest.mark.parametrize(
    ("code", "wait", "useless"),
    [
        ("rate_limit_exceeded", 12.0, False),
        ("rate_limit_exceeded", 600.0, True),
        ("rate_limit_exceeded", None, True),
        ("no_provider_available", 30.0, False),
        ("insufficient_quota", 30.0, True),
        ("upstream_error", None, True),
        ("upstream_timeout", 5.0, True),
    ],
)
def test_clients_are_told_not_to_retry_what_the_gateway_has_retried(
    code: str, wait: float | None, useless: bool
) -> None:
    answer = describe(AllCandidatesFailed("m", code=code, retry_after_seconds=wait))

    assert (dict(answer.headers).get(b"x-should-retry") == b"false") is useless


def test_a_validation_failure_names_the_first_field_at_fault() -> None:
    error = ValidationException(detail="d", extra=[{"message": "Expected `str`, got `int`", "key": "name"}])

    answer = describe(error)

    assert (answer.status, answer.error.param, answer.error.message) == (400, "name", "Expected `str`, got `int`")
