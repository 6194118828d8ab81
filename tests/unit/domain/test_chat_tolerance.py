"""Client slips, mended once; everything else is left for the decoder to refuse."""

import json

import msgspec
import pytest

from domain.chat import ChatRequest
from domain.chat_tolerance import forgive

USER = {"role": "user", "content": "hi"}
FUNCTION = {"name": "f", "parameters": {"type": "object"}}


def forgiven(**fields: object) -> dict[str, object] | None:
    body = json.dumps({"model": "m", "messages": [USER]} | fields).encode()
    mended = forgive(msgspec.json.decode(body, type=dict[str, msgspec.Raw]))
    if mended is None:
        return None
    encoded = msgspec.json.encode(mended)
    msgspec.json.decode(encoded, type=ChatRequest)
    found: dict[str, object] = json.loads(encoded)
    return {name: found.get(name) for name in fields}


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"temperature": "0.7", "max_tokens": "5", "n": " 1 "}, {"temperature": 0.7, "max_tokens": 5, "n": 1}),
        ({"max_tokens": -1}, {"max_tokens": None}),
        ({"max_tokens": 256.0, "n": "1.0"}, {"max_tokens": 256, "n": 1}),
        ({"tools": [{"function": FUNCTION}]}, {"tools": [{"type": "function", "function": FUNCTION}]}),
        ({"tools": [{"type": "function"} | FUNCTION]}, {"tools": [{"type": "function", "function": FUNCTION}]}),
        (
            {"messages": [{"role": "user", "content": ["a", {"type": "image_url", "image_url": "https://x"}]}]},
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "a"},
                            {"type": "image_url", "image_url": {"url": "https://x"}},
                        ],
                    }
                ]
            },
        ),
        (
            {
                "messages": [
                    {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": {}}}]}
                ]
            },
            {
                "messages": [
                    {
                        "role": "assistant",
                        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                    }
                ]
            },
        ),
        (
            {"messages": [{"role": "tool", "tool_call_id": "1", "content": {"ok": True}}]},
            {"messages": [{"role": "tool", "tool_call_id": "1", "content": '{"ok": true}'}]},
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
            {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {}}}},
        ),
    ],
)
def test_a_known_slip_is_mended(sent: dict[str, object], read: dict[str, object]) -> None:
    assert forgiven(**sent) == read


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"temperature": 3},
        {"temperature": "warm"},
        {"temperature": "true"},
        {"stream": "true"},
        {"messages": "hi"},
        {"messages": [5]},
        {"messages": [{"role": "user", "content": {"a": 1}}]},
        {"messages": [{"role": "assistant", "tool_calls": "x", "function_call": 5}]},
        {"tools": "none"},
        {"tools": None, "response_format": None, "max_tokens": None},
        {"response_format": {"type": "json_schema", "json_schema": 5}},
    ],
)
def test_what_is_no_known_slip_is_left_alone(fields: dict[str, object]) -> None:
    assert forgiven(**fields) is None


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": None, "tool_calls": None},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f"}}],
        },
        {"role": "assistant", "content": "x", "reasoning_content": "y", "thinking_blocks": [{}]},
        {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "x"}]},
        {"role": "developer", "content": "x", "name": "n"},
        {"role": "user", "content": [{"type": "video_url", "video_url": {"url": "x"}}]},
    ],
)
def test_what_clients_send_needs_no_forgiving(message: dict[str, object]) -> None:
    body = {"model": "vendor/model:free", "messages": [message], "tools": [], "stop": [], "temperature": None, "x": 1}

    msgspec.json.decode(json.dumps(body).encode(), type=ChatRequest)


def test_a_function_tool_without_a_function_is_refused_with_its_place() -> None:
    body = {"model": "m", "messages": [USER], "tools": [{"type": "function"}]}

    with pytest.raises(msgspec.ValidationError, match=r"\$\.tools\[0\]"):
        msgspec.json.decode(json.dumps(body).encode(), type=ChatRequest)
