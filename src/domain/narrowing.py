"""Whether what somebody asks to give is within what they have (S-01): lists, networks, limits and budgets."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from domain.grants import Network, networks
from domain.limits import Budget, RateLimits


def wider_entry(asked: Sequence[str] | None, had: Sequence[str] | None) -> str | None:
    """The first entry of `asked` that may allow something `had` does not; None where there is none.

    Sound, and stricter than need be: an entry must lie within one entry of `had`, and clear of all that `had` takes
    away or take the same away itself. `asked` of None inherits. Groups are within themselves only.
    """
    if asked is None or had is None:
        return None
    own_taken = [entry for entry in asked if entry.startswith("!")]
    given = [entry for entry in asked if not entry.startswith("!")]
    if own_taken and not given:
        given = ["*"]  # a list that only takes away does so from everything
    had_taken = [entry[1:] for entry in had if entry.startswith("!")]
    had_given = [entry for entry in had if not entry.startswith("!")] or (["*"] if had_taken else [])
    for entry in given:
        if not any(_within(entry, other) for other in had_given):
            return entry
        for taken in had_taken:
            if f"!{taken}" not in own_taken and _may_meet(entry, taken):
                return entry
    return None


def wider_network(asked: Iterable[str] | None, had: Iterable[str] | None) -> str | None:
    """The first network of `asked` that reaches beyond `had`."""
    if asked is None or had is None:
        return None
    known = networks(had)
    for entry in asked:
        (network,) = networks((entry,))
        if not any(_inside(network, other) for other in known):
            return entry
    return None


def wider_limit(asked: RateLimits, had: RateLimits) -> str | None:
    """The first limit of `asked` that is above that of `had`. One that is not set inherits."""
    for name in asked.__struct_fields__:
        wanted, most = getattr(asked, name), getattr(had, name)
        if wanted is not None and most is not None and wanted > most:
            return name
    return None


def wider_budget(asked: Sequence[Budget], had: Sequence[Budget]) -> int | None:
    """The place of the first budget that grants more than one of the same period over the same models does."""
    for place, budget in enumerate(asked):
        most: list[Decimal] = [
            other.limit_usd for other in had if other.period == budget.period and other.models in (None, budget.models)
        ]
        if most and budget.limit_usd > min(most):
            return place
    return None


def _inside(network: Network, other: Network) -> bool:
    return network.version == other.version and (
        other.network_address <= network.network_address and network.broadcast_address <= other.broadcast_address  # type: ignore[operator]  # of one version
    )


def _within(entry: str, other: str) -> bool:
    """Whether all that `entry` matches `other` matches too, `*` in `entry` being matched by a `*` only."""
    if other in ("*", entry):
        return True
    if entry.startswith("@") or other.startswith("@") or "*" not in other:
        return False
    if not other.startswith("*") and "/" in other and "/" not in entry.partition("*")[0]:
        return False  # a bare id is at every provider
    return _glob_within(entry, other)


def _glob_within(entry: str, other: str) -> bool:
    """By positions: `*` of `other` takes any run of `entry`, stars included; a letter takes that letter alone."""
    reached = {0}
    for letter in other:
        if letter == "*":
            reached = set(range(min(reached), len(entry) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(entry) and entry[at] == letter}
        if not reached:
            return False
    return len(entry) in reached


def _may_meet(entry: str, taken: str) -> bool:
    """Whether a name could match both. A name stands with and without its provider, so that either may be meant."""
    if entry.startswith("@") or taken.startswith("@"):
        return True
    return any(_meet(mine, other) for mine in (entry, f"*/{entry}") for other in (taken, f"*/{taken}"))


def _meet(one: str, other: str) -> bool:
    """Whether two patterns have a name in common."""
    reached = {0}
    for letter in one:
        reached = _through_stars(reached, other)
        if letter == "*":
            reached = set(range(min(reached), len(other) + 1)) if reached else set()
        else:
            reached = {
                at if other[at] == "*" else at + 1 for at in reached if at < len(other) and other[at] in ("*", letter)
            }
        if not reached:
            return False
    return len(other) in _through_stars(reached, other)


def _through_stars(reached: set[int], pattern: str) -> set[int]:
    """With the positions behind stars, which may stand for nothing."""
    found = set(reached)
    for start in reached:
        stars = len(pattern[start:]) - len(pattern[start:].lstrip("*"))
        found.update(range(start, start + stars + 1))
    return found
