"""Whole answers and refusals of Ollama."""

import json
from typing import Any

import pytest

from adapters.dialects.ollama.chat import OllamaChat
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.ollama.samples import a_call
from tests.unit.adapters.dialects.openai.samples import validator

ANSWER: dict[str, Any] = {
    "model": "qwen3:8b",
    "message": {"role": "assistant", "content": "Yes.", "thinking": "Hm."},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 11,
    "eval_count": 3,
}


def read(**changes: Any) -> dict[str, Any]:
    received = OllamaChat().read(json.dumps(ANSWER | changes).encode(), a_call(), "application/json")
    body: dict[str, Any] = json.loads(received.body)
    validator("response").validate(body)
    return body


def failure(status: int, message: str) -> UpstreamFailure:
    return OllamaChat().failure(status, [], json.dumps({"error": message}).encode(), a_call())


def test_a_text_is_an_answer_with_thoughts_and_usage() -> None:
    answer = OllamaChat().read(json.dumps(ANSWER).encode(), a_call(), "application/json")

    said = json.loads(answer.body)["choices"][0]["message"]
    assert (said["content"], said["reasoning_content"]) == ("Yes.", "Hm.")
    assert (answer.model, answer.usage) == ("qwen3:8b", TokenUsage(11, 3))


def test_calls_are_told_with_ids_and_arguments_as_text() -> None:
    calls = [{"function": {"name": "f", "arguments": {"a": 1}}}, {"function": {"name": "f", "arguments": '{"a":2}'}}]
    choice = read(message={"content": "", "tool_calls": calls})["choices"][0]

    received = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert [call["function"]["arguments"] for call in received] == ['{"a":1}', '{"a":2}']
    assert received[0]["id"] != received[1]["id"]


@pytest.mark.parametrize("changes", [{"prompt_eval_count": 0}, {"prompt_eval_count": None}, {"eval_count": None}])
def test_a_missing_count_is_no_usage(changes: dict[str, Any]) -> None:
    """R-22."""
    answer = OllamaChat().read(json.dumps(ANSWER | changes).encode(), a_call(), "application/json")

    assert answer.usage is None
    assert "Yes." in answer.output_text


@pytest.mark.parametrize("body", [b"{}", b"Ollama is running", b'{"error":"no"}', b'{"message":{},"done":false}'])
def test_what_is_no_answer_is_a_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        OllamaChat().read(body, a_call(), "application/json")

    assert caught.value.kind is FailureKind.SERVER_ERROR


@pytest.mark.parametrize(
    ("status", "message", "kind", "param"),
    [
        (400, "invalid options", FailureKind.CLIENT_FAULT, None),
        (400, '"llama3.2" does not support thinking', FailureKind.FEATURE_REFUSED, "reasoning_effort"),
        (400, "registry.ollama.ai/library/gemma:2b does not support tools", FailureKind.FEATURE_REFUSED, "tools"),
        (400, "the input length exceeds the context length", FailureKind.CONTEXT_LENGTH, None),
        (401, "unauthorized", FailureKind.INVALID_CREDENTIAL, None),
        (404, "model 'x' not found", FailureKind.MODEL_ABSENT, None),
        (500, "model requires more system memory than is available", FailureKind.MODEL_ABSENT, None),
        (503, "server busy, please try again. maximum pending requests exceeded", FailureKind.OVERLOADED, None),
    ],
)
def test_each_refusal_has_its_kind_and_its_words(
    status: int, message: str, kind: FailureKind, param: str | None
) -> None:
    found = failure(status, message)

    assert (found.kind, found.param) == (kind, param)
    assert message in found.message


def test_a_prompt_too_long_says_what_to_do() -> None:
    assert "num_ctx" in failure(400, "the input length exceeds the context length").message
