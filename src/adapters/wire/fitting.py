"""Brings JSON that is not quite what a reader wants into its shape: each field is read by itself.

A strict decoder refuses all of an answer for one field of another form. Here a number written as text becomes a number,
one object where a list was wanted a list of it, and what says nothing that can be read is left out, as if it had never
come: an entry of a list, a field that has a default. Only a field that a shape cannot be without makes it unreadable.
Whatever the shape does not name stays as it is.

Loaded by the first odd answer alone.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import inspect


class Misfit(ValueError):
    """A value that cannot be read as what was wanted."""


_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def fitted(data: bytes, shape: Any) -> bytes:
    """The JSON as `shape`, a type that msgspec decodes, can take it; it may still be refused.

    Raises `msgspec.DecodeError` for what is no JSON, and what `UNDECODABLE` names besides.
    """
    try:
        return _encode(_fit(_decode(data), _described(shape)))
    except Misfit as misfit:
        raise msgspec.ValidationError(str(misfit)) from None


@cache
def _described(shape: Any) -> inspect.Type:
    return inspect.type_info(shape)


def _fit(value: Any, wanted: inspect.Type) -> Any:
    fit = _FITS.get(type(wanted))
    return value if fit is None else fit(value, wanted)


def whole_number(value: object) -> int | None:
    """A count or a time, whether as an integer, with a point, or as text. Examples: `7`, `7.0`, `"7"`, `"1.7e9"`."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value) if not value.strip().isdecimal() else int(value)
        except ValueError:
            return None
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else None
    return value if isinstance(value, int) else None


def _fit_int(value: Any, _wanted: inspect.Type) -> int:
    number = whole_number(value)
    if number is None:
        raise Misfit(f"a {type(value).__name__} is no integer")
    return number


def _fit_float(value: Any, _wanted: inspect.Type) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise Misfit(f"a {type(value).__name__} is no number")
    return number


def _fit_str(value: Any, _wanted: inspect.Type) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise Misfit(f"a {type(value).__name__} is no text")


def _fit_bool(value: Any, _wanted: inspect.Type) -> bool:
    found = _TRUTHS.get(value) if isinstance(value, (bool, int, str)) else None
    if found is None:
        raise Misfit(f"a {type(value).__name__} is no truth value")
    return found


def _fit_none(value: Any, _wanted: inspect.Type) -> None:
    if value is not None:
        raise Misfit("something where there should be nothing")


def _fit_literal(value: Any, wanted: Any) -> Any:
    if value not in wanted.values:
        raise Misfit("another word than those that are known")
    return value


def _fit_list(value: Any, wanted: Any) -> list[Any]:
    if isinstance(value, dict):
        return [_fit(value, wanted.item_type)]
    if not isinstance(value, list):
        raise Misfit(f"a {type(value).__name__} is no list")
    kept = []
    for item in value:
        try:
            kept.append(_fit(item, wanted.item_type))
        except Misfit:
            continue
    return kept


def _fit_dict(value: Any, wanted: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Misfit(f"a {type(value).__name__} is no object")
    kept = {}
    for name, item in value.items():
        try:
            kept[name] = _fit(item, wanted.value_type)
        except Misfit:
            continue
    return kept


def _fit_struct(value: Any, wanted: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Misfit(f"a {type(value).__name__} is no object")
    fields = dict(value)
    for field in wanted.fields:
        name = field.encode_name
        if name not in fields:
            if field.required:
                raise Misfit(f"there is no {name}")
            continue
        try:
            fields[name] = _fit(fields[name], field.type)
        except Misfit:
            if field.required:
                raise
            del fields[name]
    return fields


def _fit_union(value: Any, wanted: Any) -> Any:
    """The first of them that fits as it is, else the first that can be made to."""
    for choice in wanted.types:
        try:
            as_it_is = _fit(value, choice)
            if as_it_is == value and type(value) in _AS_THEY_ARE.get(type(choice), (type(value),)):
                return as_it_is
        except Misfit:
            continue
    for choice in wanted.types:
        try:
            return _fit(value, choice)
        except Misfit:
            continue
    raise Misfit(f"a {type(value).__name__} is none of what it may be")


_TRUTHS: Final[Mapping[object, bool]] = {True: True, False: False, "true": True, "false": False}

_AS_THEY_ARE: Final[Mapping[type, tuple[type, ...]]] = {
    inspect.IntType: (int,),
    inspect.FloatType: (float, int),
    inspect.StrType: (str,),
    inspect.ListType: (list,),
    inspect.VarTupleType: (list,),
    inspect.DictType: (dict,),
    inspect.StructType: (dict,),
}

_FITS: Final[Mapping[type, Callable[[Any, Any], Any]]] = {
    inspect.IntType: _fit_int,
    inspect.FloatType: _fit_float,
    inspect.StrType: _fit_str,
    inspect.BoolType: _fit_bool,
    inspect.NoneType: _fit_none,
    inspect.LiteralType: _fit_literal,
    inspect.ListType: _fit_list,
    inspect.VarTupleType: _fit_list,
    inspect.DictType: _fit_dict,
    inspect.StructType: _fit_struct,
    inspect.UnionType: _fit_union,
}
"""By what is wanted. Anything else (raw JSON, any value) is taken as it is."""
