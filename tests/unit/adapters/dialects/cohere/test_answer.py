"""Whole answers and refusals of Cohere."""

import json
from typing import Any

import pytest

from adapters.dialects.cohere.chat import CohereChat
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.cohere.samples import NOW, a_call
from tests.unit.adapters.dialects.openai.samples import validator

ANSWER: dict[str, Any] = {
    "id": "c14c80c3",
    "finish_reason": "COMPLETE",
    "message": {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Yes."}],
        "citations": [{"start": 0, "end": 3, "text": "Yes", "sources": [{"type": "tool", "id": "f_1:0"}]}],
    },
    "usage": {
        "billed_units": {"input_tokens": 5.0, "output_tokens": 2.0},
        "tokens": {"input_tokens": 71.0, "output_tokens": 4},
    },
}


def read(**changes: Any) -> dict[str, Any]:
    received = CohereChat().read(json.dumps(ANSWER | changes).encode(), a_call(), "application/json")
    body: dict[str, Any] = json.loads(received.body)
    validator("response").validate(body)
    return body


def failure(status: int, message: str, *headers: tuple[bytes, bytes]) -> UpstreamFailure:
    return CohereChat().failure(status, headers, json.dumps({"message": message, "id": "x"}).encode(), a_call())


def test_a_text_is_an_answer_with_thoughts_citations_and_what_is_billed() -> None:
    received = read()

    said = received["choices"][0]["message"]
    assert (received["id"], said["content"], said["reasoning_content"]) == ("c14c80c3", "Yes.", "Hm.")
    assert said["annotations"][0]["url_citation"]["title"] == "f_1:0"
    assert received["usage"]["prompt_tokens"] == 5


def test_calls_are_told_with_their_plan() -> None:
    calls = [
        {"id": "f_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "g_1", "type": "function", "function": {"name": "g"}},
    ]
    choice = read(finish_reason="TOOL_CALL", message={"tool_plan": "I look.", "tool_calls": calls})["choices"][0]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["reasoning_content"] == "I look."
    assert [call["function"]["arguments"] for call in choice["message"]["tool_calls"]] == ['{"a":1}', "{}"]


@pytest.mark.parametrize("body", [b"{}", b"[]", json.dumps(ANSWER | {"finish_reason": "ERROR"}).encode()])
def test_what_is_no_answer_is_a_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        CohereChat().read(body, a_call(), "application/json")

    assert caught.value.kind is FailureKind.SERVER_ERROR


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "invalid request: bad", FailureKind.CLIENT_FAULT),
        (400, "too many tokens: total number of tokens in the prompt is too high", FailureKind.CONTEXT_LENGTH),
        (401, "invalid api token", FailureKind.INVALID_CREDENTIAL),
        (402, "please add a payment method", FailureKind.QUOTA_EXHAUSTED),
        (403, "forbidden", FailureKind.INVALID_CREDENTIAL),
        (404, "model 'x' not found", FailureKind.MODEL_ABSENT),
        (422, "wrong type", FailureKind.CLIENT_FAULT),
        (429, "Please wait and try again later", FailureKind.RATE_LIMITED),
        (
            429,
            "You are using a Trial key, which is limited to 1000 API calls / month.",
            FailureKind.QUOTA_EXHAUSTED,
        ),
        (498, "invalid token", FailureKind.INVALID_CREDENTIAL),
        (499, "cancelled", FailureKind.UNEXPECTED_ANSWER),
        (500, "internal", FailureKind.SERVER_ERROR),
        (503, "busy", FailureKind.OVERLOADED),
        (504, "timeout", FailureKind.SERVER_ERROR),
    ],
)
def test_each_refusal_has_its_kind_and_its_words(status: int, message: str, kind: FailureKind) -> None:
    found = failure(status, message)

    assert (found.kind, found.message) == (kind, message)


def test_a_spent_month_waits_for_the_next() -> None:
    assert failure(429, "limited to 1000 API calls / month").retry_after_seconds == pytest.approx(9.96 * 86_400, 0.01)
    assert failure(429, "slow", (b"retry-after", b"3")).retry_after_seconds == 3


def test_a_trial_keys_headers_are_its_limits() -> None:
    headers = [
        (b"x-trial-endpoint-call-limit", b"20"),
        (b"x-trial-endpoint-call-remaining", b"19"),
        (b"x-endpoint-monthly-call-limit", b"1000"),
    ]

    assert CohereChat().limits(headers, NOW) == (
        RateLimitWindow("requests", "minute", 20, 19, 60.0, by_model=True),
        RateLimitWindow("requests", "month", 1000, None, None),
    )


def test_usage_without_counts_is_none() -> None:
    answer = CohereChat().read(json.dumps(ANSWER | {"usage": {}}).encode(), a_call(), "application/json")

    assert answer.usage is None
    assert "Yes." in answer.output_text
    assert TokenUsage() != answer.usage
