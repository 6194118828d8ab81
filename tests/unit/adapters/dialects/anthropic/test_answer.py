"""Whole answers of the Messages API as chat completions."""

import json

import pytest

from adapters.dialects.anthropic.chat import AnthropicChat
from adapters.wire.call import DialectCall, PlainAnswer
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.anthropic.samples import NATIVE, VERTEX, Fields, chat_call, validator

DIALECT = AnthropicChat(NATIVE)
TEXT = {"type": "text", "text": "hi", "citations": None}
USAGE = {
    "input_tokens": 5,
    "cache_creation_input_tokens": 20,
    "cache_read_input_tokens": 100,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 7,
    "output_tokens_details": {"thinking_tokens": 3},
    "server_tool_use": None,
    "service_tier": "standard",
}


def a_message(*content: Fields, **fields: object) -> Fields:
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-served", "content": list(content)}
    end = {"stop_reason": "end_turn", "stop_sequence": None, "stop_details": None, "usage": USAGE}
    return {**head, **end, **fields}


def read(message: Fields, call: DialectCall[ChatRequest] | None = None) -> PlainAnswer:
    return DIALECT.read(json.dumps(message).encode(), call or chat_call(), "application/json")


def choice(answer: PlainAnswer) -> Fields:
    body = json.loads(answer.body)
    validator("openai.chat.response").validate(body)
    found: Fields = body["choices"][0]
    return found


def test_an_answer_has_its_text_model_and_usage() -> None:
    answer = read(a_message(TEXT))

    body = json.loads(answer.body)
    assert choice(answer)["message"]["content"] == "hi"
    assert (body["id"], body["model"], body["service_tier"]) == ("msg_1", "claude-served", "default")
    assert answer.usage == TokenUsage(125, 7, cache_read_tokens=100, cache_write_tokens=20, reasoning_tokens=3)
    assert body["usage"]["prompt_tokens"] == 125
    assert body["usage"]["prompt_tokens_details"] == {
        "cached_tokens": 100,
        "cache_write_tokens": 20,
        "audio_tokens": 0,
        "cache_creation_token_details": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 0},
    }


def test_the_sample_is_what_the_sdk_types() -> None:
    validator("anthropic.messages.response").validate(a_message(TEXT))


def test_thoughts_calls_and_texts_each_have_their_place() -> None:
    answer = read(
        a_message(
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "eHh4"},
            {"type": "text", "text": "So "},
            {"type": "text", "text": "be it."},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"city": "Zürich"}},
            {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
            stop_reason="tool_use",
        )
    )

    received = choice(answer)
    assert received["finish_reason"] == "tool_calls"
    assert received["message"] == {
        "role": "assistant",
        "content": "So be it.",
        "refusal": None,
        "reasoning_content": "hm",
        "thinking_blocks": [
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "eHh4"},
        ],
        "tool_calls": [
            {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": '{"city": "Z\\u00fcrich"}'}},
            {"id": "toolu_2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ],
    }


def test_what_an_answer_kept_can_be_sent_back() -> None:
    blocks: list[Fields] = [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
    ]
    received = choice(read(a_message(*blocks, stop_reason="tool_use")))["message"]
    result = {"role": "tool", "tool_call_id": "toolu_1", "content": "x"}

    again = DIALECT.encode(chat_call(messages=[{"role": "user", "content": "a"}, received, result]), stream=False)

    assert json.loads(again.body)["messages"][1] == {"role": "assistant", "content": blocks}


def test_calls_alone_have_no_content() -> None:
    received = choice(
        read(a_message({"type": "tool_use", "id": "t", "name": "f", "input": None}, stop_reason="tool_use"))
    )

    assert received["message"]["content"] is None
    assert received["message"]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_a_refusal_is_a_content_filter_with_its_words() -> None:
    details = {"type": "refusal", "category": "x", "explanation": "No."}

    received = choice(read(a_message(stop_reason="refusal", stop_details=details)))

    assert (received["finish_reason"], received["message"]["refusal"]) == ("content_filter", "No.")


def test_citations_with_an_address_are_annotations() -> None:
    cited = {
        "type": "text",
        "text": "Snow.",
        "citations": [
            {"type": "search_result_location", "source": "https://a.example", "title": None},
            {"type": "char_location", "document_index": 0},
        ],
    }

    received = choice(read(a_message({"type": "text", "text": "So: "}, cited)))["message"]

    source = {"start_index": 4, "end_index": 9, "title": "", "url": "https://a.example"}
    assert received["annotations"] == [{"type": "url_citation", "url_citation": source}]


def test_a_forced_answer_is_the_content() -> None:
    schema = {"name": "answer", "schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}
    call = chat_call("claude-3-5-haiku-20241022", response_format={"type": "json_schema", "json_schema": schema})
    used = {"type": "tool_use", "id": "t", "name": "answer_in_json", "input": {"a": 1}}

    received = choice(read(a_message(used, stop_reason="tool_use"), call))

    assert (received["message"]["content"], received["finish_reason"]) == ('{"a": 1}', "stop")
    assert "tool_calls" not in received["message"]


def test_on_vertex_a_tool_gives_the_format() -> None:
    schema = {"name": "answer", "schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}
    call = chat_call("claude-opus-4-6", response_format={"type": "json_schema", "json_schema": schema})
    dialect = AnthropicChat(VERTEX)
    used = {"type": "tool_use", "id": "t", "name": "answer_in_json", "input": {"a": 1}}

    sent = json.loads(dialect.encode(call, stream=False).body)
    answer = dialect.read(json.dumps(a_message(used, stop_reason="tool_use")).encode(), call, "application/json")

    assert sent["tool_choice"]["name"] == "answer_in_json"
    assert choice(answer)["message"]["content"] == '{"a": 1}'


@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": 0, "output_tokens": 0}])
def test_without_usage_there_is_text_to_estimate_from(usage: Fields | None) -> None:
    """R-22."""
    answer = read(a_message(TEXT, usage=usage))

    assert (answer.usage, answer.output_text) == (None, "hi")


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]", b'{"content": "text"}', b"\xff", b"null"])
def test_what_is_no_message_is_a_server_error(body: bytes) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        DIALECT.read(body, chat_call(), "application/json")

    assert caught.value.kind is FailureKind.SERVER_ERROR


def test_an_error_in_a_200_is_a_failure() -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}

    with pytest.raises(UpstreamFailure, match="Overloaded") as caught:
        read(body)

    assert caught.value.kind is FailureKind.OVERLOADED
