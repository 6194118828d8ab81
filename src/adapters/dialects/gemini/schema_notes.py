"""Writes into a schema's description what Gemini's subset of OpenAPI has no keyword for."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

_FORMATS: Final = frozenset({"date-time"})
_PERL_ONLY: Final = re.compile(r"\(\?[=!<>]|\\[1-9]|\(\?P=|[*+?}]\+|\\[pP](?!\{)")
"""Look-around, back references and possessive repeats: RE2, which Google matches with, knows none of them."""

_MAX_TOLD: Final = 400

_encode = msgspec.json.Encoder().encode


def supported_format(form: object) -> str:
    """The format of a text where Gemini knows it: its API names `enum` and `date-time` (read 2026-11)."""
    return form if isinstance(form, str) and form in _FORMATS else ""


def kept_pattern(pattern: object) -> str:
    """A pattern Google can match with, else nothing."""
    return pattern if isinstance(pattern, str) and not _PERL_ONLY.search(pattern) else ""


def described(found: dict[str, object], flat: Mapping[str, object]) -> dict[str, object]:
    """The cleaned schema with its title, and its description with what was lost."""
    variants = found.get("anyOf")
    if isinstance(variants, list):  # it stands alone: its first variant tells for all
        return {"anyOf": [described(dict(variants[0]), flat), *variants[1:]]}
    title, text = flat.get("title"), flat.get("description")
    notes = " ".join(_notes(found, flat))
    description = " ".join(part for part in (text if isinstance(text, str) else "", notes) if part)
    if isinstance(title, str) and title:
        found["title"] = title
    if description:
        found["description"] = description
    return found


def _notes(found: Mapping[str, object], flat: Mapping[str, object]) -> Iterator[str]:
    kind = found.get("type")
    values = flat.get("enum")
    if isinstance(values, list) and "enum" not in found and found.get("maxLength") != 0:
        yield f"One of: {_json(values)[1:-1]}."
    form, pattern = flat.get("format"), flat.get("pattern")
    if kind == "STRING" and isinstance(form, str) and "format" not in found:
        yield f"Format: {form}."
    if kind == "STRING" and isinstance(pattern, str) and "pattern" not in found:
        yield f"Matches: {pattern}"
    if kind in {"NUMBER", "INTEGER"}:
        yield from _number_notes(found, flat)
    if kind == "ARRAY" and flat.get("uniqueItems") is True:
        yield "No item twice."
    if kind == "OBJECT":
        yield from _object_notes(flat)
    if "default" in flat and flat["default"] is not None:
        yield f"Default: {_json(flat['default'])}."
    if "not" in flat:
        yield f"Not: {_json(flat['not'])}."


def _number_notes(found: Mapping[str, object], flat: Mapping[str, object]) -> Iterator[str]:
    for name, word in (("exclusiveMinimum", "More than"), ("exclusiveMaximum", "Less than")):
        bound = flat.get(name)
        if isinstance(bound, (int, float)) and not isinstance(bound, bool) and found.get("type") == "NUMBER":
            yield f"{word} {bound}."
    step = flat.get("multipleOf")
    if isinstance(step, (int, float)):
        yield f"A multiple of {step}."


def _object_notes(flat: Mapping[str, object]) -> Iterator[str]:
    """A map of names to values has no form here but an object without properties."""
    values = flat.get("additionalProperties")
    if isinstance(values, Mapping) and values:
        yield f"Further names have values of: {_json(values)}."
    patterns = flat.get("patternProperties")
    if isinstance(patterns, Mapping) and patterns:
        yield f"Names by pattern: {_json(patterns)}."
    for name, words in (("dependentRequired", "Needed together"), ("if", "If")):
        if isinstance(flat.get(name), Mapping):
            value = {key: flat[key] for key in (name, "then", "else") if key in flat} if name == "if" else flat[name]
            yield f"{words}: {_json(value)}."


def _json(value: object) -> str:
    text = _encode(value).decode()
    return text if len(text) <= _MAX_TOLD else text[: _MAX_TOLD - 1] + "…"
