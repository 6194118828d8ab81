"""JSON Schemas for tools and for structured outputs."""

from typing import Any

import pytest

from adapters.dialects.anthropic.schemas import GrammarLimits, Schema, closed_schema
from adapters.wire.tool_schemas import input_schema
from tests.unit.adapters.dialects.anthropic.samples import encoded
from tests.unit.adapters.dialects.gemini.schema_corpus import corpus

ANY_OBJECT: Schema = {"type": "object", "properties": {}}
CITY: Schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PLACE: Schema = {"type": "object", "properties": {"lat": {"type": "number"}}, "required": ["lat"]}


@pytest.mark.parametrize("given", [None, {}, {"type": "object"}, {"$schema": "http://json-schema.org/draft-07/schema"}])
def test_a_tool_without_parameters_takes_an_object(given: Schema | None) -> None:
    assert input_schema(given) == ANY_OBJECT


def test_a_tools_schema_is_otherwise_kept() -> None:
    schema = CITY | {"$defs": {"a": {"type": "string"}}, "additionalProperties": True, "description": "d"}

    assert input_schema(schema) == schema


@pytest.mark.parametrize(("combination", "required"), [("anyOf", None), ("oneOf", None), ("allOf", ["city", "lat"])])
def test_alternatives_at_the_top_become_one_object(combination: str, required: list[str] | None) -> None:
    made = input_schema({combination: [CITY, PLACE]})

    assert made["properties"] == {"city": {"type": "string"}, "lat": {"type": "number"}}
    assert made.get("required") == required
    assert combination not in made


def test_what_every_alternative_needs_stays_required() -> None:
    made = input_schema({"anyOf": [CITY, CITY | {"properties": {"x": {}}}], "required": ["city"]})

    assert made["required"] == ["city"]


def test_every_object_is_closed_and_constraints_become_words() -> None:
    made = closed_schema(
        {
            "$schema": "s",
            "type": "object",
            "properties": {
                "n": {"type": "integer", "minimum": 1, "description": "How many"},
                "when": {"type": "string", "format": "date"},
                "code": {"type": "string", "format": "iban", "pattern": "^[A-Z]+$"},
                "list": {"type": "array", "minItems": 1, "maxItems": 3, "items": CITY},
                "either": {"oneOf": [{"type": "null"}, {"$ref": "#/definitions/place"}]},
            },
            "required": ["n"],
            "definitions": {"place": PLACE},
        }
    )

    assert made == {
        "type": "object",
        "properties": {
            "n": {"type": "integer", "description": "How many\n\n{minimum: 1}"},
            "when": {"type": "string", "format": "date"},
            "code": {"type": "string", "description": '{format: "iban", pattern: "^[A-Z]+$"}'},
            "list": {
                "type": "array",
                "minItems": 1,
                "items": CITY | {"additionalProperties": False},
                "description": "{maxItems: 3}",
            },
            "either": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/place"}]},
        },
        "required": ["n"],
        "$defs": {"place": PLACE | {"additionalProperties": False}},
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    "schema",
    [
        {},
        True,
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {}, "additionalProperties": True},
        {"type": "object", "properties": {}, "patternProperties": {"^x": {}}},
        {"type": "object", "properties": {"a": {}}},
        {"type": "array"},
        {"type": "array", "items": {}},
        {"anyOf": [{"type": "string"}, {}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {}}},
    ],
)
def test_what_closing_would_change_is_not_closed(schema: Any) -> None:
    assert closed_schema(schema) is None


def test_a_schema_nested_without_end_is_not_closed() -> None:
    schema: Schema = {"type": "string"}
    for _ in range(200):
        schema = {"type": "array", "items": schema}

    assert closed_schema(schema) is None


NODE: Schema = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"self": {"$ref": "#"}}},
        {"$ref": "#/$defs/node", "$defs": {"node": NODE}},
        {
            "type": "object",
            "properties": {},
            "$defs": {"node": {"$ref": "#/$defs/other"}, "other": {"type": "array", "items": NODE}},
        },
    ],
)
def test_what_refers_to_itself_is_not_closed(schema: Schema) -> None:
    assert closed_schema(schema) is None


def test_nothing_stands_beside_a_reference_but_what_it_refers_to() -> None:
    schema = {"$ref": "#/definitions/place", "description": "d", "definitions": {"place": PLACE}}

    assert closed_schema(schema) == {
        "$ref": "#/$defs/place",
        "$defs": {"place": PLACE | {"additionalProperties": False}},
    }


def an_object(names: int, kind: object = "string", *, required: bool = True) -> Schema:
    properties = {f"p{number}": {"type": kind} for number in range(names)}
    return {"type": "object", "properties": properties, "required": [*properties] if required else []}


@pytest.mark.parametrize(
    ("schema", "times"),
    [
        (an_object(1), 20),
        (an_object(12, required=False), 2),
        (an_object(8, ["string", "null"]), 2),
        ({"type": "array", "items": {"anyOf": [an_object(24, required=False), {"type": "null"}]}}, 1),
    ],
)
def test_there_is_room_for_so_much_that_is_strict(schema: Schema, times: int) -> None:
    limits = GrammarLimits()

    assert [limits.take(schema) for _ in range(times + 1)] == [True] * times + [False]


def test_what_finds_no_room_is_offered_without_being_strict() -> None:
    function = {"name": "f", "strict": True, "parameters": an_object(20, required=False)}
    tools = [{"type": "function", "function": function | {"name": name}} for name in ("f", "g")]

    first, second = encoded("claude-opus-5", tools=tools)["tools"]

    assert first["strict"] is True
    assert second == {"name": "g", "input_schema": an_object(20, required=False)}


def test_a_format_that_finds_no_room_is_asked_for_by_a_tool() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": an_object(25, required=False)}}

    body = encoded("claude-opus-5", response_format=schema)

    assert "output_config" not in body
    assert body["tool_choice"]["name"] == "answer_in_json"


def test_tools_of_every_shape_are_taken() -> None:
    """A corpus of the shapes that servers of tools publish: none is refused for its form."""
    for name, schema in corpus():
        made = input_schema(schema)
        assert made["type"] == "object", name
        assert made.keys().isdisjoint({"anyOf", "oneOf", "allOf", "$schema"}), name
        closed = closed_schema(made)
        assert closed is None or closed["additionalProperties"] is False, name
