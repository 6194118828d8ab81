"""What changed between two states of an object, field by field; a secret is told as changed and never shown."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from domain.audit import NOTHING, SECRET_CHANGED, FieldChange
from domain.secrets import Secret

MAX_VALUE_BYTES: Final = 2_000
"""Of one value in the trail; of a longer one its length is told."""

_BOOKKEEPING: Final = frozenset({"id", "version", "created_at", "updated_at"})
"""Fields that follow from the change itself."""

_HIDDEN: Final = frozenset({"last4"})
"""They say something of a secret, and `changed` says enough."""


_NAMES: Final = {"digest": "secret"}
"""Of what is kept of a secret, the name of the secret."""


class _Hidden(msgspec.Struct, frozen=True):
    """A value that is compared and never shown."""

    value: Secret | bytes


_Value = msgspec.Raw | _Hidden


State = msgspec.Struct | Mapping[str, object] | None
"""An object as it is at one moment, by field. None is one that is not there."""


def differences(old: State, new: State) -> tuple[FieldChange, ...]:
    """The fields that differ, in the order of the object's own."""
    before, after = dict(_fields(old)), dict(_fields(new))
    return tuple(
        FieldChange(name, _shown(before.get(name)), _shown(after.get(name)))
        for name in dict.fromkeys((*after, *before))
        if before.get(name, NOTHING) != after.get(name, NOTHING)
    )


def plain_fields(state: State) -> Iterator[tuple[str, msgspec.Raw]]:
    """Every field with its value as JSON, that of the bookkeeping too, without what is a secret's."""
    if state is not None:
        for name, value in _items(state):
            for field, found in _field(name, value):
                if not isinstance(found, _Hidden):
                    yield field, found


def _shown(value: _Value | None) -> msgspec.Raw:
    if value is None:
        return NOTHING
    if isinstance(value, _Hidden):
        return SECRET_CHANGED
    size = len(bytes(value))
    return value if size <= MAX_VALUE_BYTES else msgspec.Raw(msgspec.json.encode(f"({size} bytes)"))


def _fields(state: State) -> Iterator[tuple[str, _Value]]:
    if state is None:
        return
    for name, value in _items(state):
        if name not in _BOOKKEEPING | _HIDDEN:
            yield from _field(_NAMES.get(name, name), value)


def _items(value: msgspec.Struct | Mapping[str, object]) -> Iterable[tuple[str, object]]:
    if isinstance(value, Mapping):
        return value.items()
    return ((name, getattr(value, name)) for name in value.__struct_fields__)


def _field(name: str, value: object) -> Iterator[tuple[str, _Value]]:
    if isinstance(value, Secret | bytes):
        yield name, _Hidden(value)
    elif isinstance(value, msgspec.Struct | Mapping):
        for key, item in _items(value):
            yield from _field(f"{name}.{key}", item)
    else:
        yield name, msgspec.Raw(msgspec.json.encode(value))
