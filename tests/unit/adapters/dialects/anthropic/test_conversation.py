"""Any conversation OpenAI's API allows becomes one that Anthropic's takes."""

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.dialects.anthropic.chat import AnthropicChat
from tests.unit.adapters.dialects.anthropic.samples import NATIVE, Fields, chat_call, validator

WORDS = st.sampled_from(["", " ", "a", "b c ", "é\n"])
PARTS = st.lists(WORDS.map(lambda text: {"type": "text", "text": text}), max_size=3)
CONTENT = WORDS | PARTS
CALL_IDS = st.sampled_from(["toolu_1", "functions.f:0", "call/2", "é"])


def a_turn(role: str, *names: str) -> st.SearchStrategy[Fields]:
    optional = {
        "tool_calls": st.lists(CALL_IDS, min_size=1, max_size=3, unique=True).map(
            lambda ids: [{"id": i, "type": "function", "function": {"name": "f", "arguments": "{}"}} for i in ids]
        ),
        "thinking_blocks": st.just([{"type": "thinking", "thinking": "t", "signature": "s"}]),
        "cache_control": st.just({"type": "ephemeral"}),
    }
    return st.fixed_dictionaries(
        {"role": st.just(role), "content": CONTENT}, optional={name: optional[name] for name in names}
    )


RESULTS = CALL_IDS.flatmap(
    lambda call_id: a_turn("tool", "cache_control").map(lambda turn: turn | {"tool_call_id": call_id})
)
TURNS = st.lists(
    a_turn("user", "cache_control")
    | a_turn("system", "cache_control")
    | a_turn("developer")
    | a_turn("assistant", "tool_calls", "thinking_blocks", "cache_control")
    | RESULTS,
    min_size=1,
    max_size=8,
)


@pytest.mark.slow
@given(turns=TURNS, model=st.sampled_from(["claude-3-5-haiku-20241022", "claude-sonnet-4-5", "claude-opus-5"]))
@settings(max_examples=150, deadline=None)
def test_the_rules_of_a_conversation_hold_whatever_comes(turns: list[Fields], model: str) -> None:
    made = AnthropicChat(NATIVE).encode(chat_call(model, messages=turns, reasoning_effort="low"), stream=False)

    body = json.loads(made.body)
    validator("anthropic.messages.request").validate(body)
    received: list[Fields] = body["messages"]
    assert not received or received[0]["role"] == "user"
    assert all(first["role"] != second["role"] for first, second in pairwise(received))
    marked = sum("cache_control" in block for block in blocks(body))
    assert marked <= 4
    for turn in received:
        assert turn["content"]
        results_first(turn["content"])
        for block in turn["content"]:
            assert block["type"] != "text" or block["text"].strip()
            used = block.get("id") or block.get("tool_use_id") or "fits"
            assert re.fullmatch("[a-zA-Z0-9_-]+", used)
    if received and received[-1]["role"] == "assistant" and received[-1]["content"][-1]["type"] == "text":
        assert received[-1]["content"][-1]["text"][-1:].strip()


@pytest.mark.slow
@given(turns=TURNS)
@settings(max_examples=80, deadline=None)
def test_no_word_is_lost_or_made_up(turns: list[Fields]) -> None:
    made = AnthropicChat(NATIVE).encode(chat_call("claude-sonnet-4-5", messages=turns), stream=False)

    received = [text for block in blocks(json.loads(made.body)) for text in words(block)]
    said = [text for turn in turns for text in words({"content": turn["content"]})]
    begins = "(The conversation begins with the assistant.)"
    assert sorted(text.strip() for text in received if text != begins) == sorted(text.strip() for text in said)


def blocks(body: Fields) -> list[Fields]:
    return [*body.get("system", []), *(block for turn in body["messages"] for block in turn["content"])]


def words(block: Fields) -> list[str]:
    """The texts of a block, or of a result's content, that say anything."""
    content: Any = block.get("content", block.get("text", ""))
    texts = [content] if isinstance(content, str) else [part["text"] for part in content]
    return [text for text in texts if text.strip()]


def results_first(content: list[Fields]) -> None:
    kinds = [block["type"] == "tool_result" for block in content]
    assert kinds == sorted(kinds, reverse=True)
