"""What Gemini refuses in `parameters`, and the same schema as JSON Schema again.

Source: google-genai 3.4 `types.Schema`: no `additionalProperties`, `$schema`, `$ref`, `const`, arrays of types; and the
API's own 400s (read 2026-11): a type everywhere, `items` for arrays, `anyOf` alone, `enum` of texts that are not
empty, required names that are properties, two formats.
"""

from collections.abc import Iterator
from typing import Any

KEYWORDS = frozenset(
    "type format title description nullable enum maxItems minItems properties required minProperties maxProperties "
    "minLength maxLength pattern example anyOf propertyOrdering default items minimum maximum".split()
)
TYPES = frozenset({"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT"})
MAX_DEPTH = 64


def rejections(schema: dict[str, Any], path: str = "parameters", depth: int = 0) -> Iterator[str]:
    """Everything the API would answer 400 to."""
    if depth > MAX_DEPTH:
        yield f"{path}: too deep"
        return
    for name in schema.keys() - KEYWORDS:
        yield f"{path}: unknown name {name!r}"
    if "anyOf" in schema:
        if schema.keys() != {"anyOf"}:
            yield f"{path}: anyOf must be the only field set"
        for place, variant in enumerate(schema["anyOf"]):
            yield from rejections(variant, f"{path}.anyOf[{place}]", depth + 1)
        return
    kind = schema.get("type")
    if kind not in TYPES:
        yield f"{path}: didn't specify the schema type field ({kind!r})"
    if "enum" in schema and (kind != "STRING" or any(not isinstance(one, str) or not one for one in schema["enum"])):
        yield f"{path}: enum is only allowed for texts that are not empty"
    if "format" in schema and schema["format"] not in {"enum", "date-time", "float", "double", "int32", "int64"}:
        yield f"{path}: format {schema['format']!r}"
    if kind == "ARRAY" and "items" not in schema:
        yield f"{path}: items missing"
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in properties:
            yield f"{path}: required property {name!r} is not defined"
    for name, own in properties.items():
        yield from rejections(own, f"{path}.{name}", depth + 1)
    if "items" in schema:
        yield from rejections(schema["items"], f"{path}[]", depth + 1)


def json_schema(cleaned: dict[str, Any]) -> dict[str, Any]:
    """What the cleaned schema means."""
    received = {name: value for name, value in cleaned.items() if name not in {"nullable", "format"}}
    if "anyOf" in received:
        received["anyOf"] = [json_schema(variant) for variant in received["anyOf"]]
    if "properties" in received:
        received["properties"] = {name: json_schema(own) for name, own in received["properties"].items()}
    if "items" in received:
        received["items"] = json_schema(received["items"])
    if "type" in received:
        received["type"] = received["type"].lower()
    return {"anyOf": [received, {"type": "null"}]} if cleaned.get("nullable") else received
