"""JSON Schemas as Anthropic takes them: for tools, and closed ones for structured outputs and strict tools.

Source: platform.claude.com tool use and structured outputs, `transform_schema` of anthropic-python 2.11 (read
2026-11). A tool's schema is an object without `anyOf`, `oneOf` or `allOf` at its top; a structured output's
objects are closed, and constraints on values become words in the description.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

Schema = dict[str, Any]  # opaque JSON

_COMBINATIONS: Final = ("allOf", "anyOf", "oneOf")
_KEPT: Final = frozenset({"$ref", "type", "enum", "const", "title", "description", "default", "required", "format"})
_FORMATS: Final = frozenset("date-time time date duration email hostname uri ipv4 ipv6 uuid".split())
_SILENT: Final = frozenset({"$schema", "$id", "$comment", "examples", "additionalProperties", "strict"})
_MAX_DEPTH: Final = 64


def input_schema(parameters: Mapping[str, object] | None) -> Schema:
    """A tool's parameters. Alternatives at the top become one object that allows each of them."""
    schema: Schema = {name: value for name, value in (parameters or {}).items() if name != "$schema"}
    for name in _COMBINATIONS:
        branches = schema.pop(name, None)
        if isinstance(branches, list):
            _merge(schema, [branch for branch in branches if isinstance(branch, dict)], every=name == "allOf")
    schema["type"] = "object"
    schema.setdefault("properties", {})
    return schema


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
        told = {"$ref": str(closed["$ref"]).replace("#/definitions/", "#/$defs/")}
        return told | ({"$defs": closed["$defs"]} if "$defs" in closed else {})
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
    """What the upstream's grammar cannot hold the model to is told to it in words."""
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
