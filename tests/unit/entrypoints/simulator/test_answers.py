"""What a simulated model says follows from the request alone."""

import json
from typing import Any

import jsonschema
import pytest

from entrypoints.simulator.answers import answer_to, instance_of, words_of
from entrypoints.simulator.behaviour import Behaviour, behaviour_from

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    },
}
CLOCK = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}


def ask(text: Any = "one two three", **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": text}]} | (
        fields
    )


@pytest.mark.parametrize("text", ["", "a", " a  b\n\nc ", "héllo 日本語", "   ", "tabs\tand\nlines"])
def test_cutting_into_words_loses_nothing(text: str) -> None:
    assert "".join(words_of(text)) == text


def test_the_answer_repeats_the_last_user_message_and_counts_words() -> None:
    answer = answer_to(ask(), Behaviour())

    assert answer.text == "one two three"
    assert answer.finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage["prompt_tokens"], answer.usage["completion_tokens"]) == (5, 3)


def test_parts_that_are_no_text_appear_by_their_type() -> None:
    parts = [{"type": "text", "text": "what is"}, {"type": "image_url", "image_url": {"url": "data:,"}}]

    assert answer_to(ask(parts), Behaviour()).text == "what is [image_url]"


def test_a_limit_cuts_the_answer_and_says_so() -> None:
    answer = answer_to(ask(max_tokens=2), Behaviour())

    assert (answer.text, answer.finish_reason) == ("one two", "length")


def test_the_first_declared_tool_is_called_with_arguments_that_fit() -> None:
    answer = answer_to(ask(tools=[WEATHER, CLOCK]), behaviour_from({"tools": "first"}))

    assert [call["name"] for call in answer.tool_calls] == ["weather"]
    assert json.loads(answer.tool_calls[0]["arguments"]) == {"city": "one two three", "days": 1}
    assert answer.finish_reason == "tool_calls"
    assert answer.pieces == ()


def test_all_declared_tools_are_called_in_parallel_with_ids_of_their_own() -> None:
    answer = answer_to(ask(tools=[WEATHER]), behaviour_from({"tools": "all"}))

    assert len({call["id"] for call in answer.tool_calls}) == 2


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("required", ["weather"]),
        ({"type": "function", "function": {"name": "clock"}}, ["clock"]),
        ("auto", []),
        ("none", []),
    ],
)
def test_the_tool_choice_is_honoured(choice: object, called: list[str]) -> None:
    answer = answer_to(ask(tools=[WEATHER, CLOCK], tool_choice=choice), Behaviour())

    assert [call["name"] for call in answer.tool_calls] == called


def test_scripted_calls_win_over_declared_ones() -> None:
    given = behaviour_from({"tool_calls": [{"name": "f", "arguments": "not json", "id": "call_x"}]})

    assert answer_to(ask(), given).tool_calls == ({"id": "call_x", "name": "f", "arguments": "not json"},)


@pytest.mark.parametrize(
    "schema",
    [
        {
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "number"}}},
        },
        {"type": "object", "properties": {"kind": {"enum": ["x", "y"]}, "flag": {"type": "boolean"}}},
        {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        {"type": ["string", "null"]},
        {"const": 7},
        {},
        {
            "$defs": {"City": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
            "type": "object",
            "properties": {
                "city": {"$ref": "#/$defs/City"},
                "more": {"type": "array", "items": {"$ref": "#/$defs/City"}},
            },
            "required": ["city", "more"],
        },
        {"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"type": "integer"}}},
        {
            "$defs": {
                "Node": {
                    "type": "object",
                    "properties": {
                        "value": {"type": "integer"},
                        "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
                        "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
                        "parent": {"$ref": "#/$defs/Node"},
                    },
                    "required": ["value", "next", "children"],
                }
            },
            "$ref": "#/$defs/Node",
        },
        {"type": "object", "properties": {"self": {"$ref": "#"}}},
    ],
)
def test_a_json_answer_fits_the_schema(schema: dict[str, Any]) -> None:
    jsonschema.validate(instance_of(schema, "text"), schema)


def test_a_json_response_format_gets_a_json_answer() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema}}

    assert json.loads(answer_to(ask("Oslo", response_format=wanted), Behaviour()).text) == {"city": "Oslo"}


def test_scripted_usage_is_reported_as_told_or_not_at_all() -> None:
    given = behaviour_from({"usage": {"prompt_tokens": 7, "completion_tokens": 2, "cached_tokens": 3}})

    usage = answer_to(ask(), given).usage

    assert usage is not None
    assert (usage["total_tokens"], usage["prompt_tokens_details"]["cached_tokens"]) == (9, 3)
    assert answer_to(ask(), behaviour_from({"usage": False})).usage is None
