"""What a client is told when no candidate served: a mixture of failures is one answer (contracts 6 and 7)."""

import pytest

from application.inference.verdict import Unavailability, broken, verdict
from domain.availability import KeyCondition
from domain.errors import GatewayError
from domain.failover import FailureKind
from entrypoints.http.error_styles import ANTHROPIC_ERRORS, OPENAI_ERRORS
from entrypoints.http.errors import describe
from tests.builders import NOW
from tests.fakes.providers import failure

K = FailureKind


def received(*kinds: FailureKind, passed_over: Unavailability | None = None) -> GatewayError:
    failures = [failure(kind, status=400) for kind in kinds]
    return verdict(failures, passed_over or Unavailability(), "m", "chat.completions", NOW)


@pytest.mark.parametrize(
    ("kinds", "code", "status"),
    [
        ((K.FEATURE_REFUSED,), "", 400),
        ((K.FEATURE_REFUSED, K.UNSUPPORTED), "", 400),
        ((K.ADDED_FIELD_REFUSED,), "", 400),
        ((K.FEATURE_REFUSED, K.RATE_LIMITED), "rate_limit_exceeded", 429),
        ((K.MODEL_BLOCKED,), "model_not_found", 404),
        ((K.MODEL_BLOCKED, K.MODEL_ABSENT), "model_not_found", 404),
        ((K.OVER_ALLOWANCE,), "rate_limit_exceeded", 429),
        ((K.OVER_ALLOWANCE, K.QUOTA_EXHAUSTED), "rate_limit_exceeded", 429),
        ((K.INVALID_CREDENTIAL, K.RATE_LIMITED), "upstream_auth_failed", 502),
        ((K.UNEXPECTED_ANSWER,), "upstream_error", 502),
        ((K.UNEXPECTED_ANSWER, K.INVALID_CREDENTIAL), "upstream_error", 502),
        ((K.OVERLOADED,), "overloaded", 503),
        ((K.RATE_LIMITED, K.OVERLOADED), "overloaded", 503),
        ((K.OVERLOADED, K.SERVER_ERROR), "upstream_error", 502),
        ((K.LOCAL_SHORTAGE,), "overloaded", 503),
        ((K.LOCAL_SHORTAGE, K.RATE_LIMITED), "overloaded", 503),
        ((K.CONTEXT_LENGTH, K.RATE_LIMITED), "", 400),
    ],
)
def test_failures_are_told_as_one_error(kinds: tuple[FailureKind, ...], code: str, status: int) -> None:
    error = received(*kinds)

    assert (error.code, describe(error).status) == (code, status)


def test_an_overload_is_told_to_each_client_in_its_own_words() -> None:
    answer = describe(received(K.OVERLOADED))

    assert OPENAI_ERRORS.plain(answer, "req_1")[0] == 503
    status, body = ANTHROPIC_ERRORS.plain(answer, "req_1")
    assert (status, b'"overloaded_error"' in body) == (529, True)


def test_an_overload_in_the_middle_of_a_stream_keeps_its_name() -> None:
    answer = describe(broken(failure(K.OVERLOADED, status=529)))

    assert b'"code":"overloaded"' in OPENAI_ERRORS.event(answer, "req_1")
    assert b'"overloaded_error"' in ANTHROPIC_ERRORS.event(answer, "req_1")


def test_a_provider_that_is_only_overloaded_may_be_asked_again_soon() -> None:
    assert (b"x-should-retry", b"false") not in describe(received(K.OVERLOADED)).headers


def test_a_model_that_is_resting_is_told_with_its_wait() -> None:
    passed = Unavailability()
    passed.key(KeyCondition.RATE_LIMITED, NOW)

    assert received(passed_over=passed).code == "rate_limit_exceeded"
