"""A chat held to a row: golden lists of messages, and lists that stay as they came."""

import json
from typing import Any

import msgspec
import pytest

from adapters.constraints.changes import Changes
from adapters.constraints.chat import edited_chat
from adapters.constraints.conform import chat_amiss
from adapters.constraints.rules import NOWHERE, PLAIN, Constraints, Spelling
from domain.chat import ChatRequest
from domain.payload import Payload
from tests.builders import a_chat_payload

USER: dict[str, Any] = {"role": "user", "content": "hi"}
ANSWER: dict[str, Any] = {"role": "assistant", "content": "hello"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT: dict[str, Any] = {"role": "tool", "tool_call_id": "c1", "content": "42"}


def only(**rules: Any) -> Constraints:
    """A row with these rules alone."""
    return msgspec.structs.replace(PLAIN, **rules)


def conform_chat(
    payload: Payload[ChatRequest], row: Constraints, changes: Changes, lost: set[str]
) -> Payload[ChatRequest]:
    amiss = chat_amiss(payload.value, payload.fields, row)
    return edited_chat(payload, row, changes, lost, amiss) if amiss else payload


def edited(messages: list[dict[str, Any]], row: Constraints) -> tuple[Any, bool]:
    """The list that is sent, and whether its bytes are the client's."""
    payload = a_chat_payload(messages=messages)
    fit = conform_chat(payload, row, Changes(), set())
    sent = json.loads(bytes(fit.fields["messages"]))
    assert [message.role for message in fit.value.messages] == [message["role"] for message in sent]
    return sent, fit is payload


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
                CALLING,
                RESULT,
                {"role": "system", "content": ""},
                {"role": "system", "content": [{"type": "text", "text": "B"}]},
            ],
            [{"role": "system", "content": "A\na\n\nB"}, USER, CALLING, RESULT],
            id="parts, and tools",
        ),
        pytest.param(
            [
                {"role": "system", "content": [{"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}}]},
                USER,
                {"role": "system", "content": "B"},
            ],
            [
                {
                    "role": "system",
                    "content": [
                        {"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}},
                        {"type": "text", "text": "B"},
                    ],
                },
                USER,
            ],
            id="marked for the cache",
        ),
    ],
)
def test_instructions_are_gathered_at_the_beginning(messages: list[dict[str, Any]], sent: list[dict[str, Any]]) -> None:
    assert edited(messages, only(systems="first")) == (sent, False)


@pytest.mark.parametrize(
    "messages", [[USER], [{"role": "system", "content": [{"type": "text", "text": "A"}]}, USER, ANSWER, USER]]
)
def test_one_system_message_at_the_beginning_stays_as_it_came(messages: list[dict[str, Any]]) -> None:
    assert edited(messages, only(systems="first")) == (messages, True)


def test_a_target_that_takes_instructions_anywhere_gets_them_where_they_were() -> None:
    messages = [USER, {"role": "system", "content": "B"}, USER]

    assert edited(messages, PLAIN) == (messages, True)


def test_turns_of_one_role_become_one() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
    said = {"role": "assistant", "content": "I look.", "reasoning_content": "hm"}
    messages = [USER, {"role": "user", "content": [image]}, said, CALLING | {"reasoning_content": "so"}, RESULT, RESULT]

    sent, _ = edited(messages, only(equal_roles="merged"))

    assert sent == [
        {"role": "user", "content": [{"type": "text", "text": "hi"}, image]},
        {"role": "assistant", "content": "I look.", "reasoning_content": "hm\n\nso", "tool_calls": [CALL]},
        RESULT,
        RESULT,
    ]


def test_the_assistant_says_a_word_between_a_result_and_a_user() -> None:
    sent, _ = edited([USER, CALLING, RESULT, USER], only(after_tool="assistant"))

    assert [message["role"] for message in sent] == ["user", "assistant", "tool", "assistant", "user"]
    assert sent[3]["content"]


@pytest.mark.parametrize(
    "content", ["", " \n", [], [{"type": "text", "text": ""}, {"type": "text", "text": " "}], None]
)
def test_what_says_nothing_is_filled_for_a_user_and_left_out_for_others(content: Any) -> None:
    blank = [{"role": "system", "content": content}, {"role": "user", "content": content}]

    sent, _ = edited([*blank, {"role": "assistant", "content": content}, USER], only(empty="filled"))

    assert sent == [{"role": "user", "content": "(empty)"}, USER]


def test_blank_texts_beside_others_go() -> None:
    parts = [{"type": "text", "text": ""}, {"type": "text", "text": "a"}]

    assert edited([{"role": "user", "content": parts}, CALLING, RESULT], only(empty="filled"))[0] == [
        {"role": "user", "content": parts[1:]},
        CALLING,
        RESULT,
    ]


def test_texts_alone_become_one_string_and_pictures_keep_their_parts() -> None:
    texts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    picture: list[Any] = [*texts, {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]
    messages: list[Any] = [
        {"role": "user", "content": texts},
        {"role": "user", "content": picture},
        CALLING,
        RESULT,
    ]

    sent, _ = edited(messages, only(texts="strings"))

    assert [message["content"] for message in sent] == ["a\n\nb", picture, "", "42"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("data:image/jpg;base64,AAAA", "data:image/jpeg;base64,AAAA"),
        ("DATA:IMAGE/PNG;base64,AAAA", "data:image/png;base64,AAAA"),
        ("data:image/pjpeg;charset=x;base64,AAAA", "data:image/jpeg;charset=x;base64,AAAA"),
        ("data:image/webp;base64,AAAA", "data:image/webp;base64,AAAA"),
        ("https://a.example/b.JPG", "https://a.example/b.JPG"),
        ("data:image/png;base64,/9j/4AAQSkZJRg==", "data:image/jpeg;base64,/9j/4AAQSkZJRg=="),
        ("data:,hello", "data:,hello"),
    ],
)
def test_types_of_images_are_written_as_they_are_registered(given: str, sent: str) -> None:
    def message(url: str) -> dict[str, Any]:
        return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}

    assert edited([message(given)], only(image_types="registered")) == ([message(sent)], given == sent)


def test_marks_for_a_cache_go_where_they_are_not_taken_and_are_reported() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    payload = a_chat_payload(
        messages=[
            {"role": "system", "content": [{"type": "text", "text": "S", **mark}]},
            {"role": "user", "content": "u", **mark},
        ],
        tools=[{"type": "function", "function": {"name": "f"}, **mark}],
    )
    lost: set[str] = set()

    without = conform_chat(payload, only(cache_marks=NOWHERE), Changes(), lost)
    partly = conform_chat(payload, only(cache_marks=frozenset({"system", "messages"})), Changes(), set())

    assert b"cache_control" not in bytes(without.fields["messages"]) + bytes(without.fields["tools"])
    assert lost == {"cache_control"}
    assert partly.fields["messages"] == payload.fields["messages"]
    assert b"cache_control" not in bytes(partly.fields["tools"])


def test_names_and_ids_are_made_fit_wherever_they_stand_and_changed_back() -> None:
    name, call_id = "srv/tool:v1", "functions.tool:0"
    call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": "{}"}}
    payload = a_chat_payload(
        messages=[
            USER,
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call_id, "name": name, "content": name},
        ],
        tools=[{"type": "function", "function": {"name": name}}, {"type": "function", "function": {"name": "fine"}}],
        tool_choice={"type": "function", "function": {"name": name}},
    )
    changes = Changes()

    fit = conform_chat(payload, only(tool_names=Spelling(most=64), call_ids=Spelling(most=40)), changes, set())

    sent = {field: json.loads(bytes(fit.fields[field])) for field in ("messages", "tools", "tool_choice")}
    called = sent["messages"][1]["tool_calls"][0]
    fitted = called["function"]["name"]
    assert Spelling(most=64).takes(fitted)
    assert fitted == sent["tools"][0]["function"]["name"] == sent["tool_choice"]["function"]["name"]
    assert sent["messages"][2] == {"role": "tool", "tool_call_id": called["id"], "name": fitted, "content": name}
    assert sent["tools"][1]["function"]["name"] == "fine"
    assert fit.value.tools is not None
    assert fit.value.tools[0].function is not None
    assert fit.value.tools[0].function.name == fitted
    answer = json.dumps({"id": called["id"], "function": {"name": fitted, "arguments": json.dumps({"name": fitted})}})
    assert json.loads(changes.undone(answer.encode())) == {
        "id": call_id,
        "function": {"name": name, "arguments": json.dumps({"name": fitted})},
    }


def test_a_schema_gets_an_object_at_its_root() -> None:
    branches = [
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        {"$ref": "#/$defs/b"},
    ]
    definitions = {"b": {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}}
    schema = {"anyOf": branches, "$defs": definitions, "not": {"required": ["c"]}}
    payload = a_chat_payload(tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}])

    fit = conform_chat(payload, only(tool_schemas="object"), Changes(), set())

    assert json.loads(bytes(fit.fields["tools"]))[0]["function"]["parameters"] == {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "$defs": definitions,
    }


@pytest.mark.parametrize(
    ("system", "rest"),
    [
        ("x-anthropic-billing-header: cch=1;\nBe brief.", "Be brief."),
        (
            [{"type": "text", "text": "x-anthropic-billing-header: cch=1;"}, {"type": "text", "text": "Be brief."}],
            [{"type": "text", "text": "Be brief."}],
        ),
    ],
)
def test_only_the_billing_line_is_taken_out(system: Any, rest: Any) -> None:
    sent, _ = edited([{"role": "system", "content": system}, USER], only(billing_line="removed"))

    assert sent == [{"role": "system", "content": rest}, USER]


def test_what_google_hung_on_a_call_goes_to_nobody_else() -> None:
    hung = CALL | {"extra_content": {"google": {"thought_signature": "s"}}}
    payload = a_chat_payload(messages=[USER, CALLING | {"tool_calls": [hung]}, RESULT])
    lost: set[str] = set()

    fit = conform_chat(payload, only(foreign_thoughts="removed"), Changes(), lost)

    assert json.loads(bytes(fit.fields["messages"]))[1] == CALLING
    assert lost == {"messages.extra_content"}


def test_a_user_begins_where_turns_must_alternate() -> None:
    sent, _ = edited([{"role": "system", "content": "S"}, ANSWER, USER], only(equal_roles="merged"))

    assert [message["role"] for message in sent] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(
    ("parameters", "sent"),
    [
        ({}, {"type": "object", "properties": {}}),
        ({"type": "object"}, {"type": "object", "properties": {}}),
        ({"type": ["object", "null"], "properties": {}}, {"type": "object", "properties": {}}),
    ],
)
def test_a_schema_names_its_properties_where_they_are_missed(parameters: Any, sent: Any) -> None:
    payload = a_chat_payload(tools=[{"type": "function", "function": {"name": "f", "parameters": parameters}}])

    fit = conform_chat(payload, only(tool_schemas="properties"), Changes(), set())

    assert json.loads(bytes(fit.fields["tools"]))[0]["function"]["parameters"] == sent


def test_a_mark_for_all_of_a_request_goes_with_the_others() -> None:
    payload = a_chat_payload(messages=[USER], cache_control={"type": "ephemeral"})
    lost: set[str] = set()

    fit = conform_chat(payload, only(cache_marks=NOWHERE), Changes(), lost)

    assert "cache_control" not in fit.fields
    assert lost == {"cache_control"}
