"""A chat request in the shape of Responses, as Cursor sends it, is understood as the chat request that is meant."""

import json

import msgspec
import pytest

from domain.chat import ChatRequest
from domain.chat_tolerance import forgive

IMAGE = {"type": "input_image", "image_url": "https://x"}


def read(body: dict[str, object]) -> dict[str, object] | None:
    mended = forgive(msgspec.json.decode(json.dumps({"model": "m"} | body), type=dict[str, msgspec.Raw]))
    if mended is None:
        return None
    encoded = msgspec.json.encode(mended)
    msgspec.json.decode(encoded, type=ChatRequest)
    found: dict[str, object] = json.loads(encoded)
    return found


def test_items_tools_and_settings_become_chats() -> None:
    function = {"name": "read", "description": "Reads.", "parameters": {"type": "object"}, "strict": False}
    body = {
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "see"}, IMAGE]},
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Look"}]},
            {"type": "function_call", "call_id": "c1", "name": "read", "arguments": "{}"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "x"},
            {"type": "function_call_output", "call_id": "c1", "output": "done"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "done"}]},
        ],
        "tools": [{"type": "function", **function}, {"type": "custom", "name": "patch"}, {"name": "read"}],
        "tool_choice": {"type": "function", "name": "read"},
        "reasoning": {"effort": "high", "summary": "auto"},
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "a", "schema": {}}},
        "max_output_tokens": 100,
        "include": ["reasoning.encrypted_content"],
        "stream": True,
        "store": False,
        "truncation": None,
    }

    assert read(body) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "https://x"}}],
            },
            {
                "role": "assistant",
                "content": "Look",
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "read", "arguments": "{}"}},
                    {"id": "c2", "type": "custom", "custom": {"name": "patch", "input": "x"}},
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "done"},
            {"role": "tool", "tool_call_id": "c2", "content": "done"},
        ],
        "tools": [
            {"type": "function", "function": function},
            {"type": "custom", "custom": {"name": "patch"}},
            {"type": "function", "function": {"name": "read"}},
        ],
        "tool_choice": {"type": "function", "function": {"name": "read"}},
        "reasoning_effort": "high",
        "verbosity": "low",
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}},
        "max_completion_tokens": 100,
        "stream": True,
        "store": False,
    }


def test_a_text_is_a_users_message() -> None:
    assert read({"input": "hi"}) == {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("body", [{"input": None}, {"input": 3}, {}, {"input": "a", "messages": [{"role": "user"}]}])
def test_anything_else_is_left_for_the_decoder(body: dict[str, object]) -> None:
    assert forgive(msgspec.json.decode(json.dumps(body), type=dict[str, msgspec.Raw])) is None
