"""JSON Schemas for tools and for structured outputs."""

from typing import Any

import pytest

from adapters.dialects.anthropic.schemas import Schema, closed_schema, input_schema

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
