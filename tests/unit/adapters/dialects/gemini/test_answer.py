"""Gemini's whole answers as OpenAI's, and its refusals."""

import base64
import json
from typing import Any

import pytest

from adapters.dialects.gemini.chat import GeminiChat
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.gemini.samples import a_call, answered, read, sample


def choice(body: object, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read(body, **fields).body)["choices"][0]
    return found


def failed(body: object) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as caught:
        read(body)
    return caught.value


def refused(status: int, error: dict[str, Any]) -> UpstreamFailure:
    return GeminiChat().failure(status, [], json.dumps({"error": error}).encode(), a_call())


def test_a_whole_answer_is_openais() -> None:
    answer = read(answered({"text": "hm", "thought": True}, {"text": "he"}, {"text": "y"}))
    body = json.loads(answer.body)

    assert (body["id"], body["object"], body["model"]) == ("chatcmpl-r1", "chat.completion", "gemini-3-flash-001")
    assert body["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "hey", "refusal": None, "reasoning_content": "hm"},
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert (body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]) == (5, 2)
    assert answer.usage == TokenUsage(input_tokens=5, output_tokens=2)


def test_usage_counts_as_openai_does() -> None:
    body = answered({"text": "x"}) | {
        "usageMetadata": {
            "promptTokenCount": 100,
            "toolUsePromptTokenCount": 10,
            "cachedContentTokenCount": 64,
            "candidatesTokenCount": 7,
            "thoughtsTokenCount": 20,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 20},
                {"modality": "IMAGE", "tokenCount": 50},
                {"modality": "AUDIO", "tokenCount": 30},
            ],
            "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 3}],
        }
    }

    assert read(body).usage == TokenUsage(
        input_tokens=110,
        output_tokens=27,
        cache_read_tokens=64,
        reasoning_tokens=20,
        audio_input_tokens=30,
        audio_output_tokens=3,
        image_tokens=50,
    )


def test_without_usage_the_text_is_there_to_be_counted() -> None:
    body = answered({"text": "hey"})
    del body["usageMetadata"]

    answer = read(body)

    assert (answer.usage, answer.output_text) == (None, "hey")


def test_a_call_ends_with_tool_calls_although_gemini_says_stop() -> None:
    found = choice(answered({"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"}))

    call = found["message"]["tool_calls"][0]
    assert found["finish_reason"] == "tool_calls"
    assert found["message"]["content"] is None
    assert call["function"] == {"name": "f", "arguments": '{"a":1}'}
    assert call["extra_content"]["google"]["thought_signature"] == "c2ln"


@pytest.mark.parametrize(
    ("reason", "received"),
    [
        ("MAX_TOKENS", "length"),
        ("CONTINUATION", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("SPII", "content_filter"),
        ("SOMETHING_NEW", "stop"),
    ],
)
def test_reasons_are_told_in_openais_words(reason: str, received: str) -> None:
    assert choice(answered({"text": "x"}, finish=reason))["finish_reason"] == received


def test_an_answer_that_was_all_thought_is_empty_and_too_long() -> None:
    found = choice({"candidates": [{"finishReason": "MAX_TOKENS"}], "usageMetadata": {"promptTokenCount": 5}})

    assert (found["message"]["content"], found["finish_reason"]) == (None, "length")


def test_a_blocked_prompt_is_a_filtered_answer() -> None:
    found = choice({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 5}})

    assert (found["message"]["content"], found["finish_reason"]) == (None, "content_filter")


@pytest.mark.parametrize(
    "body",
    [
        answered(finish="MALFORMED_FUNCTION_CALL"),
        answered(finish="FINISH_REASON_UNSPECIFIED"),
        {"usageMetadata": {"promptTokenCount": 1}},
        {"candidates": "none"},
        [],
        {"error": {"code": 500, "message": "Internal error encountered.", "status": "INTERNAL"}},
    ],
)
def test_what_is_no_answer_may_be_tried_elsewhere(body: object) -> None:
    assert failed(body).kind is FailureKind.SERVER_ERROR


def test_logprobs_and_pictures_and_recordings_are_carried_over() -> None:
    samples = base64.b64encode(b"\x01\x00" * 4).decode()
    found = choice(
        answered(
            {"text": "hi"},
            {"inlineData": {"mimeType": "image/png", "data": "aWk="}},
            {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=16000", "data": samples}},
            logprobsResult={
                "chosenCandidates": [{"token": "hi", "logProbability": -0.25}],
                "topCandidates": [{"candidates": [{"token": "hi", "logProbability": -0.25}, {"token": "yo"}]}],
            },
        )
    )

    token = found["logprobs"]["content"][0]
    assert (token["token"], token["logprob"], token["bytes"]) == ("hi", -0.25, [104, 105])
    assert [top["token"] for top in token["top_logprobs"]] == ["hi", "yo"]
    assert found["message"]["images"][0]["image_url"]["url"] == "data:image/png;base64,aWk="
    recording = base64.b64decode(found["message"]["audio"]["data"])
    assert recording[:4] + recording[8:12] == b"RIFFWAVE"
    assert int.from_bytes(recording[24:28], "little") == 16000
    assert len(recording) == 44 + 8


def test_a_spent_day_ends_at_midnight_pacific_time_and_a_minute_when_google_says() -> None:
    day = GeminiChat().failure(429, [], sample("quota.json"), a_call())
    minute = GeminiChat().failure(429, [], sample("quota.json").replace(b"PerDay", b"PerMinute"), a_call())

    assert (day.kind, day.retry_after_seconds) == (FailureKind.QUOTA_EXHAUSTED, 25_200.0)
    assert (minute.kind, minute.retry_after_seconds) == (FailureKind.RATE_LIMITED, 46.0)


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (429, {"status": "RESOURCE_EXHAUSTED", "message": "Quota exceeded, limit: 0, model: x"}, "model_blocked"),
        (429, {"status": "RESOURCE_EXHAUSTED", "message": "Resource exhausted, try again later."}, "rate_limited"),
        (400, {"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}, "invalid_credential"),
        (
            400,
            {"status": "INVALID_ARGUMENT", "message": "API key not valid. Please pass a valid API key."},
            "invalid_credential",
        ),
        (400, {"status": "INVALID_ARGUMENT", "message": "Invalid value at 'contents'"}, "client_fault"),
        (
            400,
            {
                "status": "INVALID_ARGUMENT",
                "message": "The input token count (2) exceeds the maximum number of tokens allowed (1).",
            },
            "context_length",
        ),
        (400, {"status": "FAILED_PRECONDITION", "message": "User location is not supported"}, "address_refused"),
        (403, {"status": "PERMISSION_DENIED", "message": "no"}, "invalid_credential"),
        (404, {"status": "NOT_FOUND", "message": "models/x is not found"}, "model_absent"),
        (500, {"status": "INTERNAL", "message": "no"}, "server_error"),
        (503, {"status": "UNAVAILABLE", "message": "overloaded"}, "overloaded"),
        (504, {"status": "DEADLINE_EXCEEDED", "message": "no"}, "server_error"),
    ],
)
def test_refusals_are_told_apart(status: int, error: dict[str, Any], kind: str) -> None:
    assert refused(status, {"code": status, **error}).kind == kind


def test_usage_that_counts_nothing_is_none() -> None:
    """R-22: an imitator's zeros are no usage, so that it is estimated from what was said."""
    body = answered({"text": "hi"}) | {"usageMetadata": {"promptTokenCount": 0, "candidatesTokenCount": 0}}

    answer = read(body)

    assert (answer.usage, answer.output_text) == (None, "hi")
