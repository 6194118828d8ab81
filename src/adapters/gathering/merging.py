"""What gatherers share: the JSON of events, and the growing of an object by the deltas of it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

Fields = dict[str, Any]

_SET_ONCE: Final = frozenset({"role", "id", "type", "name", "index", "call_id", "format", "mime_type"})
"""Texts that come whole: some providers send them with each delta."""


class _Text(list[str]):
    """A text in its parts: joined once, at the end."""


def events_of(block: bytes) -> Iterator[Fields]:
    """The objects that the events of a block carry. What is none, such as `[DONE]` and pings, is left out."""
    for event in block.split(b"\n\n"):
        lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
        if not lines:
            continue
        try:
            fields = msgspec.json.decode(b"\n".join(lines))
        except (msgspec.DecodeError, RecursionError):
            continue
        if isinstance(fields, dict):
            yield fields


def grow(into: Fields, delta: Mapping[str, Any]) -> None:
    """Texts are appended, lists extended (entries with an `index` are grown by that), objects grown, others replaced.

    What is null says nothing.
    """
    for name, value in delta.items():
        known = into.get(name)
        if value is None:
            into.setdefault(name, None)
        elif isinstance(value, str):
            _grow_text(into, name, value, known)
        elif isinstance(value, dict):
            if not isinstance(known, dict):
                known = into[name] = {}
            grow(known, value)
        elif isinstance(value, list):
            if not isinstance(known, list) or isinstance(known, _Text):
                known = into[name] = []
            _grow_list(known, value)
        else:
            into[name] = value


def _grow_text(into: Fields, name: str, value: str, known: object) -> None:
    if name in _SET_ONCE:
        into[name] = known or value
    elif isinstance(known, _Text):
        known.append(value)
    else:
        into[name] = _Text([value])


def _grow_list(known: list[Any], entries: list[Any]) -> None:
    for entry in entries:
        place = entry.get("index") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or place is None:
            known.append(entry)
            continue
        there = next((each for each in known if isinstance(each, dict) and each.get("index") == place), None)
        if there is None:
            known.append(there := {})
        grow(there, entry)


def plain(value: Any) -> Any:
    """The same with its texts joined."""
    if isinstance(value, _Text):
        return "".join(value)
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value
