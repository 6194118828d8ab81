"""Refusals: which kind, how long to wait, whose words (contract 7)."""

import json

import pytest

from adapters.dialects.openai.quirks import Quirks
from adapters.wire.errors import failure_from_answer, shown
from adapters.wire.limit_headers import openai_limit_headers
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.unit.adapters.dialects.openai.samples import NOW, SECRET

K = FailureKind


def refuse(
    status: int, body: object = None, headers: dict[str, str] | None = None, quirks: Quirks | None = None
) -> UpstreamFailure:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return failure_from_answer(status, sent, raw, quirks or Quirks(), secret=SECRET, now=NOW)


def error(message: str = "m", **fields: object) -> dict[str, object]:
    return {"error": {"message": message} | fields}


def google(message: str, *details: object, code: int = 429, status: str = "RESOURCE_EXHAUSTED") -> object:
    return [{"error": {"code": code, "message": message, "status": status, "details": list(details)}}]


DAILY = {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}
MINUTE = {"violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]}
RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "46.5s"}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error(), K.CLIENT_FAULT),
        (401, error(code="invalid_api_key"), K.INVALID_CREDENTIAL),
        (402, error(code=402), K.QUOTA_EXHAUSTED),
        (403, error(), K.INVALID_CREDENTIAL),
        (403, error(code="model_not_found"), K.MODEL_BLOCKED),
        (403, error("flagged", metadata={"reasons": ["violence"], "flagged_input": "x"}), K.CONTENT_POLICY),
        (404, error(), K.MODEL_ABSENT),
        (408, error(), K.SERVER_ERROR),
        (409, error(), K.CLIENT_FAULT),
        (413, error(code="rate_limit_exceeded"), K.RATE_LIMITED),
        (422, {"detail": [{"loc": ["body", "n"], "msg": "too large"}]}, K.CLIENT_FAULT),
        (429, error(code="rate_limit_exceeded", type="requests"), K.RATE_LIMITED),
        (429, error(type="insufficient_quota", code="credit_balance_exhausted"), K.QUOTA_EXHAUSTED),
        (429, error(type="insufficient_quota"), K.QUOTA_EXHAUSTED),
        (429, error("Rate limit exceeded: free-models-per-day", code=429), K.QUOTA_EXHAUSTED),
        (429, error("Limit reached on requests per day (RPD)", code="rate_limit_exceeded"), K.QUOTA_EXHAUSTED),
        (429, error("Limit reached on tokens per minute (TPM)", code="rate_limit_exceeded"), K.RATE_LIMITED),
        (429, {"message": "Requests per minute limit exceeded", "type": "too_many_requests_error"}, K.RATE_LIMITED),
        (429, google("You exceeded your current quota", MINUTE, RETRY), K.RATE_LIMITED),
        (429, google("You exceeded your current quota", DAILY, RETRY), K.QUOTA_EXHAUSTED),
        (429, google("Quota exceeded, limit: 0, model: x", DAILY), K.MODEL_BLOCKED),
        (
            400,
            error("API key not valid. Please pass a valid API key.", status="INVALID_ARGUMENT"),
            K.INVALID_CREDENTIAL,
        ),
        (400, google("x", {"reason": "API_KEY_INVALID"}, code=400, status="INVALID_ARGUMENT"), K.INVALID_CREDENTIAL),
        (
            400,
            {"code": "Client specified an invalid argument", "error": "Incorrect API key provided"},
            K.INVALID_CREDENTIAL,
        ),
        (400, error("location", status="FAILED_PRECONDITION"), K.INVALID_CREDENTIAL),
        (400, error(code="context_length_exceeded"), K.CONTEXT_LENGTH),
        (400, error("This model's maximum context length is 8192 tokens."), K.CONTEXT_LENGTH),
        (413, error("prompt is too long"), K.CONTEXT_LENGTH),
        (400, error(code="content_policy_violation"), K.CONTENT_POLICY),
        (498, error(), K.OVERLOADED),
        (500, error(), K.SERVER_ERROR),
        (502, b"<html>bad gateway</html>", K.SERVER_ERROR),
        (503, {"error": "Model is loading", "estimated_time": 20.0}, K.OVERLOADED),
        (504, b"", K.SERVER_ERROR),
        (529, error(), K.OVERLOADED),
        (418, error(), K.UNEXPECTED_ANSWER),
    ],
)
def test_each_refusal_has_its_kind(status: int, body: object, kind: FailureKind) -> None:
    failure = refuse(status, body)

    assert failure.kind is kind
    assert failure.message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (error("told"), "told"),
        ({"error": "told"}, "told"),
        ({"error": ["told", "twice"]}, "told; twice"),
        ({"message": "told", "type": "x"}, "told"),
        ({"object": "error", "message": "told", "code": 400}, "told"),
        ({"detail": "told"}, "told"),
        ({"detail": {"message": "told"}}, "told"),
        ({"detail": [{"loc": ["body", "n"], "msg": "told"}, "twice"]}, "body.n: told; twice"),
        ({"success": False, "errors": [{"code": 7, "message": "told"}]}, "told"),
        ([error("told")], "told"),
        ("told", "told"),
        (b"told, plainly", "told, plainly"),
        (b"<html>told</html>", "The provider answered with HTTP 400."),
        (b"", "The provider answered with HTTP 400."),
        ([], "The provider answered with HTTP 400."),
        (error("Provider returned error", metadata={"raw": "told"}), "Provider returned error (told)"),
    ],
)
def test_the_providers_words_are_found_in_every_shape(body: object, message: str) -> None:
    assert refuse(400, body).message == message


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "7"}, None, 7),
        ({"Retry-After": "1.5"}, None, 1.5),
        ({"retry-after": "Sat, 21 Nov 2026 01:02:00 GMT"}, None, 120),
        ({"retry-after-ms": "250", "retry-after": "9"}, None, 0.25),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, None, 360),
        ({"x-ratelimit-remaining-tokens": "9", "x-ratelimit-reset-tokens": "6m0s"}, None, None),
        ({}, google("q", MINUTE, RETRY), 46.5),
        ({}, error("Please try again in 2m59.56s. Visit …"), 179.56),
        ({}, error("x", metadata={"headers": {"Retry-After": "3"}}), 3),
        ({}, {"error": "loading", "estimated_time": 20.0}, 20),
        ({"retry-after": "soon"}, None, None),
        ({"retry-after": "nan"}, None, None),
        ({"retry-after": "-5"}, None, 0),
        ({}, error("spent", type="insufficient_quota"), 82_800),
    ],
)
def test_the_wait_comes_from_the_most_explicit_source(
    headers: dict[str, str], body: object, seconds: float | None
) -> None:
    quirks = Quirks(limits=openai_limit_headers(), quota_resets="day")

    assert refuse(429, body, headers, quirks).retry_after_seconds == (
        None if seconds is None else pytest.approx(seconds)
    )


def test_a_providers_own_codes_come_first() -> None:
    assert (
        refuse(429, error(code="1113"), quirks=Quirks(error_kinds={"1113": "quota_exhausted"})).kind
        is K.QUOTA_EXHAUSTED
    )


def test_a_message_is_masked_before_it_is_cut() -> None:
    """S-21: half a key is still a leak."""
    failure = refuse(401, error("x" * 1010 + SECRET.reveal() + "y" * 500, code=SECRET.reveal()))

    assert "sk-up" not in failure.message
    assert len(failure.message) <= 1024
    assert failure.code == "***"
    assert shown("plain", None) == "plain"


def test_the_clients_fault_keeps_its_status_and_place() -> None:
    failure = refuse(422, error("bad n", param="n", type="invalid_request_error", code="x"))

    assert (failure.status, failure.param, failure.type, failure.code) == (422, "n", "invalid_request_error", "x")
    assert refuse(418, error()).status == 418
