"""Rewrites a JSON Schema in the subset of OpenAPI that Gemini's `parameters` and `responseSchema` take.

Source: google-genai 3.4 `types.Schema`, and what its API answers 400 to: `$ref`, `const`, arrays of types, unknown
keywords and formats, `enum` of anything but texts, `anyOf` beside other keywords, no `items` (read 2026-11).

Its meaning is kept. What the subset cannot say goes into the description, for the model to read; where no words help
the schema is widened, so that what was valid stays valid:

    in:  {"type": ["integer", "null"], "exclusiveMinimum": 0, "multipleOf": 5}
    out: {"type": "INTEGER", "nullable": true, "minimum": 1, "description": "A multiple of 5."}
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from adapters.dialects.gemini.schema_flatten import References, merged
from adapters.dialects.gemini.schema_notes import described, kept_pattern, supported_format
from domain.inference import Json

Schema = Mapping[str, object]

_decode = msgspec.json.Decoder().decode

MAX_DEPTH: Final = 24
MAX_NODES: Final = 4000
"""Beyond these a part of a schema stands for anything of its type: references multiply what they point at."""

MAX_ROUNDS: Final = 2
"""How often what contains itself is written out within itself."""

_TYPES: Final = {
    "object": "OBJECT",
    "array": "ARRAY",
    "string": "STRING",
    "integer": "INTEGER",
    "number": "NUMBER",
    "boolean": "BOOLEAN",
}
_KEYWORDS: Final = {
    "object": ("minProperties", "maxProperties"),
    "array": ("minItems", "maxItems"),
    "string": ("minLength", "maxLength"),
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
    "boolean": (),
}
_TELLING: Final = (
    ("object", ("properties", "required", "additionalProperties", "patternProperties", "minProperties")),
    ("array", ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains")),
    ("string", ("pattern", "minLength", "maxLength", "format")),
    ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
)
_ANY_ITEM: Final = [{"type": "STRING"}, {"type": "NUMBER"}, {"type": "BOOLEAN"}, {"type": "OBJECT"}]


def openapi_schema(schema: Schema) -> dict[str, object]:
    """The schema of a value of any type."""
    return _SchemaConverter(schema).clean(schema, 0)


def openapi_parameters(schema: Schema) -> dict[str, object] | None:
    """The schema of a function's arguments, always an object's; None for a function without any."""
    cleaned = openapi_schema(schema)
    if "anyOf" in cleaned:
        cleaned = _one_object(cleaned)
    if cleaned.get("type") != "OBJECT" or not cleaned.get("properties"):
        return None
    cleaned.pop("nullable", None)
    return cleaned


def decoded(schema: dict[str, Json]) -> dict[str, object]:
    """A schema whose values are still raw, in full."""
    return {name: _decode(raw) for name, raw in schema.items()}


class _SchemaConverter:
    def __init__(self, root: Schema) -> None:
        self._references = References(root)
        self._nodes = 0

    def clean(self, node: object, depth: int, seen: tuple[str, ...] = ()) -> dict[str, object]:
        """Of one subschema; `seen` are the references followed on the way to it."""
        self._nodes += 1
        if not isinstance(node, Mapping):
            return anything()
        flat, seen = self._flattened(node, seen)
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            return described(_bare(flat), flat)
        variants = _variants(flat)
        if variants is not None:
            return self._any_of(flat, variants, depth, seen)
        types = _types(flat)
        nullable = "null" in types or flat.get("nullable") is True
        types = [name for name in types if name != "null"]
        if not types:
            only_null = nullable and ("type" in flat or "enum" in flat)
            known: dict[str, object] = {"type": "STRING", "maxLength": 0} if only_null else anything()
            return _with_null(described(known, flat))
        alternatives = [one for name in types for one in self._typed(flat, name, depth, seen)]
        found = _either(alternatives)
        return _with_null(found) if nullable else found

    def _flattened(self, node: Schema, seen: tuple[str, ...]) -> tuple[Schema, tuple[str, ...]]:
        """The node with its references and its `allOf` taken in, however deep they lie."""
        pending: list[object] = [node]
        flat: dict[str, object] = {}
        while pending:
            part = pending.pop(0)
            if not isinstance(part, Mapping):
                continue
            own = {name: value for name, value in part.items() if name not in {"$ref", "allOf"}}
            flat = merged(flat, own)
            reference = part.get("$ref")
            if isinstance(reference, str):
                if seen.count(reference) >= MAX_ROUNDS:
                    flat = merged(flat, _bare(self._references.target(reference)))
                else:
                    seen = (*seen, reference)
                    pending.append(self._references.target(reference))
            every = part.get("allOf")
            pending.extend(every if isinstance(every, Sequence) else ())
        return flat, seen

    def _any_of(self, flat: Schema, variants: Sequence[object], depth: int, seen: tuple[str, ...]) -> dict[str, object]:
        """`anyOf` stands alone here, so that each variant takes what stood beside it."""
        beside = {name: value for name, value in flat.items() if name not in {"anyOf", "oneOf", "nullable"}}
        nullable = flat.get("nullable") is True
        found: list[dict[str, object]] = []
        for variant in variants:
            if variant is False:
                continue
            own, followed = self._flattened(variant if isinstance(variant, Mapping) else {}, seen)
            whole = merged(beside, own)
            if _types(whole) == ["null"]:
                nullable = True
                continue
            cleaned = self.clean(whole, depth + 1, followed)
            inner = cleaned.get("anyOf")
            for one in inner if isinstance(inner, list) else [cleaned]:
                if one not in found:
                    found.append(one)
        if not found:
            return _with_null({"type": "STRING", "maxLength": 0}) if nullable else anything()
        return _with_null(_either(found)) if nullable else _either(found)

    def _typed(self, flat: Schema, name: str, depth: int, seen: tuple[str, ...]) -> list[dict[str, object]]:
        """The node as one type; more than one where its values need it, none where no value has this type."""
        values = flat.get("enum")
        if isinstance(values, list):
            return [described(one, flat) for one in _enumerated(values, name)]
        found: dict[str, object] = {"type": _TYPES[name]}
        for keyword in _KEYWORDS[name]:
            if _is_number(flat.get(keyword)):
                found[keyword] = flat[keyword]
        if name == "object":
            self._properties(found, flat, depth, seen)
        elif name == "array":
            found["items"] = self._items(found, flat, depth, seen)
        elif name == "string":
            _texts(found, flat)
        elif name in {"integer", "number"}:
            _bounds(found, flat, whole=name == "integer")
        return [described(found, flat)]

    def _properties(self, found: dict[str, object], flat: Schema, depth: int, seen: tuple[str, ...]) -> None:
        given = flat.get("properties")
        properties = {
            name: self.clean(value, depth + 1, seen)
            for name, value in (given.items() if isinstance(given, Mapping) else ())
            if value is not False
        }
        names = flat.get("required")
        required = [name for name in (names if isinstance(names, list) else ()) if isinstance(name, str)]
        for name in required:
            properties.setdefault(name, _with_null(anything()))
        if properties:
            found["properties"] = properties
        if required:
            found["required"] = list(dict.fromkeys(required))

    def _items(self, found: dict[str, object], flat: Schema, depth: int, seen: tuple[str, ...]) -> dict[str, object]:
        items, prefix_items = flat.get("items"), flat.get("prefixItems")
        if isinstance(items, list):  # before 2020-12
            items, prefix_items = flat.get("additionalItems"), items
        if not isinstance(prefix_items, list) or not prefix_items:
            return self.clean(items if items is not None else {}, depth + 1, seen) if items is not False else anything()
        if items is False:
            found.setdefault("maxItems", len(prefix_items))
            variants = prefix_items
        else:
            variants = [*prefix_items, items if items is not None else True]
        return self._any_of({}, variants, depth, seen)


def anything() -> dict[str, object]:
    """Any value but null: a type must always be given."""
    every_item: dict[str, object] = {"anyOf": [dict(one) for one in _ANY_ITEM]}
    return {"anyOf": [*(dict(one) for one in _ANY_ITEM), {"type": "ARRAY", "items": every_item}]}


def _types(flat: Schema) -> list[str]:
    declared = flat.get("type")
    names = [declared] if isinstance(declared, str) else list(declared) if isinstance(declared, list) else []
    known = [name.lower() for name in names if isinstance(name, str)]
    known = [name for name in known if name in _TYPES or name == "null"]
    if known:
        return ["number" if name == "integer" and "number" in known else name for name in dict.fromkeys(known)]
    values = flat.get("enum")
    if isinstance(values, list) and values:
        return list(dict.fromkeys(_type_of(value) for value in values))
    return next(([name] for name, telling in _TELLING if any(word in flat for word in telling)), [])


def _variants(flat: Schema) -> Sequence[object] | None:
    """`oneOf` is read as `anyOf`: which of them it is, the model decides. Of both, `anyOf` is kept."""
    for name in ("anyOf", "oneOf"):
        found = flat.get(name)
        if isinstance(found, list) and found:
            return found
    return None


def _type_of(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if value is None:
        return "null"
    if isinstance(value, (int, float)):
        return "integer" if isinstance(value, int) else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _enumerated(values: Iterable[object], name: str) -> list[dict[str, object]]:
    """Only texts can be listed; of others the bounds are kept, and the description lists them."""
    own = [value for value in values if _type_of(value) == name or (name == "number" and _is_number(value))]
    if not own:
        return []
    if name == "string":
        texts = [value for value in own if value]
        found: list[dict[str, object]] = [{"type": "STRING", "enum": list(dict.fromkeys(texts))}] if texts else []
        return found if len(texts) == len(own) else [*found, {"type": "STRING", "maxLength": 0}]
    schema: dict[str, object] = {"type": _TYPES[name]}
    numbers = [value for value in own if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if numbers:
        schema |= {"minimum": min(numbers), "maximum": max(numbers)}
    if name == "array":
        schema["items"] = {"anyOf": [dict(one) for one in _ANY_ITEM]}
    return [schema]


def _texts(found: dict[str, object], flat: Schema) -> None:
    pattern, form = kept_pattern(flat.get("pattern")), supported_format(flat.get("format"))
    if pattern:
        found["pattern"] = pattern
    if form:
        found["format"] = form


def _bounds(found: dict[str, object], flat: Schema, *, whole: bool) -> None:
    """An open bound is a closed one further in for whole numbers, and the same closed one, with a note, for others."""
    for keyword, exclusive, step in (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1)):
        bound = flat.get(exclusive)
        if bound is True:  # draft 4
            bound = found.get(keyword)
        if not isinstance(bound, (int, float)) or isinstance(bound, bool):
            continue
        inner = bound + step if whole and float(bound).is_integer() else bound
        own = found.get(keyword)
        if isinstance(own, (int, float)):
            inner = max(own, inner) if step > 0 else min(own, inner)
        found[keyword] = inner


def _bare(flat: object) -> dict[str, object]:
    """The type alone."""
    types = [name for name in _types(flat) if name != "null"] if isinstance(flat, Mapping) else []
    if len(types) != 1:
        return {"type": "OBJECT"}
    bare: dict[str, object] = {"type": _TYPES[types[0]]}
    if types[0] == "array":
        bare["items"] = {"anyOf": [dict(one) for one in _ANY_ITEM]}
    return bare


def _either(found: list[dict[str, object]]) -> dict[str, object]:
    return found[0] if len(found) == 1 else {"anyOf": found}


def _with_null(found: dict[str, object]) -> dict[str, object]:
    variants = found.get("anyOf")
    if isinstance(variants, list):
        return {"anyOf": [{**one, "nullable": True} if "anyOf" not in one else one for one in variants]}
    return {**found, "nullable": True}


def _one_object(cleaned: Mapping[str, object]) -> dict[str, object]:
    """Arguments may not begin with `anyOf`: one object with the properties of all, of which it needs what all need."""
    variants = cleaned["anyOf"]
    objects = [one for one in variants if one.get("type") == "OBJECT"] if isinstance(variants, list) else []
    properties: dict[str, object] = {}
    for one in objects:
        for name, value in one.get("properties", {}).items():
            known = properties.setdefault(name, value)
            if known != value:
                properties[name] = {"anyOf": _distinct([*_alternatives(known), *_alternatives(value)])}
    required = [name for name in properties if all(name in one.get("required", ()) for one in objects)]
    whole: dict[str, object] = {"type": "OBJECT", "properties": properties}
    return whole | ({"required": required} if required else {})


def _alternatives(schema: object) -> list[object]:
    variants = schema.get("anyOf") if isinstance(schema, Mapping) else None
    return list(variants) if isinstance(variants, list) else [schema]


def _distinct(schemas: list[object]) -> list[object]:
    return [one for index, one in enumerate(schemas) if one not in schemas[:index]]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
