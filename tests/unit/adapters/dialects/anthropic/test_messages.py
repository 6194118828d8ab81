"""Requests, whole answers and token counts of the Messages API, passed on: bytes are kept, and read along."""

import json

import pytest

from adapters.dialects.anthropic.messages import AnthropicMessages, AnthropicTokenCount
from adapters.dialects.anthropic.params import MESSAGES_FIDELITY
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.inference import GATEWAY_FIELDS
from domain.messages import MessagesRequest
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.anthropic.samples import (
    BEDROCK,
    NATIVE,
    VERTEX,
    Fields,
    messages_call,
    validator,
)
from tests.unit.adapters.dialects.anthropic.test_answer import TEXT, a_message

DIALECT = AnthropicMessages(NATIVE)
COUNT = AnthropicTokenCount(NATIVE)


def test_a_request_keeps_its_bytes_but_for_the_model() -> None:
    fields = (
        b'"max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"h\\u00e9 \\/", '
        b'"cache_control" : {"type":"ephemeral","ttl":"1h"}}]}],"context_management":{"edits":[ ]},"container":"c_1"'
    )
    call = messages_call(b'{"model":"alias",' + fields + b',"stream":true,"models":["x"]}')

    made = DIALECT.encode(call, stream=True)

    assert made.body == b'{"model":"claude-opus-5",' + fields + b',"stream":true}'
    assert made.dropped == ()


def test_every_field_of_the_request_is_honored() -> None:
    fields = {*MessagesRequest.__struct_fields__} - GATEWAY_FIELDS - {"model", "messages", "max_tokens"}

    assert fields == MESSAGES_FIDELITY.keys()
    assert {cell.support for cell in MESSAGES_FIDELITY.values()} == {"honored"}


def test_the_clients_version_and_betas_go_along_and_nothing_else() -> None:
    """S-24."""
    headers = [("anthropic-version", "2026-10-21"), ("anthropic-beta", "a-1,b-2"), ("cookie", "c")]

    assert DIALECT.encode(messages_call(), stream=False).headers == (("anthropic-version", "2023-06-01"),)
    assert DIALECT.encode(
        messages_call(b'{"model":"m","messages":[{"role":"user","content":"a"}]}', *headers), stream=False
    ).headers == (
        ("anthropic-version", "2026-10-21"),
        ("anthropic-beta", "a-1,b-2"),
    )


@pytest.mark.parametrize(("place", "streams"), [(VERTEX, True), (BEDROCK, False)], ids=["vertex", "bedrock"])
def test_other_clouds_have_version_and_betas_in_the_body(place: object, streams: bool) -> None:
    assert isinstance(place, type(VERTEX))
    body = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}]}'
    call = messages_call(body, ("anthropic-version", "2026-10-21"), ("anthropic-beta", "a-1, b-2"))

    made = AnthropicMessages(place).encode(call, stream=True)

    received = json.loads(made.body)
    assert (received["anthropic_version"], received["anthropic_beta"]) == (place.body_version, ["a-1", "b-2"])
    assert "model" not in received
    assert received.get("stream", False) is streams
    assert made.headers == ()


def test_a_body_chooses_no_destination() -> None:
    """S-07."""
    body = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],"api_base":"https://evil.example"}'

    made = DIALECT.encode(messages_call(body), stream=False)

    assert b"evil" not in made.body
    assert made.dropped == ("api_base",)
    with pytest.raises(UpstreamFailure):
        DIALECT.encode(messages_call(body, strict=True), stream=False)


def test_an_answer_is_passed_on_as_the_bytes_it_came() -> None:
    body = json.dumps(a_message(TEXT, {"type": "brand_new", "x": 1}), indent=2).encode()

    answer = DIALECT.read(body, messages_call(), "application/json")

    assert answer.body is body
    assert answer.model == "claude-served"
    assert answer.usage == TokenUsage(125, 7, cache_read_tokens=100, cache_write_tokens=20, reasoning_tokens=3)


def test_an_answer_without_usage_is_estimated_from_its_blocks() -> None:
    """R-22."""
    blocks: list[Fields] = [
        TEXT,
        {"type": "thinking", "thinking": "hm"},
        {"type": "tool_use", "name": "f", "input": {"a": 1}},
        {"type": "x"},
    ]

    answer = DIALECT.read(json.dumps(a_message(*blocks, usage=None)).encode(), messages_call(), "application/json")

    assert (answer.usage, answer.output_text) == (None, 'hi\nhm\n{"a": 1}')


def test_refusals_keep_the_words_that_claude_code_goes_by() -> None:
    message = 'thinking.type "enabled" is not supported for this model. Use "thinking.type.adaptive".'
    body = json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": message}}).encode()

    failure = DIALECT.failure(400, (), body, messages_call())

    assert (failure.kind, failure.message, failure.type) == (
        FailureKind.FEATURE_REFUSED,
        message,
        "invalid_request_error",
    )


def test_what_is_counted_goes_and_what_only_generates_stays() -> None:
    body = {
        "model": "alias",
        "max_tokens": 9,
        "stream": True,
        "temperature": 0.5,
        "metadata": {"user_id": "u"},
        "system": "s",
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "thinking": {"type": "adaptive"},
    }

    made = COUNT.encode(messages_call(json.dumps(body).encode(), ("anthropic-beta", "a-1")), stream=False)

    sent = json.loads(made.body)
    assert sent.keys() == {"model", "system", "messages", "tools", "thinking"}
    assert sent["model"] == "claude-opus-5"
    assert made.headers == (("anthropic-beta", "a-1"), ("anthropic-version", "2023-06-01"))
    assert made.dropped == ()
    validator("anthropic.count_tokens.request").validate(sent)


def test_a_count_is_passed_on_and_is_no_use() -> None:
    answer = COUNT.read(b'{"input_tokens": 14}', messages_call(), "application/json")

    assert (answer.body, answer.usage) == (b'{"input_tokens": 14}', TokenUsage())
    validator("anthropic.count_tokens.response").validate(json.loads(answer.body))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", FailureKind.SERVER_ERROR),
        (b"<html>", FailureKind.SERVER_ERROR),
        (b'{"error": {"type": "overloaded_error", "message": "x"}}', FailureKind.OVERLOADED),
    ],
)
def test_what_is_no_count_is_a_failure(body: bytes, kind: FailureKind) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        COUNT.read(body, messages_call(), "application/json")

    assert caught.value.kind is kind


def test_refusals_are_read_like_all_others() -> None:
    body = b'{"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}'

    failure = COUNT.failure(429, [(b"retry-after", b"3")], body, messages_call())

    assert (failure.kind, failure.retry_after_seconds) == (FailureKind.RATE_LIMITED, 3)
    assert COUNT.limits([(b"anthropic-ratelimit-requests-remaining", b"4")], 0.0)[0].remaining == 4
