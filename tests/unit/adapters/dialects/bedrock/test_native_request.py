"""Claude's own requests at Bedrock: which beta names pass, what is refused, and how tokens are counted."""

import base64
import json
from typing import Any

import msgspec
import pytest

from adapters.dialects.bedrock.native_request import (
    count_answer,
    count_body,
    counted_model,
    edits_context,
    known_betas,
    refuse_unknown,
)
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.unit.adapters.dialects.bedrock.samples import CLAUDE, NEW_CLAUDE


def fields(**told: Any) -> dict[str, msgspec.Raw]:
    body = {"messages": [{"role": "user", "content": "hi"}]} | told
    return msgspec.json.decode(msgspec.json.encode(body), type=dict[str, msgspec.Raw])


def test_beta_names_bedrock_refuses_are_left_out() -> None:
    sent = (("anthropic-beta", "claude-code-20250219, context-management-2025-06-27,oauth-2025-04-20"),)

    kept = known_betas(CLAUDE, sent)

    assert kept == (("anthropic-beta", "context-management-2025-06-27"),)
    assert edits_context(kept)


def test_newer_models_take_one_beta_name_alone() -> None:
    sent = (("anthropic-beta", "interleaved-thinking-2025-05-14,effort-2025-11-24"), ("user-agent", "x"))

    assert known_betas(NEW_CLAUDE, sent) == (
        ("anthropic-beta", "interleaved-thinking-2025-05-14"),
        ("user-agent", "x"),
    )
    assert known_betas(NEW_CLAUDE, (("anthropic-beta", "effort-2025-11-24"),)) == ()


@pytest.mark.parametrize(
    ("told", "param"),
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
def test_what_bedrock_cannot_do_another_provider_may(told: dict[str, Any], param: str) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        refuse_unknown(fields(**told))

    assert caught.value.kind is FailureKind.UNSUPPORTED
    assert caught.value.param == param


@pytest.mark.parametrize(
    "told",
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
def test_what_bedrock_can_do_or_refuses_itself_passes(told: dict[str, Any]) -> None:
    refuse_unknown(fields(**told))


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
    told = {"messages": []} | ({"thinking": thinking} if thinking is not None else {})

    asked = json.loads(count_body(json.dumps(told).encode()))

    packed = json.loads(base64.b64decode(asked["input"]["invokeModel"]["body"]))
    assert packed == told | {"max_tokens": limit}


def test_a_count_is_told_as_anthropic_tells_it() -> None:
    assert json.loads(count_answer(b'{"inputTokens": 12}')) == {"input_tokens": 12}
