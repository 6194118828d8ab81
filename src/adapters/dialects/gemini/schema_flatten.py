"""Makes one flat JSON Schema of a node: what a `$ref` points at, and what two schemas say that both must hold.

    in:  {"$ref": "#/$defs/name", "maxLength": 9} where the definition is {"type": "string", "maxLength": 20}
    out: {"type": "string", "maxLength": 9}

`References` finds the target, `merged` joins (`allOf`, and what stands beside a `$ref`).
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote


class References:
    """The definitions of one document: by pointer, by `$anchor` and by `$id`. Nothing is ever fetched."""

    def __init__(self, root: Mapping[str, object]) -> None:
        self._root = root

    def target(self, reference: str) -> object:
        """An empty schema, which is any value, for what is not in the document."""
        address, _, fragment = reference.partition("#")
        if fragment.startswith("/"):
            return self._pointed(unquote(fragment))
        if not address and not fragment:
            return self._root
        named = self._named(self._root, fragment, address)
        return {} if named is None else named

    def _pointed(self, pointer: str) -> object:
        found: object = self._root
        for step in pointer[1:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping):
                found = found.get(name)
            elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            else:
                return {}
        return {} if found is None else found

    def _named(self, node: object, anchor: str, address: str) -> object | None:
        pending = [node]
        while pending:
            found = pending.pop()
            if isinstance(found, Mapping):
                if anchor and anchor in {found.get("$anchor"), found.get("$dynamicAnchor")}:
                    return found
                if address and not anchor and address in {found.get("$id"), found.get("id")}:
                    return found
                pending.extend(found.values())
            elif isinstance(found, list):
                pending.extend(found)
        return None


_LARGER: Final = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_SMALLER: Final = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_WORDS: Final = frozenset({"title", "description", "default", "examples", "example", "$comment"})


def merged(first: Mapping[str, object], second: Mapping[str, object]) -> dict[str, object]:
    """A value valid under the result is valid under both, as far as keywords can say it. `first` has the last word."""
    second = _without_const(second)
    result = dict(_without_const(first))
    for name, value in second.items():
        known = result.get(name)
        result[name] = value if name not in result else _both(name, known, value)
    return result


def _without_const(schema: Mapping[str, object]) -> Mapping[str, object]:
    if "const" not in schema:
        return schema
    rest = {name: value for name, value in schema.items() if name != "const"}
    return merged(rest, {"enum": [schema["const"]]})


def _both(name: str, first: object, second: object) -> object:
    if first == second or name in _WORDS:
        return first
    if name == "properties" and isinstance(first, Mapping) and isinstance(second, Mapping):
        return {key: _property(first, second, key) for key in dict.fromkeys((*first, *second))}
    if name == "required" and isinstance(first, list) and isinstance(second, list):
        return list(dict.fromkeys((*first, *second)))
    if name == "enum" and isinstance(first, list) and isinstance(second, list):
        return [value for value in first if any(_same(value, other) for other in second)]
    if name == "type":
        return _types(first, second)
    if name in {"anyOf", "oneOf"} and isinstance(first, list) and isinstance(second, list):
        return [{"allOf": [one, other]} for one in first for other in second][:64]
    if name in {"$defs", "definitions"} and isinstance(first, Mapping) and isinstance(second, Mapping):
        return {**second, **first}
    if name == "items":
        return {"allOf": [first, second]}
    if isinstance(first, (int, float)) and isinstance(second, (int, float)):
        if name in _LARGER:
            return max(first, second)
        if name in _SMALLER:
            return min(first, second)
    return first


def _property(first: Mapping[str, object], second: Mapping[str, object], key: str) -> object:
    if key not in first or key not in second:
        return first[key] if key in first else second[key]
    return first[key] if first[key] == second[key] else {"allOf": [first[key], second[key]]}


def _types(first: object, second: object) -> object:
    ours = [first] if isinstance(first, str) else list(first) if isinstance(first, list) else []
    theirs = [second] if isinstance(second, str) else list(second) if isinstance(second, list) else []
    if not theirs or not ours:
        return first or second
    shared = [name for name in ours if name in theirs or (name == "integer" and "number" in theirs)]
    if "number" in ours and "integer" in theirs and "integer" not in shared:
        shared.append("integer")
    return shared or ours


def _same(first: object, second: object) -> bool:
    """As JSON: true is no 1."""
    return first == second and isinstance(first, bool) == isinstance(second, bool)


_VALUES: Final = frozenset(
    {"enum", "const", "default", "example", "examples"}
)  # what looks like a schema in them is none


def with_lone_references(schema: object) -> object:
    """The schema with nothing beside a `$ref` but what begins with a dollar; what stood there holds it now.

        in:  {"$ref": "#/$defs/name", "description": "Of the city"}
        out: {"anyOf": [{"$ref": "#/$defs/name"}], "description": "Of the city"}

    Source: google-genai `response_json_schema`: "If `$ref` is set on a sub-schema, no other properties, except for
    than those starting as a `$`, may be set"; anomalyco/opencode#12295 (read 2026-11).
    """
    if isinstance(schema, list):
        return [with_lone_references(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    inner = {name: value if name in _VALUES else with_lone_references(value) for name, value in schema.items()}
    reference = inner.get("$ref")
    if not isinstance(reference, str) or all(name.startswith("$") for name in inner):
        return inner
    beside = {name: value for name, value in inner.items() if name != "$ref"}
    lone = {"$ref": reference}
    return {**beside, "anyOf": [lone]} if "anyOf" not in beside else {**beside, "allOf": [lone]}
