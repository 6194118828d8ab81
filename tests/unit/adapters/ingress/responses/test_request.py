"""Responses requests as the chat requests that stand for them: golden pairs, and what is dropped or refused."""

import json

import pytest

from adapters.wire.signatures import Sealed, seal
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.unit.adapters.ingress.responses.samples import WIRE, Json, chat_body, messages, translated

CALL: Json = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"a":1}'}
RESULT: Json = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
USER: Json = {"role": "user", "content": "hi"}
SEARCH: Json = {"type": "web_search"}
IMAGE_BY_ID: Json = {"role": "user", "content": [{"type": "input_image", "file_id": "file_1"}]}


def test_codex_is_understood() -> None:
    """As captured from Codex 0.169, shortened: no type is missing."""
    asked = json.loads((WIRE / "responses" / "codex.request.json").read_text())
    expected = json.loads((WIRE / "responses" / "codex.chat.json").read_text())
    asked.pop("model")

    made = translated(**asked)

    assert chat_body(**asked) == expected
    assert made.dropped == ["tools.web_search"]


def test_the_ai_sdks_messages_have_no_type() -> None:
    said = messages(
        {"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "input_text", "text": "u"}]}
    )

    assert said == [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]


def test_a_text_is_a_users_message_after_the_instructions() -> None:
    assert chat_body(input="hi", instructions="Be brief.")["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"},
    ]


def test_parts_become_chats_parts() -> None:
    [message] = messages(
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
                {"type": "input_file", "file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"},
                {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            ],
        }
    )

    assert message["content"] == [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ]


def test_one_turn_of_the_assistant_is_one_message_with_its_results_behind() -> None:
    said = messages(
        USER,
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Look", "annotations": []}],
        },
        CALL,
        {**CALL, "call_id": "call_2"},
        {**RESULT, "call_id": "call_2", "output": [{"type": "input_text", "text": "rain"}]},
        RESULT,
        USER,
    )

    function = {"name": "f", "arguments": '{"a":1}'}
    assert said == [
        USER,
        {
            "role": "assistant",
            "content": "Look",
            "reasoning_content": "hm",
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": function},
                {"id": "call_2", "type": "function", "function": function},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "call_2", "content": "rain"},
        USER,
    ]


def test_a_result_that_comes_late_stands_behind_its_call() -> None:
    roles = [message["role"] for message in messages(USER, CALL, USER, RESULT)]

    assert roles == ["user", "assistant", "tool", "user"]


def test_calls_and_results_in_turn_stay_in_turn() -> None:
    second = {**CALL, "call_id": "call_2"}
    said = messages(USER, CALL, RESULT, second, {**RESULT, "call_id": "call_2"})

    assert [message["role"] for message in said] == ["user", "assistant", "tool", "assistant", "tool"]


def test_an_image_a_tool_gave_follows_in_a_message_of_its_own() -> None:
    image = {"type": "input_image", "image_url": "https://a.example/a.png"}
    said = messages(USER, CALL, {**RESULT, "output": [{"type": "input_text", "text": "here"}, image]})

    assert said[2] == {"role": "tool", "tool_call_id": "call_1", "content": "here"}
    assert said[3]["content"][1] == {"type": "image_url", "image_url": {"url": "https://a.example/a.png"}}
    assert "call_1" in said[3]["content"][0]["text"]


def test_custom_calls_are_functions_of_one_text() -> None:
    items: list[Json] = [
        USER,
        {"type": "custom_tool_call", "call_id": "call_1", "name": "patch", "input": "*** Begin\n"},
        {"type": "custom_tool_call_output", "call_id": "call_1", "output": "done"},
    ]
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: LINE+"}
    body = chat_body(
        input=items, tools=[{"type": "custom", "name": "patch", "description": "Patches.", "format": grammar}]
    )

    function = body["tools"][0]["function"]
    assert json.loads(body["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {"input": "*** Begin\n"}
    assert function["parameters"]["required"] == ["input"]
    assert "lark" in function["description"]
    assert "start: LINE+" in function["description"]


def test_sealed_reasoning_goes_back_where_it_came_from() -> None:
    block = {"type": "thinking", "thinking": "hm", "signature": "s"}
    extra = {"google": {"thought_signature": "g"}}
    said = messages(
        USER,
        {"type": "reasoning", "id": "rs_omg1", "summary": [], "encrypted_content": seal(Sealed([block], [], {}))},
        CALL,
        {
            "type": "reasoning",
            "id": "rs_omg2",
            "summary": [],
            "encrypted_content": seal(Sealed([], [], {"call_1": extra})),
        },
        RESULT,
    )

    assert said[1]["thinking_blocks"] == [block]
    assert said[1]["tool_calls"][0]["extra_content"] == extra


def test_reasoning_sealed_by_another_is_left_out_and_told() -> None:
    made = translated(input=[USER, {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}])

    assert made.dropped == ["input.reasoning.encrypted_content"]


def test_parameters_have_chats_names() -> None:
    body = chat_body(
        max_output_tokens=16,
        temperature=0.5,
        top_p=0.9,
        top_logprobs=2,
        reasoning={"effort": "low", "summary": "auto"},
        text={
            "verbosity": "low",
            "format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": True},
        },
        service_tier="flex",
        prompt_cache_key="k",
        safety_identifier="s",
        user="u",
        metadata={"a": "b"},
        stream=True,
    )

    body.pop("messages")
    assert body == {
        "model": "asked",
        "max_completion_tokens": 16,
        "temperature": 0.5,
        "top_p": 0.9,
        "logprobs": True,
        "top_logprobs": 2,
        "reasoning_effort": "low",
        "verbosity": "low",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "a", "schema": {"type": "object"}, "strict": True},
        },
        "service_tier": "flex",
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "user": "u",
        "stream": True,
    }


CLOSED: Json = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
OPEN: Json = {"type": "object", "properties": {"a": {"type": "string"}}}


@pytest.mark.parametrize(
    ("given", "parameters", "sent"),
    [(None, CLOSED, True), (None, OPEN, None), (True, OPEN, True), (False, CLOSED, False)],
)
def test_functions_are_strict_by_default_where_their_schema_is(
    given: bool | None,
    parameters: Json,
    sent: bool | None,
) -> None:
    tool = {"type": "function", "name": "f", "parameters": parameters} | ({} if given is None else {"strict": given})

    assert chat_body(tools=[tool])["tools"][0]["function"].get("strict") is sent


def test_long_names_in_namespaces_are_cut_and_stay_apart() -> None:
    inner = [{"type": "function", "name": "n" * 60 + end} for end in ("a", "b")]
    made = translated(tools=[{"type": "namespace", "name": "my.space", "description": "", "tools": inner}]).tools.names

    names = list(made.by_chat_name)
    assert len(set(names)) == 2
    assert all(len(name) == 64 and name.startswith("my_space__") for name in names)
    assert [offered.name for offered in made.by_chat_name.values()] == [tool["name"] for tool in inner]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
        ({"type": "custom", "name": "c"}, {"type": "function", "function": {"name": "c"}}),
    ],
)
def test_tool_choices_have_chats_shape(choice: object, sent: object) -> None:
    tools = [{"type": "function", "name": "f"}, {"type": "custom", "name": "c"}]

    assert chat_body(tools=tools, tool_choice=choice)["tool_choice"] == sent


def test_allowed_tools_are_those_that_are_offered() -> None:
    tools = [{"type": "function", "name": name} for name in ("f", "g")]
    choice = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "g"}]}

    body = chat_body(tools=tools, tool_choice=choice)

    assert [tool["function"]["name"] for tool in body["tools"]] == ["g"]
    assert body["tool_choice"] == "required"


def test_tools_of_the_provider_are_left_out_and_told() -> None:
    made = translated(
        tools=[{"type": "web_search"}, {"type": "file_search", "vector_store_ids": []}], tool_choice="auto"
    )

    assert made.dropped == ["tools.web_search", "tools.file_search"]
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & made.payload.fields.keys()


@pytest.mark.parametrize(
    ("body", "dropped"),
    [
        ({"store": True}, ["store"]),
        ({"store": False, "background": False, "truncation": "disabled", "metadata": {"a": "b"}}, []),
        ({"truncation": "auto"}, ["truncation"]),
        ({"include": ["reasoning.encrypted_content"], "client_metadata": {"a": "b"}}, []),
        ({"reasoning": {"effort": "low", "mode": "pro"}}, ["reasoning.mode"]),
        ({"vendor": 1}, ["vendor"]),
        (
            {"input": [USER, {"type": "web_search_call", "id": "ws_1", "status": "completed"}]},
            ["input.web_search_call"],
        ),
    ],
)
def test_what_is_dropped_is_told(body: Json, dropped: list[str]) -> None:
    assert translated(**body).dropped == dropped


@pytest.mark.parametrize(
    ("body", "kind", "param", "code"),
    [
        ({"previous_response_id": "resp_1"}, "unsupported", "previous_response_id", "previous_response_not_found"),
        ({"conversation": "c"}, "unsupported", "conversation", "unsupported_parameter"),
        ({"background": True}, "unsupported", "background", "unsupported_parameter"),
        ({"prompt": {"id": "p"}}, "unsupported", "prompt", "unsupported_parameter"),
        ({"input": [{"id": "msg_1"}]}, "unsupported", "input.0", "unsupported_value"),
        ({"input": [USER, {"type": "computer_call"}]}, "unsupported", "input.1", "unsupported_value"),
        ({"input": [IMAGE_BY_ID]}, "unsupported", "input", "unsupported_value"),
        ({"tools": [SEARCH], "tool_choice": "required"}, "unsupported", "tool_choice", "unsupported_parameter"),
        ({"tool_choice": {"type": "web_search"}}, "unsupported", "tool_choice", "unsupported_parameter"),
        ({"tool_choice": {"type": "function", "name": "x"}}, "client_fault", "tool_choice", "invalid_value"),
        ({"input": [RESULT]}, "client_fault", "input", "invalid_value"),
        ({"input": [{"type": "function_call", "name": "f"}]}, "client_fault", "input", "missing_required_parameter"),
        ({"input": [3]}, "client_fault", "input.0", "invalid_type"),
        ({"input": [{"role": "robot", "content": "hi"}]}, "client_fault", "input", "invalid_value"),
        ({"input": None}, "client_fault", "input", "missing_required_parameter"),
        ({"tools": [3]}, "client_fault", "tools.0", "invalid_type"),
        ({"text": {"format": 3}}, "client_fault", "text", "invalid_type"),
        ({"text": {"format": {"type": "xml"}}}, "unsupported", "text.format.type", "unsupported_parameter"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_is_refused(body: Json, kind: str, param: str, code: str) -> None:
    with pytest.raises(UpstreamFailure) as refused:
        translated(**body)

    assert refused.value.kind is FailureKind(kind)
    assert (refused.value.param, refused.value.code) == (param, code)
