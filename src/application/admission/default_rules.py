"""What holds for each key and tenant that has nothing of the sort of its own: as the start has it, then as admins do.

An admin's are facts beside the other settings of the running gateway; a part that no admin has set stays what it was.
"""

from typing import Final

import msgspec

from domain.configuration import SETTING
from domain.limits import Budget, Budgets, RateLimits
from domain.ports.repositories import UnitOfWork

RATE_LIMITS: Final = "rate-limits"
BUDGETS: Final = "budgets"


class Defaults(msgspec.Struct, frozen=True):
    """In force. Tenants of one person have budgets apart, and the limits of every tenant."""

    key_limits: RateLimits = RateLimits()
    tenant_limits: RateLimits = RateLimits()
    key_budgets: tuple[Budget, ...] = ()
    tenant_budgets: tuple[Budget, ...] = ()
    personal_tenant_budgets: tuple[Budget, ...] = ()


NO_DEFAULTS = Defaults()


class StoredLimits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What admins set; None is what they did not."""

    key: RateLimits | None = None
    tenant: RateLimits | None = None


class StoredBudgets(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The same of budgets."""

    key: Budgets | None = None
    tenant: Budgets | None = None
    personal_tenant: Budgets | None = None


async def read_limits(unit: UnitOfWork) -> StoredLimits:
    """Raises `StoreUnavailable`."""
    stored = await unit.facts.get(SETTING + RATE_LIMITS)
    return StoredLimits() if stored is None else msgspec.json.decode(stored, type=StoredLimits)


async def read_budgets(unit: UnitOfWork) -> StoredBudgets:
    """Raises `StoreUnavailable`."""
    stored = await unit.facts.get(SETTING + BUDGETS)
    return StoredBudgets() if stored is None else msgspec.json.decode(stored, type=StoredBudgets)


async def read_defaults(unit: UnitOfWork, configured: Defaults) -> Defaults:
    """What admins set, and else what is `configured`. Raises `StoreUnavailable`."""
    return completed(configured, await read_limits(unit), await read_budgets(unit))


def completed(
    configured: Defaults, limits: StoredLimits | None = None, budgets: StoredBudgets | None = None
) -> Defaults:
    """`configured`, with these in its place where they are set."""
    set_ = {
        "key_limits": limits and limits.key,
        "tenant_limits": limits and limits.tenant,
        "key_budgets": None if budgets is None else budgets.key,
        "tenant_budgets": None if budgets is None else budgets.tenant,
        "personal_tenant_budgets": None if budgets is None else budgets.personal_tenant,
    }
    return msgspec.structs.replace(configured, **{name: value for name, value in set_.items() if value is not None})
