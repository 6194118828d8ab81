"""The limits and budgets of whoever has none of their own, changed while the gateway runs."""

import msgspec
from msgspec import UNSET, UnsetType

from application.admin.config_write import Change, config_write
from application.admission.access import check_budgets
from application.admission.default_rules import (
    BUDGETS,
    RATE_LIMITS,
    Defaults,
    completed,
    read_budgets,
    read_limits,
)
from application.admission.rule_book import RuleBook
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.authority import Right, require
from domain.configuration import SETTING
from domain.limits import Budgets, RateLimits
from domain.ports.repositories import Store


class LimitDefaults(msgspec.Struct, frozen=True):
    """Limits of each key, and of each tenant, without a limit of that kind."""

    key: RateLimits
    tenant: RateLimits


class BudgetDefaults(msgspec.Struct, frozen=True):
    """Budgets of each key, each shared tenant, and each personal one, without a budget."""

    key: Budgets
    tenant: Budgets
    personal_tenant: Budgets


class LimitDefaultsChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is absent stays; null goes back to what `OMG_DEFAULT_RPM` and its like say; `{}` limits nothing."""

    key: RateLimits | UnsetType | None = UNSET
    tenant: RateLimits | UnsetType | None = UNSET


class BudgetDefaultsChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is absent stays; null goes back to what `OMG_DEFAULT_BUDGET_USD` says; `[]` is no budget."""

    key: Budgets | UnsetType | None = UNSET
    tenant: Budgets | UnsetType | None = UNSET
    personal_tenant: Budgets | UnsetType | None = UNSET


class DefaultRulesAdmin:
    """A change holds for the next request here, and within a second in other processes."""

    def __init__(self, store: Store, state: GatewayState, book: RuleBook) -> None:
        self._store = store
        self._state = state
        self._book = book

    async def get_limits(self) -> LimitDefaults:
        """As they are in force."""
        async with self._store.read() as unit:
            return _limits(completed(self._book.configured, limits=await read_limits(unit)))

    async def update_limits(self, actor: Actor, change: LimitDefaultsChange) -> LimitDefaults:
        """Raises `PermissionDenied`."""
        require(actor, Right.PLATFORM_WRITE, "")
        async with config_write(self._store, self._state, actor, Change("set", "setting", RATE_LIMITS)) as unit:
            stored = msgspec.structs.replace(await read_limits(unit), **_sent(change))
            await unit.facts.put(SETTING + RATE_LIMITS, msgspec.json.encode(stored).decode())
        return _limits(completed(self._book.configured, limits=stored))

    async def get_budgets(self) -> BudgetDefaults:
        """As they are in force."""
        async with self._store.read() as unit:
            return _budgets(completed(self._book.configured, budgets=await read_budgets(unit)))

    async def update_budgets(self, actor: Actor, change: BudgetDefaultsChange) -> BudgetDefaults:
        """Raises `PermissionDenied`, and `RequestInvalid` for a budget that makes no sense."""
        require(actor, Right.PLATFORM_WRITE, "")
        for name in change.__struct_fields__:
            check_budgets(getattr(change, name) or (), name)
        async with config_write(self._store, self._state, actor, Change("set", "setting", BUDGETS)) as unit:
            stored = msgspec.structs.replace(await read_budgets(unit), **_sent(change))
            await unit.facts.put(SETTING + BUDGETS, msgspec.json.encode(stored).decode())
        return _budgets(completed(self._book.configured, budgets=stored))


def _sent(change: LimitDefaultsChange | BudgetDefaultsChange) -> dict[str, object]:
    sent = {name: getattr(change, name) for name in change.__struct_fields__}
    return {name: value for name, value in sent.items() if value is not UNSET}


def _limits(defaults: Defaults) -> LimitDefaults:
    return LimitDefaults(defaults.key_limits, defaults.tenant_limits)


def _budgets(defaults: Defaults) -> BudgetDefaults:
    return BudgetDefaults(defaults.key_budgets, defaults.tenant_budgets, defaults.personal_tenant_budgets)
