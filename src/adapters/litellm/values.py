"""Values as LiteLLM really keeps them: JSON in texts, numbers in texts, nulls, and lists where there is only one."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import msgspec

Fields = Mapping[str, object]


class Note(msgspec.Struct, frozen=True):
    """Something that was not carried over as it is there: what, and why or what instead."""

    what: str
    why: str


class Notes:
    """Collects notes, each once."""

    def __init__(self) -> None:
        self._found: dict[Note, None] = {}

    def add(self, what: str, why: str) -> None:
        self._found[Note(what, why)] = None

    def all(self) -> tuple[Note, ...]:
        return tuple(self._found)


def mapping(value: object) -> dict[str, object]:
    """An object, or the JSON of one; anything else is an empty one."""
    if isinstance(value, str):
        value = _decoded(value)
    return {str(name): each for name, each in value.items()} if isinstance(value, Mapping) else {}


def listed(value: object) -> list[object]:
    """A list, or the JSON of one; one value is a list of it, null none."""
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        value = _decoded(value)
    if value is None or isinstance(value, Mapping):
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def texts(value: object) -> list[str]:
    """The texts of a list."""
    return [str(each) for each in listed(value) if isinstance(each, str | int) and str(each)]


def text(value: object) -> str:
    """A text, and an empty one for anything else."""
    return value.strip() if isinstance(value, str) else str(value) if isinstance(value, int | float | Decimal) else ""


def number(value: object) -> Decimal | None:
    """A number, also one in a text; None for anything else, and for what is no finite one."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def count(value: object) -> int | None:
    """A whole number of at least 0."""
    found = number(value)
    return None if found is None or found < 0 else int(found)


def plain(value: Decimal) -> str:
    """As it is written, without an exponent: `0.10`, `3`."""
    shown = format(value, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def moment(value: object) -> datetime | None:
    """LiteLLM keeps UTC without saying so."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _decoded(value: str) -> object:
    try:
        found: object = json.loads(value)
    except ValueError:
        return None
    return found
