"""For any field of any entity, a value that is neither its default nor the one it has: made from its type.

A test that goes through `fields(Entity)` with these finds a field that somebody forgot, and names it.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from domain.limits import Budget
from domain.quotas import KeyQuota
from domain.secrets import Secret

T = TypeVar("T", bound=msgspec.Struct)

_PLAIN: dict[type, tuple[object, object]] = {
    bool: (True, False),
    int: (7, 8),
    float: (0.75, 0.25),
    Decimal: (Decimal("7.5"), Decimal("8.5")),
    str: ("other", "another"),
    bytes: (b"\x07" * 32, b"\x08" * 32),
    datetime: (
        datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC),
        datetime(2026, 11, 23, 1, 2, 3, 456789, tzinfo=UTC),
    ),
    date: (date(2026, 11, 22), date(2026, 11, 23)),
    Budget: (  # its fields go with each other
        Budget(
            limit_usd=Decimal("7.5"),
            period="week",
            timezone="Europe/Berlin",
            warn_at=(0.5,),
            on_exceeded="downgrade",
            downgrade_to="m",
            hold="worst_case",
            unpriced="allow",
            models=("a/*",),
        ),
        Budget(limit_usd=Decimal("8.5")),
    ),
    KeyQuota: (
        KeyQuota(dimension="usd", limit=2.5, window="day", reset="00:00 Europe/Berlin", pool="p", models=("a/*",)),
        KeyQuota(dimension="requests", limit=7, window="minute"),
    ),
    Secret: (Secret("other-secret-0123456789"), Secret("another-secret-0123456789")),
}


def other_value(type_: Any, than: object) -> Any:
    """A value of the type that differs from `than`, never None. Raises `NotImplementedError` for an unknown type."""
    origin, inner = get_origin(type_), get_args(type_)
    if origin is Annotated:
        value = other_value(inner[0], than)
        least = max(
            (meta.ge for meta in inner[1:] if isinstance(meta, msgspec.Meta) and meta.ge is not None), default=0
        )
        return value if inner[0] is not int or value >= least else int(least) + int(than == least)
    if origin in (Union, UnionType):
        real = [option for option in inner if option not in (NoneType, msgspec.UnsetType)]
        return other_value(real[0], than)
    if origin is Literal:
        return next(choice for choice in inner if choice != than)
    if origin is tuple:
        return (other_value(inner[0], None),)
    if origin in (dict, Mapping):
        return {"m": other_value(inner[1], None)}
    if type_ in _PLAIN:
        return next(value for value in _PLAIN[type_] if value != than)
    if isinstance(type_, type) and issubclass(type_, Enum):
        return next(choice for choice in type_ if choice is not than)
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        fields = msgspec.structs.fields(type_)
        return type_(**{field.name: other_value(field.type, _default(field)) for field in fields})
    raise NotImplementedError(f"no other value for {type_}: add the type to {__name__}")


def each_field_changed(entity: T, **special: object) -> Iterator[tuple[str, T]]:
    """The entity once for each of its fields, with that one changed; `special` has the values types cannot tell."""
    for field in msgspec.structs.fields(type(entity)):
        value = special[field.name] if field.name in special else other_value(field.type, getattr(entity, field.name))
        yield field.name, msgspec.structs.replace(entity, **{field.name: value})


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return None if field.default_factory is msgspec.NODEFAULT else field.default_factory()
