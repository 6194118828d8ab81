"""Two hundred and more schemas of tools: every shape, as it is and as other servers would have written it."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from tests.unit.adapters.dialects.gemini.tool_shapes import SHAPES, Schema


def corpus() -> Iterator[tuple[str, Schema]]:
    """Names and schemas, always the same."""
    for name, shape in SHAPES.items():
        for variation, vary in _VARIATIONS.items():
            yield f"{name}-{variation}", vary(copy.deepcopy(shape))


def _as_it_is(schema: Schema) -> Schema:
    return schema


def _referred(schema: Schema) -> Schema:
    """Every property's schema in a definition, as generators write it."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return schema
    definitions = schema.setdefault("$defs", {})
    for name, own in properties.items():
        definitions[f"Of_{name}"] = own
        properties[name] = {"$ref": f"#/$defs/Of_{name}"}
    return schema


def _optional(schema: Schema) -> Schema:
    """What is not required may be null, as Pydantic has it."""
    required = schema.get("required", [])
    for name, own in (schema.get("properties") or {}).items():
        if name not in required:
            schema["properties"][name] = {"anyOf": [own, {"type": "null"}], "default": None, "title": name.title()}
    return schema


def _strict(schema: Schema) -> Schema:
    """OpenAI's strict form: nothing more, and noise that clients leave in."""
    if "properties" in schema:
        schema["additionalProperties"] = False
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = "https://tools.example/schema.json"
    schema["x-order"] = 1
    schema["examples"] = [{}]
    return schema


def _wrapped(schema: Schema) -> Schema:
    """One level down, with its definitions on top."""
    definitions: dict[str, Any] = {name: schema.pop(name) for name in ("$defs", "definitions") if name in schema}
    inner = {name: value for name, value in schema.items() if name != "$schema"}
    outer: dict[str, Any] = {"type": "object", "properties": {"input": {"allOf": [inner]}}, "required": ["input"]}
    return {**definitions, **outer}


_VARIATIONS: dict[str, Callable[[Schema], Schema]] = {
    "plain": _as_it_is,
    "referred": _referred,
    "optional": _optional,
    "strict": _strict,
    "wrapped": _wrapped,
}
