"""Anthropic's own counts of tokens."""

import json

import pytest

from adapters.dialects.anthropic.token_count import AnthropicTokenCount
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.anthropic.samples import NATIVE, messages_call, validator

DIALECT = AnthropicTokenCount(NATIVE)


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

    made = DIALECT.encode(messages_call(json.dumps(body).encode(), ("anthropic-beta", "a-1")), stream=False)

    sent = json.loads(made.body)
    assert sent.keys() == {"model", "system", "messages", "tools", "thinking"}
    assert sent["model"] == "claude-opus-5"
    assert made.headers == (("anthropic-beta", "a-1"), ("anthropic-version", "2023-06-01"))
    assert made.dropped == ()
    validator("anthropic.count_tokens.request").validate(sent)


def test_a_count_is_passed_on_and_is_no_use() -> None:
    answer = DIALECT.read(b'{"input_tokens": 14}', messages_call(), "application/json")

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
        DIALECT.read(body, messages_call(), "application/json")

    assert caught.value.kind is kind


def test_refusals_are_read_like_all_others() -> None:
    body = b'{"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}'

    failure = DIALECT.failure(429, [(b"retry-after", b"3")], body, messages_call())

    assert (failure.kind, failure.retry_after_seconds) == (FailureKind.RATE_LIMITED, 3)
    assert DIALECT.limits([(b"anthropic-ratelimit-requests-remaining", b"4")], 0.0)[0].remaining == 4
