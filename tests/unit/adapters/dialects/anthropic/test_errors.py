"""What Anthropic's refusals mean, and what its headers say of the limits."""

import json

import pytest

from adapters.dialects.anthropic.chat import AnthropicChat
from adapters.wire.rate_limits import RawHeaders
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.unit.adapters.dialects.anthropic.samples import NATIVE, NOW, chat_call

DIALECT = AnthropicChat(NATIVE)


def refused(status: int, type_: str, message: str = "no", code: str = "", headers: RawHeaders = ()) -> UpstreamFailure:
    error: dict[str, object] = {"type": type_, "message": message}
    if code:
        error["details"] = {"error_code": code}
    body = json.dumps({"type": "error", "error": error, "request_id": "req_1"}).encode()
    return DIALECT.failure(status, headers, body, chat_call())


@pytest.mark.parametrize(
    ("status", "type_", "kind"),
    [
        (400, "invalid_request_error", FailureKind.CLIENT_FAULT),
        (401, "authentication_error", FailureKind.INVALID_CREDENTIAL),
        (402, "billing_error", FailureKind.QUOTA_EXHAUSTED),
        (403, "permission_error", FailureKind.INVALID_CREDENTIAL),
        (404, "not_found_error", FailureKind.MODEL_ABSENT),
        (413, "request_too_large", FailureKind.CLIENT_FAULT),
        (429, "rate_limit_error", FailureKind.RATE_LIMITED),
        (500, "api_error", FailureKind.SERVER_ERROR),
        (504, "timeout_error", FailureKind.SERVER_ERROR),
        (529, "overloaded_error", FailureKind.OVERLOADED),
    ],
)
def test_each_status_has_its_kind_and_keeps_its_words(status: int, type_: str, kind: FailureKind) -> None:
    failure = refused(status, type_, "in its own words")

    assert (failure.kind, failure.status, failure.type, failure.message) == (kind, status, type_, "in its own words")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("enforced_spend_limit_reached", FailureKind.QUOTA_EXHAUSTED),
        ("contract_spend_limit_reached", FailureKind.QUOTA_EXHAUSTED),
        ("ramp_limit_exceeded", FailureKind.RATE_LIMITED),
    ],
)
def test_a_429_by_its_code(code: str, kind: FailureKind) -> None:
    failure = refused(429, "rate_limit_error", code=code)

    assert (failure.kind, failure.code, failure.retry_after_seconds) == (kind, code, None)


@pytest.mark.parametrize(
    ("message", "wait"),
    [
        ("Your credit balance is too low to access the Anthropic API.", None),
        ("This organization's spend limit has been reached.", None),
        (
            "You have reached your specified API usage limits. You will regain access on 2026-11-21 at 02:00 UTC.",
            3600.0,
        ),
    ],
)
def test_a_400_about_money_is_a_spent_quota(message: str, wait: float | None) -> None:
    failure = refused(400, "invalid_request_error", message)

    assert (failure.kind, failure.retry_after_seconds) == (FailureKind.QUOTA_EXHAUSTED, wait)
    assert failure.message == message


def test_a_prompt_too_long_may_fit_another_model() -> None:
    failure = refused(400, "invalid_request_error", "prompt is too long: 250000 tokens > 200000 maximum")

    assert (failure.kind, failure.status) == (FailureKind.CONTEXT_LENGTH, 400)


@pytest.mark.parametrize(
    "message",
    [
        "This model does not support assistant message prefill. The conversation must end with a user message.",
        "`temperature` is not supported on this model",
    ],
)
def test_what_a_model_lacks_is_told_in_anthropics_words_and_may_be_asked_elsewhere(message: str) -> None:
    failure = refused(400, "invalid_request_error", message)

    assert (failure.kind, failure.status, failure.message) == (FailureKind.FEATURE_REFUSED, 400, message)


def test_what_the_request_is_at_fault_for_is_told_in_anthropics_words() -> None:
    message = "messages.1.content.0: Invalid `signature` in `thinking` block"

    failure = refused(400, "invalid_request_error", message)

    assert (failure.kind, failure.message) == (FailureKind.CLIENT_FAULT, message)


def test_an_overload_without_a_body_is_one() -> None:
    assert DIALECT.failure(529, (), b"", chat_call()).kind is FailureKind.OVERLOADED
    assert DIALECT.failure(502, (), b"<html>", chat_call()).kind is FailureKind.SERVER_ERROR


def test_the_wait_is_the_headers() -> None:
    assert refused(429, "rate_limit_error", headers=[(b"retry-after", b"7")]).retry_after_seconds == 7


def test_without_a_retry_after_the_spent_window_tells_the_wait() -> None:
    headers = [
        (b"anthropic-ratelimit-input-tokens-limit", b"40000"),
        (b"anthropic-ratelimit-input-tokens-remaining", b"0"),
        (b"anthropic-ratelimit-input-tokens-reset", b"2026-11-21T01:00:42Z"),
    ]

    assert refused(429, "rate_limit_error", headers=headers).retry_after_seconds == 42


def test_the_limits_are_read_with_their_resets() -> None:
    headers = [
        (b"anthropic-ratelimit-requests-limit", b"50"),
        (b"anthropic-ratelimit-requests-remaining", b"49"),
        (b"anthropic-ratelimit-requests-reset", b"2026-11-21T01:00:10Z"),
        (b"anthropic-ratelimit-tokens-limit", b"100000"),
        (b"anthropic-ratelimit-tokens-remaining", b"99000"),
        (b"anthropic-ratelimit-tokens-reset", b"2026-11-21T01:01:00+00:00"),
        (b"request-id", b"req_1"),
    ]

    assert DIALECT.limits(headers, NOW) == (
        RateLimitWindow("requests", "minute", 50, 49, 10, by_model=True),
        RateLimitWindow("tokens", "minute", 100000, 99000, 60, by_model=True),
    )


def test_the_key_is_masked() -> None:
    """S-21."""
    assert refused(401, "authentication_error", "bad sk-ant-canary-0123456789").message == "bad ***"
