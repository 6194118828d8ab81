"""A chat's answer becomes a message."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from adapters.ingress.messages.answer import as_message
from domain.errors import UpstreamFailure
from domain.usage import TokenUsage
from tests.unit.adapters.ingress.messages.samples import chat, schema

USAGE = TokenUsage(10, 5, cache_read_tokens=3, cache_write_tokens=2, reasoning_tokens=4)


def answered(
    finish: str = "stop",
    message: Mapping[str, object] = {},
    /,
    *,
    stops: tuple[str, ...] = (),
    usage: TokenUsage = USAGE,
    **said: object,
) -> dict[str, Any]:
    choice: dict[str, object] = {"index": 0, "finish_reason": finish, "stop_reason": said.pop("stop_reason", None)}
    body = {
        "id": "chatcmpl-1",
        "model": "m",
        "choices": [choice | {"message": {"role": "assistant", **message, **said}}],
    }
    found: dict[str, Any] = json.loads(as_message(json.dumps(body).encode(), "served", usage, stops))
    schema("response").validate(found)
    return found


def call(arguments: str) -> list[dict[str, object]]:
    return [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": arguments}}]


def test_text_is_a_block_and_the_model_is_who_served() -> None:
    found = answered(content="hi")

    assert (found["id"], found["model"], found["role"], found["type"]) == ("msg_1", "served", "assistant", "message")
    assert found["content"] == [{"type": "text", "text": "hi"}]
    assert (found["stop_reason"], found["stop_sequence"]) == ("end_turn", None)


def test_usage_is_counted_as_anthropic_counts() -> None:
    usage = answered(content="hi")["usage"]

    assert (usage["input_tokens"], usage["output_tokens"]) == (5, 5)
    assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (3, 2)
    assert usage["output_tokens_details"] == {"thinking_tokens": 4}
    assert answered(usage=TokenUsage(1, 1, cache_read_tokens=9))["usage"]["input_tokens"] == 0


def test_thoughts_come_first_then_text_then_calls() -> None:
    found = answered("tool_calls", content="I look.", reasoning_content="hm", tool_calls=call('{"a": 1}'))

    assert [block["type"] for block in found["content"]] == ["thinking", "text", "tool_use"]
    assert found["content"][0] == {"type": "thinking", "thinking": "hm", "signature": ""}
    assert found["content"][2] == {"type": "tool_use", "id": "call_1", "name": "look", "input": {"a": 1}}


def test_anthropics_own_thoughts_come_back_whole() -> None:
    signed = [
        {"type": "thinking", "thinking": "deep", "signature": "sig"},
        {"type": "redacted_thinking", "data": "abc"},
    ]

    assert answered(content=None, reasoning_content="deep", thinking_blocks=signed)["content"] == signed


@pytest.mark.parametrize(
    ("finish", "message", "reason"),
    [
        ("stop", {"content": "a"}, "end_turn"),
        ("length", {"content": "a"}, "max_tokens"),
        ("tool_calls", {"tool_calls": call("{}")}, "tool_use"),
        ("stop", {"tool_calls": call("{}")}, "tool_use"),
        ("length", {"tool_calls": call("{")}, "max_tokens"),
        ("function_call", {"content": None}, "end_turn"),
        ("content_filter", {"content": "a"}, "refusal"),
        ("stop", {"refusal": "No."}, "refusal"),
    ],
)
def test_stop_reasons(finish: str, message: dict[str, object], reason: str) -> None:
    assert answered(finish, message)["stop_reason"] == reason


def test_a_refusal_is_said_and_explained() -> None:
    found = answered(refusal="No.")

    assert found["content"] == [{"type": "text", "text": "No."}]
    assert found["stop_details"] == {"type": "refusal", "category": None, "explanation": "No."}


def test_a_stop_sequence_that_was_hit_is_named() -> None:
    """vLLM tells which."""
    found = answered(stops=("END",), content="a", stop_reason="END")

    assert (found["stop_reason"], found["stop_sequence"]) == ("stop_sequence", "END")
    assert answered(stops=("END",), content="a", stop_reason="other")["stop_reason"] == "end_turn"


@pytest.mark.parametrize(
    ("arguments", "read"), [("", {}), (" ", {}), ("{", {"INVALID_JSON": "{"}), ("[1]", {"INVALID_JSON": "[1]"})]
)
def test_arguments_that_are_no_object_are_shown_as_they_are(arguments: str, read: dict[str, object]) -> None:
    assert answered(tool_calls=call(arguments))["content"][0]["input"] == read


def test_an_answer_without_anything_has_no_content() -> None:
    assert answered(content="")["content"] == []


@pytest.mark.parametrize("body", [b"", b"{}", b'{"choices":[]}', b"<html>"])
def test_what_is_no_completion_is_the_providers_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailure):
        as_message(body, "m", USAGE)


def test_what_hangs_on_a_call_goes_out_and_comes_back() -> None:
    """Gemini's signatures: through a client of Anthropic's, and back to Gemini alone."""
    extra = {"google": {"thought_signature": "sig=="}}
    found = answered(tool_calls=[{**call('{"a": 1}')[0], "extra_content": extra}])["content"]

    assert [block["type"] for block in found] == ["redacted_thinking", "tool_use"]
    assert found[0]["data"].startswith("omg1.")
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": found}]
    to_gemini, _ = chat("google/gemini-3-pro", messages=turns)
    to_others, dropped = chat("gpt-5.5", messages=turns)
    assert to_gemini["messages"][1]["tool_calls"][0]["extra_content"] == extra
    assert "extra_content" not in to_others["messages"][1]["tool_calls"][0]
    assert "thinking_blocks" not in to_others["messages"][1]
    assert dropped == ()
