"""Claude's own requests at Bedrock: what is refused, and how tokens are counted."""

import base64
import json
from typing import Any

import msgspec
import pytest

from adapters.dialects.bedrock.native_request import (
    count_answer,
    count_body,
    counted_model,
    refuse_unknown,
)
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.unit.adapters.dialects.bedrock.samples import CLAUDE


def fields(**received: Any) -> dict[str, msgspec.Raw]:
    body = {"messages": [{"role": "user", "content": "hi"}]} | received
    return msgspec.json.decode(msgspec.json.encode(body), type=dict[str, msgspec.Raw])


@pytest.mark.parametrize(
    ("received", "param"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}],
                    }
                ]
            },
            "messages",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "tool_result",
                                "tool_use_id": "a",
                                "content": [{"type": "image", "source": {"type": "url", "url": "https://a.example"}}],
                            }
                        ],
                    }
                ]
            },
            "messages",
        ),
    ],
)
def test_what_bedrock_cannot_do_another_provider_may(received: dict[str, Any], param: str) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        refuse_unknown(fields(**received))

    assert caught.value.kind is FailureKind.UNSUPPORTED
    assert caught.value.param == param


@pytest.mark.parametrize(
    "received",
    [
        {"tools": [{"name": "f", "input_schema": {"type": "object"}}, {"type": "custom", "name": "g"}]},
        {"tools": [{"type": "bash_20250124", "name": "bash"}]},
        {"messages": [{"role": "user", "content": 'the word "url"'}]},
        {
            "messages": [
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {"source": {"type": "url"}}}],
                }
            ]
        },
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": 1}, "x": "url"}]}]},
    ],
)
def test_what_bedrock_can_do_or_refuses_itself_passes(received: dict[str, Any]) -> None:
    refuse_unknown(fields(**received))


@pytest.mark.parametrize(
    "model", [CLAUDE, CLAUDE.removeprefix("us."), f"arn:aws:bedrock:us-east-1:1:inference-profile/{CLAUDE}"]
)
def test_tokens_are_counted_by_the_model_and_not_by_its_profile(model: str) -> None:
    assert counted_model(model) == "anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.mark.parametrize(
    ("thinking", "limit"),
    [(None, 1), ({"type": "enabled", "budget_tokens": 2000}, 2001), ({"type": "adaptive"}, 1), ("on", 1)],
)
def test_a_count_asks_with_a_whole_request(thinking: Any, limit: int) -> None:
    received = {"messages": []} | ({"thinking": thinking} if thinking is not None else {})

    asked = json.loads(count_body(json.dumps(received).encode()))

    packed = json.loads(base64.b64decode(asked["input"]["invokeModel"]["body"]))
    assert packed == received | {"max_tokens": limit}


def test_a_count_is_told_as_anthropic_tells_it() -> None:
    assert json.loads(count_answer(b'{"inputTokens": 12}')) == {"input_tokens": 12}
