"""Schemas of tools, made fit for Gemini: none is refused, and what they mean is kept."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dialects.gemini.schema import MAX_DEPTH, openapi_parameters, openapi_schema
from tests.unit.adapters.dialects.gemini.gemini_rules import json_schema, rejections
from tests.unit.adapters.dialects.gemini.schema_corpus import corpus
from tests.unit.adapters.dialects.gemini.tool_shapes import N, S, Schema, obj

CORPUS = dict(corpus())
WORDS = st.sampled_from(["string", "number", "integer", "boolean", "object", "array", "null"])
_ODD: tuple[Any, ...] = (None, "", "zz", "name", 0, 1, 2.5, -200, 10_000, True, [], ["zz"], [1, 2], {}, {"zz": 1})
_SOFT = frozenset(
    "additionalProperties uniqueItems multipleOf not propertyNames patternProperties dependentRequired if contains "
    "exclusiveMinimum exclusiveMaximum false prefixItems".split()
)
"""What OpenAPI's subset has no words for: the description tells it."""


def test_the_corpus_is_large_and_always_the_same() -> None:
    assert len(CORPUS) >= 200
    assert dict(corpus()) == CORPUS


@pytest.mark.parametrize("name", CORPUS)
def test_no_schema_is_refused(name: str) -> None:
    found = openapi_parameters(CORPUS[name])

    assert [*rejections(openapi_schema(CORPUS[name]))] == []
    if found is not None:
        assert found["type"] == "OBJECT"
        assert [*rejections(found)] == []


@pytest.mark.parametrize("name", CORPUS)
def test_what_is_valid_stays_valid_and_what_is_not_does_not_where_it_can_be_said(name: str) -> None:
    schema = CORPUS[name]
    original = _validator(schema)
    cleaned = jsonschema.Draft202012Validator(json_schema(openapi_schema(schema)))
    seen = {True: 0, False: 0}

    for instance in _instances(schema):
        valid = original.is_valid(instance)
        seen[valid] += 1
        if valid:
            assert cleaned.is_valid(instance), (instance, [*cleaned.iter_errors(instance)])
        elif cleaned.is_valid(instance):
            assert all(_soft(error) for error in original.iter_errors(instance)), instance

    assert seen[True] or name == "untyped-strict"  # it needs what it forbids
    assert seen[False] or name.startswith(("snapshot", "screenshot"))


def _validator(schema: Schema) -> Any:
    """Draft 4's flags and tuples in today's words, which is what they mean."""
    return jsonschema.Draft202012Validator(_modern(schema))


def _modern(node: Any) -> Any:
    if isinstance(node, list):
        return [_modern(one) for one in node]
    if not isinstance(node, dict):
        return node
    received = {name: _modern(value) for name, value in node.items()}
    if received.get("exclusiveMinimum") is True:
        received["exclusiveMinimum"] = received.pop("minimum")
    if isinstance(received.get("items"), list):
        received["prefixItems"] = received.pop("items")
    for word, kind in (("properties", "object"), ("items", "array"), ("minLength", "string")):
        if (
            word in received
            and isinstance(received[word], (dict, list, int))
            and not received.keys() & {"type", "anyOf"}
        ):
            received["type"] = kind  # as whoever left it out meant it
    if received.pop("nullable", None) is True:
        return {"anyOf": [received, {"type": "null"}]}
    return received


def _instances(schema: Schema) -> Iterator[Any]:
    """A whole and a lean instance, and both with each of their places changed in turn."""
    for whole in (True, False):
        made = _made(schema, schema, whole=whole, depth=0)
        yield made
        yield from _changed(made)


def _changed(value: Any) -> Iterator[Any]:
    yield from _ODD
    if isinstance(value, dict):
        for name in value:
            yield {key: one for key, one in value.items() if key != name}
            for other in _changed(value[name]):
                yield {**value, name: other}
        yield {**value, "surplus": 1}
    elif isinstance(value, list) and value:
        yield value * 9
        for other in _changed(value[0]):
            yield [other, *value[1:]]


def _made(node: Any, root: Schema, *, whole: bool, depth: int) -> Any:
    """An instance of the schema, or something near it."""
    if not isinstance(node, dict):
        return "any"
    if "$ref" in node:
        return _made(_target(node["$ref"], root), root, whole=whole, depth=depth)
    for name in ("allOf", "anyOf", "oneOf"):
        if node.get(name):
            parts = [_made(one, root, whole=whole, depth=depth) for one in node[name]]
            own = _made({key: one for key, one in node.items() if key != name}, root, whole=whole, depth=depth)
            objects = [
                part for part in (own, parts[0], *(parts[1:] if name == "allOf" else ())) if isinstance(part, dict)
            ]
            return {key: one for part in objects for key, one in part.items()} if objects else parts[0]
    if "const" in node:
        return node["const"]
    if node.get("enum"):
        return node["enum"][0]
    kind = node.get("type") or ("object" if "properties" in node else "array" if "items" in node else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        required = node.get("required", [])
        names = node.get("properties", {}) if whole and depth < 5 else {}
        made = {name: _made(own, root, whole=whole, depth=depth + 1) for name, own in names.items()}
        return made | {
            name: _made(node.get("properties", {}).get(name, {}), root, whole=whole, depth=depth + 1)
            for name in required
            if name not in made
        }
    if kind == "array":
        places = node.get("prefixItems") or (node["items"] if isinstance(node.get("items"), list) else None)
        if places:
            return [_made(one, root, whole=whole, depth=depth + 1) for one in places]
        return [] if depth > 5 else [_made(node.get("items", {}), root, whole=whole, depth=depth + 1)]
    return {"string": _text(node), "boolean": True, "null": None}.get(kind, max(node.get("minimum", 1), 1))


def _text(node: Schema) -> str:
    patterns = {"^RRULE:": "RRULE:x", "^[A-Z]{3}$": "EUR"}
    return patterns.get(node.get("pattern", ""), "a text")


def _target(reference: str, root: Schema) -> Any:
    if reference == "#ident":
        return root["$defs"]["id"]
    found: Any = root
    for step in reference[2:].split("/"):
        found = found[step]
    return found


def _soft(error: Any) -> bool:
    if len(error.absolute_path) >= 5 and "children" in error.absolute_path:
        return True  # of what contains itself only two rounds are told
    if error.validator in {"enum", "const"}:
        values = [error.validator_value] if error.validator == "const" else error.validator_value
        return not all(isinstance(value, str) for value in values)
    if error.validator == "type" and error.validator_value == "null":
        return bool(error.instance == "")  # nothing but null is told as an empty text that may be null
    if error.validator == "pattern":
        return "(?" in error.validator_value
    if error.validator in {"oneOf", "anyOf"}:
        return not error.context or any(_soft(one) for one in error.context)
    if error.validator in {"type", "required", "minItems"}:  # within tuples, and `if`
        return "prefixItems" in error.absolute_schema_path or "then" in error.absolute_schema_path
    return error.validator in _SOFT


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | WORDS | st.just({}),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    "type properties required items anyOf oneOf allOf enum const $ref $defs prefixItems minimum "
                    "exclusiveMinimum nullable format additionalProperties a".split()
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    ).filter(lambda value: isinstance(value, dict))
)
def test_whatever_is_given_something_gemini_takes_comes_out(schema: Schema) -> None:
    assert [*rejections(openapi_schema(schema))] == []


def test_a_reference_to_itself_ends() -> None:
    schema = {"$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}, **obj("", a={"$ref": "#/$defs/A"})}

    assert openapi_parameters(schema) is not None
    assert "$ref" not in str(openapi_schema({**schema, "properties": {"root": {"$ref": "#"}}}))


def test_what_multiplies_stays_small() -> None:
    """Each level holds the next one ten times."""
    levels = {f"L{n}": obj("", **{f"p{k}": {"$ref": f"#/$defs/L{n + 1}"} for k in range(10)}) for n in range(12)}
    schema = {"$defs": {**levels, "L12": S}, **obj("", top={"$ref": "#/$defs/L0"})}

    found = openapi_parameters(schema)

    assert len(str(found)) < 2_000_000
    assert MAX_DEPTH < 64


def test_what_has_no_keyword_is_told_in_words() -> None:
    found = openapi_parameters(
        obj(
            "",
            price={**N, "exclusiveMinimum": 0, "description": "What it costs"},
            mail={**S, "format": "email", "default": "a@example.com"},
            level={"enum": [1, 2, 5]},
            tags={"type": "object", "additionalProperties": {"type": "string"}},
        )
    )

    assert found is not None
    received: Any = found["properties"]
    assert received["price"] == {"type": "NUMBER", "minimum": 0, "description": "What it costs More than 0."}
    assert received["mail"] == {"type": "STRING", "description": 'Format: email. Default: "a@example.com".'}
    assert received["level"] == {"type": "INTEGER", "minimum": 1, "maximum": 5, "description": "One of: 1,2,5."}
    assert re.search("values of: .*string", received["tags"]["description"])


def test_a_function_without_arguments_has_no_parameters() -> None:
    assert openapi_parameters({"type": "object", "properties": {}, "additionalProperties": False}) is None
