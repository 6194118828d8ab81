"""Makes one JSON Schema of two that both must hold (`allOf`, and what stands beside a `$ref`)."""

from collections.abc import Mapping
from typing import Final

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
