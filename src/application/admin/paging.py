"""Lists in pages: a page ends with the id that the next one continues after."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from domain.errors import RequestInvalid

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


class Page(msgspec.Struct, Generic[T], frozen=True):
    """`next_cursor` is None on the last page."""

    data: tuple[T, ...]
    next_cursor: str | None


def page_of(items: Sequence[T], limit: int, cursor: str | None, id_of: Callable[[T], str]) -> Page[T]:
    """The page of a list held in memory. Raises `RequestInvalid` for a cursor whose item is gone."""
    start = 0
    if cursor is not None:
        positions = {id_of(item): position for position, item in enumerate(items)}
        if cursor not in positions:
            raise RequestInvalid("This cursor leads nowhere (any more); list from the start again.", param="cursor")
        start = positions[cursor] + 1
    return first_of(items[start:], limit, id_of)


def first_of(items: Sequence[T], limit: int, id_of: Callable[[T], str]) -> Page[T]:
    """The first `limit` of `items`; more items than that mean that there is a next page."""
    data = tuple(items[:limit])
    return Page(data, id_of(data[-1]) if len(items) > limit else None)
