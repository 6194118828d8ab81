"""Whether OpenAI's strict mode takes a JSON Schema as it is: every object closed, every property required."""

from typing import Any

import msgspec

_decode = msgspec.json.Decoder().decode


def fits_strict(schema: bytes) -> bool:
    """For a schema as JSON text. Source: OpenAI's structured outputs, supported schemas (read 2026-11)."""
    return _fits(_decode(schema))


def _fits(schema: Any) -> bool:
    if isinstance(schema, list):
        return all(_fits(part) for part in schema)
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        names = set(properties) if isinstance(properties, dict) else set()
        required = schema.get("required", [])
        if schema.get("additionalProperties") is not False or set(required) != names:
            return False
    inner = [*properties.values()] if isinstance(properties, dict) else []
    inner += [schema[name] for name in ("items", "anyOf", "oneOf", "allOf") if name in schema]
    for name in ("$defs", "definitions"):
        inner += schema[name].values() if isinstance(schema.get(name), dict) else []
    return all(_fits(part) for part in inner)
