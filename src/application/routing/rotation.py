"""Smooth weighted round-robin: whose turn it is, among things that share calls by weight."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_REMEMBERED = 10_000


class SmoothRotation(Generic[T]):
    """Of weights 2 and 1, every three turns give the first two, and never two in a row more than need be."""

    def __init__(self, identity: Callable[[T], str], weight: Callable[[T], float]) -> None:
        self._identity = identity
        self._weight = weight
        self._credit: dict[str, float] = {}

    def ordered(self, things: Sequence[T]) -> Sequence[T]:
        """The one whose turn it is, then the others by weight, for where it fails."""
        if len(things) < 2:
            return things
        credit, identity, weight = self._credit, self._identity, self._weight
        if len(credit) > MAX_REMEMBERED:
            credit.clear()
        total, best, most = 0.0, 0, float("-inf")
        for place, thing in enumerate(things):
            name, share = identity(thing), weight(thing)
            credit[name] = owed = credit.get(name, 0.0) + share
            total += share
            if owed > most and (share or not total):
                best, most = place, owed
        credit[identity(things[best])] -= total
        others = sorted((thing for place, thing in enumerate(things) if place != best), key=lambda each: -weight(each))
        return [things[best], *others]
