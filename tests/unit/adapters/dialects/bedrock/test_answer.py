"""Whole answers of Converse as OpenAI's."""

import json
from typing import Any

import pytest

from adapters.dialects.bedrock.converse import BedrockConverse
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.bedrock.samples import NOVA, a_call
from tests.unit.adapters.dialects.openai.samples import validator

USAGE = {
    "inputTokens": 10,
    "outputTokens": 4,
    "totalTokens": 27,
    "cacheReadInputTokens": 8,
    "cacheWriteInputTokens": 5,
}


def an_answer(*content: dict[str, Any], stop: str = "end_turn") -> bytes:
    output = {"message": {"role": "assistant", "content": list(content)}}
    return json.dumps({"output": output, "stopReason": stop, "usage": USAGE, "metrics": {"latencyMs": 1}}).encode()


def read(body: bytes, **call: Any) -> dict[str, Any]:
    received: dict[str, Any] = json.loads(BedrockConverse().read(body, a_call(**call), "application/json").body)
    validator("response").validate(received)
    return received


def test_a_text_is_an_answer_with_all_its_input_counted() -> None:
    answer = BedrockConverse().read(an_answer({"text": "Hel"}, {"text": "lo"}), a_call(), "application/json")

    choice = json.loads(answer.body)["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Hello", "stop")
    assert answer.usage == TokenUsage(input_tokens=23, output_tokens=4, cache_read_tokens=8, cache_write_tokens=5)


def test_calls_thoughts_and_citations_are_told() -> None:
    message = read(
        an_answer(
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
            {"reasoningContent": {"redactedContent": "AA=="}},
            {"citationsContent": {"content": [{"text": "So."}], "citations": [{"title": "T"}]}},
            {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}},
            stop="tool_use",
        )
    )["choices"][0]

    said = message["message"]
    assert message["finish_reason"] == "tool_calls"
    assert said["reasoning_content"] == "hm"
    assert said["thinking_blocks"][1] == {"type": "redacted_thinking", "data": "AA=="}
    assert said["content"] == "So."
    received = {"start_index": 0, "end_index": 3, "title": "T", "url": ""}
    assert said["annotations"] == [{"type": "url_citation", "url_citation": received}]
    assert said["tool_calls"] == [{"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]


def test_thoughts_that_nobody_signed_are_words_alone() -> None:
    said = read(an_answer({"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"text": "So."}))

    message = said["choices"][0]["message"]
    assert message["reasoning_content"] == "hm"
    assert "thinking_blocks" not in message


def test_the_call_that_stands_for_a_schema_is_the_text() -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    body = an_answer({"toolUse": {"toolUseId": "t", "name": "json_answer", "input": {"a": 1}}}, stop="tool_use")

    choice = read(body, model=NOVA, response_format=wanted)["choices"][0]

    assert (json.loads(choice["message"]["content"]), choice["finish_reason"]) == ({"a": 1}, "stop")
    assert "tool_calls" not in choice["message"]


@pytest.mark.parametrize("body", [b"{}", b"<html>", b'{"message":"no"}', an_answer(stop="malformed_model_output")])
def test_what_is_no_answer_is_a_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        BedrockConverse().read(body, a_call(), "application/json")

    assert caught.value.kind is FailureKind.SERVER_ERROR


@pytest.mark.parametrize(
    ("details", "for_an_hour"),
    [
        ([{"ttl": "1h", "inputTokens": 3}, {"ttl": "5m", "inputTokens": 2}], 3),
        ([{"ttl": "5m", "inputTokens": 5}], 0),
        ([{"ttl": "1h", "inputTokens": 50}], 5),
        ([{"ttl": None}, {}, {"ttl": "1h"}], 0),
        ([], 0),
        (None, 0),
    ],
)
def test_what_is_cached_for_an_hour_is_counted_apart(details: object, for_an_hour: int) -> None:
    body = json.loads(an_answer({"text": "hi"})) | {"usage": USAGE | {"cacheDetails": details}}

    answer = BedrockConverse().read(json.dumps(body).encode(), a_call(), "application/json")

    assert answer.usage == TokenUsage(23, 4, 8, 5, cache_write_1h_tokens=for_an_hour)


def test_counts_of_nothing_are_no_usage() -> None:
    """R-22."""
    body = json.loads(an_answer({"text": "hi"})) | {"usage": {"inputTokens": 0, "outputTokens": 0, "cacheDetails": []}}

    answer = BedrockConverse().read(json.dumps(body).encode(), a_call(), "application/json")

    assert answer.usage is None
    assert answer.output_text == "hi"
