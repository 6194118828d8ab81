"""One system message for servers whose templates refuse another: golden lists, and lists that stay as they came."""

import json
from typing import Any

import msgspec
import pytest

from adapters.dialects.openai.messages import MessageEditor
from adapters.dialects.openai.quirks import Quirks
from domain.chat import Message
from tests.builders import a_chat_payload

USER = {"role": "user", "content": "hi"}
ANSWER = {"role": "assistant", "content": "hello"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def edited(messages: list[dict[str, Any]], quirks: Quirks) -> tuple[Any, bool]:
    """The list that is sent, and whether its bytes are the client's."""
    payload = a_chat_payload(messages=messages)
    raw = payload.fields["messages"]
    sent, dropped = MessageEditor(quirks).edit(payload.value.messages, raw)
    assert dropped == ()
    msgspec.json.decode(sent, type=list[Message])
    return json.loads(bytes(sent)), sent is raw


@pytest.mark.parametrize(
    ("messages", "sent"),
    [
        pytest.param(
            [{"role": "system", "content": "A"}, USER, {"role": "system", "content": "B"}, ANSWER],
            [{"role": "system", "content": "A\n\nB"}, USER, ANSWER],
            id="later",
        ),
        pytest.param(
            [USER, {"role": "developer", "content": "B"}],
            [{"role": "system", "content": "B"}, USER],
            id="a developer's, and none first",
        ),
        pytest.param(
            [{"role": "system", "content": "A"}, {"role": "developer", "content": "B"}, USER],
            [{"role": "system", "content": "A\n\nB"}, USER],
            id="two first",
        ),
        pytest.param(
            [
                {"role": "system", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "a"}]},
                USER,
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": "42"},
                {"role": "system", "content": ""},
                {"role": "system", "content": [{"type": "text", "text": "B"}]},
            ],
            [
                {"role": "system", "content": "A\na\n\nB"},
                USER,
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": "42"},
            ],
            id="parts, and tools",
        ),
    ],
)
def test_instructions_are_gathered_at_the_beginning(messages: list[dict[str, Any]], sent: list[dict[str, Any]]) -> None:
    assert edited(messages, Quirks(system_anywhere=False)) == (sent, False)
    assert edited(messages, Quirks(system_anywhere=False, developer_role=True)) == (sent, False)


@pytest.mark.parametrize(
    "messages", [[USER], [{"role": "system", "content": [{"type": "text", "text": "A"}]}, USER, ANSWER, USER]]
)
def test_one_system_message_at_the_beginning_stays_as_it_came(messages: list[dict[str, Any]]) -> None:
    assert edited(messages, Quirks(system_anywhere=False)) == (messages, True)


def test_other_servers_get_instructions_where_they_were() -> None:
    messages = [USER, {"role": "system", "content": "B"}, USER]

    assert edited(messages, Quirks()) == (messages, True)
