"""Whose an object is, as answers show it: the settings file's, where it alone is changed, or the database's.

Every answer of an object has it, on a page of a list as well: the guard of a route notes once what the file declares.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final, TypeVar

import msgspec
from dishka import AsyncContainer
from msgspec import UNSET, UnsetType

from application.admin.config_write import ObjectKind
from application.snapshot import GatewayState
from domain.providers import Owner

T = TypeVar("T", bound=msgspec.Struct)

_OF_FILE: Final[ContextVar[Mapping[tuple[str, str], str]]] = ContextVar("of_file")


async def note_owners(container: AsyncContainer) -> None:
    """For the rest of this request."""
    _OF_FILE.set((await container.get(GatewayState)).owned_by_file)


def owner_of(kind: ObjectKind, object_id: str | None) -> Owner:
    """Of an object of this kind, as the audit names it."""
    return "file" if object_id is not None and (kind, object_id) in _OF_FILE.get({}) else "database"


def owner_of_setting(name: str) -> Owner | UnsetType:
    """`file` of a setting that is changed there alone. Of others nothing is said: the answer can be sent back."""
    return "file" if ("setting", name) in _OF_FILE.get({}) else UNSET


def with_owner(type_: type[T], value: msgspec.Struct, owner: Owner | UnsetType) -> T:
    """The answer that has `owner` beside the fields of `value`."""
    return type_(**{name: getattr(value, name) for name in value.__struct_fields__}, owner=owner)
