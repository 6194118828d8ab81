"""JSON Schemas as Anthropic takes them for structured outputs and strict tools.

A structured output's objects are closed, and constraints on values become words in the description:

    in:  {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}
    out: {"type": "object", "properties": {"n": {"type": "integer", "description": "{minimum: 1}"}},
          "required": ["n"], "additionalProperties": false}

Anthropic compiles such schemas into a grammar, with limits on their number and complexity for one request: beyond them
the whole request would be refused, so that `GrammarLimits` counts.

Source: platform.claude.com tool use and structured outputs, `transform_schema` of anthropic-python 2.11 (read 2026-11).
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

Schema = dict[str, Any]  # opaque JSON

_COMBINATIONS: Final = ("allOf", "anyOf", "oneOf")
_KEPT: Final = frozenset({"$ref", "type", "enum", "const", "title", "description", "default", "required", "format"})
_FORMATS: Final = frozenset("date-time time date duration email hostname uri ipv4 ipv6 uuid".split())
_SILENT: Final = frozenset({"$schema", "$id", "$comment", "examples", "additionalProperties", "strict"})
_MAX_DEPTH: Final = 64


def closed_schema(schema: object) -> Schema | None:
    """The schema with every object closed; None where that would change its meaning (open maps, anything at all), and
    for one that refers to itself.
    """
    closed = _closed(schema, 0)
    return None if closed is None or _refers_to_itself(closed) else closed


def _refers_to_itself(closed: Schema) -> bool:
    """Whether following references from any definition leads back to it, or to the whole."""
    reached = {name: set(_references(definition)) for name, definition in closed.get("$defs", {}).items()}
    for _ in reached:
        for name, found in reached.items():
            reached[name] = found.union(*(reached.get(other, ()) for other in found))
    return "#" in _references(closed) or any(name in found for name, found in reached.items())


def _references(value: object) -> Iterator[str]:
    """The names of the definitions referred to; `#` for the whole."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix("#/$defs/")
        for child in value.values():
            yield from _references(child)
    elif isinstance(value, list):
        for child in value:
            yield from _references(child)


def _closed(schema: object, depth: int) -> Schema | None:
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return None
    closed: Schema = {name: value for name, value in schema.items() if name in _KEPT}
    if closed.get("format") not in _FORMATS:
        closed.pop("format", None)
    if not _close_children(schema, closed, depth):
        return None
    if "$ref" in closed:  # nothing may stand beside it but what it refers to
        reference = {"$ref": str(closed["$ref"]).replace("#/definitions/", "#/$defs/")}
        return reference | ({"$defs": closed["$defs"]} if "$defs" in closed else {})
    if _is_object(schema):
        if schema.get("additionalProperties") not in (None, False) or "patternProperties" in schema:
            return None
        if "properties" not in schema and schema.get("additionalProperties") is not False:
            return None
        closed["additionalProperties"] = False
    elif not closed.keys() & {"type", "enum", "const", "anyOf", "allOf"}:
        return None
    _note_constraints(schema, closed)
    return closed


def _is_object(schema: Schema) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind) or (not kind and "properties" in schema)


def _close_children(schema: Schema, closed: Schema, depth: int) -> bool:
    for name, target in (("properties", "properties"), ("$defs", "$defs"), ("definitions", "$defs")):
        if isinstance(schema.get(name), dict):
            children = {key: _closed(value, depth + 1) for key, value in schema[name].items()}
            if None in children.values():
                return False
            closed[target] = closed.get(target, {}) | children
    for name, target in (("anyOf", "anyOf"), ("oneOf", "anyOf"), ("allOf", "allOf")):
        if isinstance(schema.get(name), list):
            branches = [_closed(branch, depth + 1) for branch in schema[name]]
            if None in branches:
                return False
            closed[target] = closed.get(target, []) + branches
    if "items" in schema:
        closed["items"] = _closed(schema["items"], depth + 1)
        return closed["items"] is not None
    return schema.get("type") != "array"


def _note_constraints(schema: Schema, closed: Schema) -> None:
    """What the upstream's grammar cannot hold the model to is written for it in words."""
    children = {"properties", "$defs", "definitions", "items", *_COMBINATIONS}
    notes = []
    for name, value in schema.items():
        if name in children or name in _SILENT or name in closed:
            continue
        if name == "minItems" and value in (0, 1):
            closed["minItems"] = value
        else:
            notes.append(f"{name}: {msgspec.json.encode(value).decode()}")
    if notes:
        described = closed.get("description")
        closed["description"] = f"{described}\n\n" * bool(described) + "{" + ", ".join(notes) + "}"


class GrammarLimits:
    """What is left for strict tools and structured outputs in one request."""

    def __init__(self, schemas: int = 20, optional: int = 24, unions: int = 16) -> None:
        self._schemas = schemas
        self._optional = optional
        self._unions = unions

    def take(self, closed: Schema) -> bool:
        """Whether this schema still fits; where it does, it is counted."""
        nodes = list(_nodes(closed))
        optional = sum(len(node.get("properties", {}).keys() - set(node.get("required", ()))) for node in nodes)
        unions = sum("anyOf" in node or isinstance(node.get("type"), list) for node in nodes)
        if self._schemas < 1 or optional > self._optional or unions > self._unions:
            return False
        self._schemas -= 1
        self._optional -= optional
        self._unions -= unions
        return True


def _nodes(schema: Any) -> Iterator[Schema]:
    """Every schema inside, the whole first."""
    if not isinstance(schema, dict):
        return
    yield schema
    for name in ("properties", "$defs"):
        for child in schema.get(name, {}).values():
            yield from _nodes(child)
    for name in ("anyOf", "allOf"):
        for child in schema.get(name, ()):
            yield from _nodes(child)
    yield from _nodes(schema.get("items"))
