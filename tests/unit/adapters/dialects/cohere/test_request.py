"""What is sent to v2/chat for OpenAI's chats."""

from typing import Any

import pytest

from adapters.dialects.cohere.chat import CohereChat
from adapters.dialects.cohere.params import COHERE_CHAT_PARAMS
from adapters.dialects.openai.params import CHAT_PARAMS
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.unit.adapters.dialects.cohere.samples import COMMAND, REASONING, a_call, dropped, encoded

PARAMETERS = {"type": "object", "properties": {"a": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": PARAMETERS, "strict": True}}
OTHER = {"type": "function", "function": {"name": "g"}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "n", "schema": PARAMETERS}}
USER = {"role": "user", "content": "hi"}
CALLED = {
    "role": "assistant",
    "content": None,
    "reasoning_content": "I will look.",
    "tool_calls": [{"id": "f_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
}


def refusal(**fields: Any) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as caught:
        CohereChat().encode(a_call(**fields), stream=False)
    return caught.value


def test_every_parameter_has_a_cell() -> None:
    assert {*CHAT_PARAMS} <= {*COHERE_CHAT_PARAMS}


def test_a_whole_request_is_coheres() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "low"}}
    body = encoded(
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]},
            CALLED,
            {"role": "tool", "tool_call_id": "f_1", "content": "42"},
        ],
        tools=[TOOL, OTHER],
        tool_choice="required",
        max_completion_tokens=50,
        temperature=0.5,
        top_p=1,
        top_k=4,
        seed=7,
        stop="END",
        frequency_penalty=0.5,
        safety_mode="OFF",
    )

    assert body == {
        "model": COMMAND,
        "stream": False,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]},
            {
                "role": "assistant",
                "tool_plan": "I will look.",
                "tool_calls": [{"id": "f_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}],
            },
            {"role": "tool", "tool_call_id": "f_1", "content": "42"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": PARAMETERS}},
            {"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties": {}}}},
        ],
        "strict_tools": True,
        "tool_choice": "REQUIRED",
        "max_tokens": 50,
        "temperature": 0.5,
        "p": 0.99,
        "k": 4,
        "seed": 7,
        "stop_sequences": ["END"],
        "frequency_penalty": 0.5,
        "safety_mode": "OFF",
    }


def test_a_model_that_thinks_gets_its_thoughts_back_as_thoughts() -> None:
    said = encoded(REASONING, messages=[USER, CALLED, {"role": "tool", "tool_call_id": "f_1", "content": "1"}])

    assert said["messages"][1]["content"] == [{"type": "thinking", "thinking": "I will look."}]
    assert "tool_plan" not in said["messages"][1]


@pytest.mark.parametrize(
    ("choice", "sent", "names"),
    [
        ("auto", None, ["f", "g"]),
        ("none", "NONE", ["f", "g"]),
        ("required", "REQUIRED", ["f", "g"]),
        ({"type": "function", "function": {"name": "g"}}, "REQUIRED", ["g"]),
    ],
)
def test_a_choice_of_tools_is_coheres(choice: object, sent: str | None, names: list[str]) -> None:
    body = encoded(tools=[TOOL, OTHER], tool_choice=choice)

    assert body.get("tool_choice") == sent
    assert [tool["function"]["name"] for tool in body["tools"]] == names


def test_a_schema_is_part_of_the_format_and_does_not_go_with_tools() -> None:
    assert encoded(response_format=SCHEMA)["response_format"] == {"type": "json_object", "json_schema": PARAMETERS}
    assert encoded(response_format={"type": "json_object"})["response_format"] == {"type": "json_object"}
    assert "response_format" not in encoded(response_format={"type": "text"})
    assert dropped(response_format=SCHEMA, tools=[TOOL]) == ("response_format",)


@pytest.mark.parametrize(
    ("model", "effort", "sent", "lost"),
    [
        (REASONING, "low", {"type": "enabled", "token_budget": 1024}, ()),
        (REASONING, "none", {"type": "disabled"}, ()),
        (COMMAND, "none", None, ()),
        (COMMAND, "low", None, ("reasoning_effort",)),
        ("command-r-plus-08-2024", "low", None, ("reasoning_effort",)),
    ],
)
def test_effort_is_a_budget_for_models_that_think(model: str, effort: str, sent: object, lost: tuple[str, ...]) -> None:
    assert encoded(model, reasoning_effort=effort).get("thinking") == sent
    assert dropped(model, reasoning_effort=effort) == lost


def test_penalties_are_kept_between_0_and_1_and_what_is_lost_is_told() -> None:
    body = encoded(frequency_penalty=1.5, presence_penalty=-1)

    assert (body["frequency_penalty"], body["presence_penalty"]) == (1, 0)
    assert dropped(frequency_penalty=1.5, presence_penalty=-1) == ("frequency_penalty", "presence_penalty")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"tools": [{"type": "custom", "custom": {"name": "c"}}]}, "tools"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "nobody"}}}, "tool_choice"),
        (
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]},
            "messages.0.content.0",
        ),
        ({"seed": 1, "user": "u", "strict": True}, "user"),
    ],
)
def test_what_cannot_be_done_is_refused(fields: dict[str, Any], param: str) -> None:
    failure = refusal(**fields)

    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, param)


def test_a_stream_is_asked_for_and_an_operators_drops_are_not_sent() -> None:
    sent = CohereChat(("seed",)).encode(a_call(seed=1), stream=True)

    assert b'"stream":true' in sent.body
    assert b"seed" not in sent.body
    assert sent.dropped == ("seed",)
