"""Parameters of a message as a chat's: each as the table says, and nothing lost in silence."""

from typing import Any

import pytest

from adapters.ingress.messages.params import MESSAGES_OVER_CHAT, messages_name
from adapters.ingress.messages.request import as_chat
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.inference import GATEWAY_FIELDS
from domain.messages import MessagesRequest
from tests.unit.adapters.ingress.messages.samples import HI, chat, payload

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
TOOL = {"name": "look", "description": "Looks.", "input_schema": SCHEMA}

CASES: dict[str, tuple[object, dict[str, object]]] = {
    "max_tokens": (5, {"max_tokens": 5}),
    "system": ("Be.", {"messages": [{"role": "system", "content": "Be."}, *HI]}),
    "stop_sequences": (["END"], {"stop": ["END"]}),
    "temperature": (0.3, {"temperature": 0.3}),
    "top_p": (0.9, {"top_p": 0.9}),
    "top_k": (7, {"top_k": 7}),
    "tools": (
        [TOOL],
        {"tools": [{"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": SCHEMA}}]},
    ),
    "thinking": ({"type": "enabled", "budget_tokens": 4096}, {"reasoning_effort": "medium"}),
    "output_config": (
        {"effort": "high", "format": {"type": "json_schema", "schema": SCHEMA}},
        {
            "reasoning_effort": "high",
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}},
        },
    ),
    "metadata": ({"user_id": "u-1"}, {"user": "u-1"}),
    "service_tier": ("standard_only", {"service_tier": "default"}),
    "stream": (False, {}),
}


def test_the_table_has_a_cell_for_every_parameter() -> None:
    fields = set(MessagesRequest.__struct_fields__) - GATEWAY_FIELDS - {"model", "messages"}

    assert fields <= MESSAGES_OVER_CHAT.keys()


@pytest.mark.parametrize("name", [name for name, cell in MESSAGES_OVER_CHAT.items() if cell.support != "dropped"])
def test_what_the_table_carries_arrives(name: str) -> None:
    """`tool_choice` has a test of its own: it goes with tools."""
    if name == "tool_choice":
        return
    value, expected = CASES[name]

    sent, dropped = chat(**{name: value})

    assert {key: sent[key] for key in expected} == expected
    assert dropped == ()


@pytest.mark.parametrize("name", [name for name, cell in MESSAGES_OVER_CHAT.items() if cell.support == "dropped"])
def test_what_the_table_drops_is_told_and_refused_to_a_strict_key(name: str) -> None:
    sent, dropped = chat(**{name: {"a": 1}})

    assert dropped == (name,)
    assert name not in sent
    with pytest.raises(UpstreamFailure) as refused:
        as_chat(payload(**{name: 3}), "m", stream=False, strict=True)
    assert (refused.value.kind, refused.value.param) == (FailureKind.UNSUPPORTED, name)


def test_unknown_fields_are_told_and_the_gateways_own_are_not() -> None:
    sent, dropped = chat(novelty=1, task="x", provider={"only": ["a"]}, absent=None)

    assert dropped == ("novelty",)
    assert sent.keys() == {"model", "messages", "max_tokens"}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "auto"}, {"tool_choice": "auto"}),
        ({"type": "any"}, {"tool_choice": "required"}),
        ({"type": "none"}, {"tool_choice": "none"}),
        ({"type": "tool", "name": "look"}, {"tool_choice": {"type": "function", "function": {"name": "look"}}}),
        (
            {"type": "auto", "disable_parallel_tool_use": True},
            {"tool_choice": "auto", "parallel_tool_calls": False},
        ),
    ],
)
def test_tool_choices(choice: dict[str, object], expected: dict[str, object]) -> None:
    sent, _ = chat(tools=[TOOL], tool_choice=choice)

    assert {name: sent[name] for name in ("tool_choice", "parallel_tool_calls") if name in sent} == expected


@pytest.mark.parametrize(
    "body",
    [
        {"tools": [TOOL], "tool_choice": {"type": "odd"}},
        {"tools": [TOOL], "tool_choice": {"type": "tool"}},
        {"tools": [{"description": "nameless"}]},
        {"temperature": 3.0},
        {"max_tokens": 0},
        {"metadata": {"user_id": 1}},
        {"output_config": {"effort": 3}},
        {"thinking": {"budget_tokens": 3}},
    ],
)
def test_what_cannot_be_read_is_the_clients_fault(body: dict[str, object]) -> None:
    with pytest.raises(UpstreamFailure) as refused:
        chat(**body)

    assert refused.value.kind is FailureKind.CLIENT_FAULT


def test_nothing_is_cut_for_an_upstream_that_takes_less() -> None:
    sent, dropped = chat(metadata={"user_id": "u" * 300}, stop_sequences=list("abcdef"), top_k=7)

    assert dropped == ()
    assert (sent["user"], sent["stop"], sent["top_k"]) == ("u" * 300, list("abcdef"), 7)


@pytest.mark.parametrize(
    ("thinking", "effort"),
    [
        ({"type": "enabled", "budget_tokens": 1024}, "low"),
        ({"type": "enabled", "budget_tokens": 8192}, "medium"),
        ({"type": "enabled", "budget_tokens": 30000}, "high"),
        ({"type": "adaptive"}, None),
        ({"type": "disabled"}, None),
    ],
)
def test_a_budget_is_the_nearest_effort(thinking: dict[str, Any], effort: str | None) -> None:
    sent, dropped = chat(thinking=thinking)

    assert sent.get("reasoning_effort") == effort
    assert dropped == ()


def test_thinking_switched_off_wins_over_effort() -> None:
    assert "reasoning_effort" not in chat(thinking={"type": "disabled"}, output_config={"effort": "high"})[0]


@pytest.mark.parametrize(
    ("chat_name", "asked", "received"),
    [
        ("max_completion_tokens", (), "max_tokens"),
        ("stop", (), "stop_sequences"),
        ("user", (), "metadata"),
        ("response_format", (), "output_config"),
        ("reasoning_effort", ("output_config",), "output_config"),
        ("reasoning_effort", ("thinking",), "thinking"),
        ("messages.reasoning_content", (), "messages.thinking"),
        ("temperature", (), "temperature"),
        ("stream_options", (), None),
    ],
)
def test_what_the_chat_drops_is_told_in_the_clients_words(
    chat_name: str, asked: tuple[str, ...], received: str | None
) -> None:
    assert messages_name(chat_name, frozenset(asked)) == received
