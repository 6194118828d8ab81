"""A tool's JSON Schema with an object at its root, as most providers want it.

    in:  {"anyOf": [{"type": "object", "properties": {"a": …}, "required": ["a"]},
                    {"type": "object", "properties": {"b": …}}]}
    out: {"type": "object", "properties": {"a": …, "b": …}}

Alternatives become one object that allows each of them: the model may say a little more, and never less.

Source: OpenAI "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level",
"object schema missing properties"; Anthropic "input_schema does not support oneOf, allOf, or anyOf at the top level";
Bedrock the same (read 2026-11).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

Schema = dict[str, Any]  # opaque JSON

_COMBINATIONS: Final = ("allOf", "anyOf", "oneOf")
_NOT_AT_THE_ROOT: Final = ("enum", "const", "not", "if", "then", "else")
_ODD: Final = frozenset({*_COMBINATIONS, *_NOT_AT_THE_ROOT, "$ref"})
_DEFINITIONS: Final = ("$defs", "definitions")
_MAX_REFERENCES: Final = 8


def is_plain_object(parameters: Mapping[str, msgspec.Raw] | None, *, properties: bool = False) -> bool:
    """Whether the root can stay as it is; with `properties` it must name some, or say that there are none."""
    if parameters is None:
        return True
    if properties and "properties" not in parameters:
        return False
    return _ODD.isdisjoint(parameters) and bytes(parameters.get("type", b"")) == b'"object"'


def input_schema(parameters: Mapping[str, object] | None) -> Schema:
    """A tool's parameters. Alternatives at the top become one object that allows each of them."""
    schema: Schema = {name: value for name, value in (parameters or {}).items() if name != "$schema"}
    schema = _resolved(schema)
    for name in _COMBINATIONS:
        branches = schema.pop(name, None)
        if isinstance(branches, list):
            whole = [_resolved({**branch, **_defs(schema)}) for branch in branches if isinstance(branch, dict)]
            _merge(schema, whole, every=name == "allOf")
    for name in _NOT_AT_THE_ROOT:
        schema.pop(name, None)
    schema["type"] = "object"
    schema.setdefault("properties", {})
    return schema


def _defs(schema: Schema) -> Schema:
    return {name: schema[name] for name in _DEFINITIONS if name in schema}


def _resolved(schema: Schema) -> Schema:
    """What a reference at the root refers to, within the schema."""
    for _ in range(_MAX_REFERENCES):
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        found: Any = schema
        for step in reference.removeprefix("#").strip("/").split("/"):
            found = found.get(step) if isinstance(found, dict) else None
        rest = {name: value for name, value in schema.items() if name != "$ref"}
        schema = {**found, **rest} if isinstance(found, dict) and found is not schema else rest
    return {name: value for name, value in schema.items() if name != "$ref"}


def _merge(schema: Schema, branches: list[Schema], *, every: bool) -> None:
    properties = dict(schema.get("properties") or {})
    required = [set(branch.get("required") or ()) for branch in branches]
    for branch in branches:
        for name, value in (branch.get("properties") or {}).items():
            properties.setdefault(name, value)
    common = set().union(*required) if every else set.intersection(*required) if required else set()
    schema["properties"] = properties
    wanted = sorted(common | set(schema.get("required") or ()))
    if wanted:
        schema["required"] = wanted
