"""The simulator's clean stream is OpenAI's, and its odd ones are odd in exactly one way."""

import json
from typing import Any, get_args

import pytest

from entrypoints.simulator.answers import answer_to
from entrypoints.simulator.behaviour import Behaviour, Oddity, behaviour_from
from entrypoints.simulator.completion import chunks
from entrypoints.simulator.oddities import DONE, blocks_of

REQUEST: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": "one two"}],
    "stream": True,
    "stream_options": {"include_usage": True},
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": {"type": "string"}}}}}],
}
TOOLS = behaviour_from({"tools": "first"})


def stream(behaviour: Behaviour, odd: Oddity | None = None, **fields: Any) -> list[bytes]:
    request = REQUEST | fields
    return blocks_of(chunks(request, answer_to(request, behaviour), "chatcmpl-1"), odd)


def events(blocks: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(block.removeprefix(b"data: ")) for block in blocks if block != DONE]


def test_a_clean_stream_has_role_words_finish_and_usage_in_this_order() -> None:
    blocks = stream(Behaviour())

    assert blocks[-1] == DONE
    role, one, two, finish, usage = events(blocks)
    assert role["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert [one["choices"][0]["delta"], two["choices"][0]["delta"]] == [{"content": "one"}, {"content": " two"}]
    assert finish["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] == 4


def test_usage_is_left_out_where_it_was_not_asked_for() -> None:
    assert all("usage" not in chunk for chunk in events(stream(Behaviour(), stream_options=None)))


def test_each_of_several_choices_has_its_own_role_and_finish() -> None:
    found = events(stream(Behaviour(), n=2))

    indices = [choice["index"] for chunk in found for choice in chunk["choices"]]
    assert sorted(indices) == [0] * 4 + [1] * 4


def test_a_tool_call_opens_with_id_and_name_and_goes_on_with_arguments() -> None:
    calls = [chunk["choices"][0]["delta"].get("tool_calls") for chunk in events(stream(TOOLS)) if chunk["choices"]]

    opening, *rest = [call[0] for call in calls if call]
    assert opening["function"] == {"name": "f", "arguments": ""}
    assert all("id" not in call and call["index"] == 0 for call in rest)
    assert json.loads("".join(call["function"]["arguments"] for call in rest)) == {"a": "one two"}


@pytest.mark.parametrize("odd", get_args(Oddity))
def test_every_oddity_changes_the_stream_it_is_about(odd: Oddity) -> None:
    behaviour = TOOLS if odd.startswith("tool-") else Behaviour()

    assert stream(behaviour, odd) != stream(behaviour)


def test_a_repeated_role_is_in_every_chunk() -> None:
    found = events(stream(Behaviour(), "role-repeat"))

    assert all(choice["delta"]["role"] == "assistant" for chunk in found for choice in chunk["choices"])


def test_usage_before_the_end_is_followed_by_the_finish_chunk() -> None:
    *_, usage, last = events(stream(Behaviour(), "usage-then-more"))

    assert usage["usage"]["total_tokens"] == 4
    assert last["choices"][0]["finish_reason"] == "stop"


def test_a_stream_without_finish_just_ends() -> None:
    blocks = stream(Behaviour(), "no-finish")

    assert DONE not in blocks
    assert all(choice["finish_reason"] is None for chunk in events(blocks) for choice in chunk["choices"])


def test_tool_calls_without_index_come_whole() -> None:
    found = events(stream(TOOLS, "tool-no-index"))

    calls = [call for chunk in found for choice in chunk["choices"] for call in choice["delta"].get("tool_calls", ())]
    assert len(calls) == 1
    assert "index" not in calls[0]
    assert json.loads(calls[0]["function"]["arguments"]) == {"a": "one two"}


def test_arguments_may_come_as_an_object() -> None:
    found = events(stream(TOOLS, "tool-dict-args"))

    calls = [call for chunk in found for choice in chunk["choices"] for call in choice["delta"].get("tool_calls", ())]
    assert calls[0]["function"]["arguments"] == {"a": "one two"}
