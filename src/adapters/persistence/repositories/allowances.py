"""Lists, limits and budgets as columns hold them."""

from collections.abc import Mapping, Sequence

import msgspec

from domain.limits import Budget, RateLimits


def listed(stored: list[str] | None) -> tuple[str, ...] | None:
    """A list that may be absent, which is another thing than an empty one."""
    return None if stored is None else tuple(stored)


def stored_list(entries: Sequence[str] | None) -> list[str] | None:
    return None if entries is None else list(entries)


def limits_of(stored: Mapping[str, object]) -> RateLimits:
    return msgspec.convert(stored, RateLimits)


def stored_limits(limits: RateLimits) -> dict[str, int]:
    """Only what is limited."""
    return {name: value for name in limits.__struct_fields__ if (value := getattr(limits, name)) is not None}


def budgets_of(stored: Sequence[object]) -> tuple[Budget, ...]:
    return msgspec.convert(stored, tuple[Budget, ...])


def stored_budgets(budgets: Sequence[Budget]) -> list[dict[str, object]]:
    return [msgspec.to_builtins(budget) for budget in budgets]
