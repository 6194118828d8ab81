"""`/admin/settings/rate-limits` and `/admin/settings/budgets`: what holds for keys and tenants without their own."""

from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get, patch
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg
from msgspec import UNSET, UnsetType

from application.admin.default_rules import (
    BudgetDefaults,
    BudgetDefaultsChange,
    DefaultRulesAdmin,
    LimitDefaults,
    LimitDefaultsChange,
)
from domain.actors import Actor
from domain.limits import Budget, RateLimits
from domain.providers import Owner
from entrypoints.http.admin.operations import COMPLAINTS, READ_ERRORS, WRITE_ERRORS, example
from entrypoints.http.authorization import ACTING, require_admin
from entrypoints.http.owners import owner_of_setting, with_owner


class LimitDefaultsResponse(LimitDefaults, frozen=True, kw_only=True):
    """The same; with `owner` of `file` where the settings file declares them."""

    owner: Owner | UnsetType = UNSET


class BudgetDefaultsResponse(BudgetDefaults, frozen=True, kw_only=True):
    """The same; with `owner` of `file` where the settings file declares them."""

    owner: Owner | UnsetType = UNSET


_NO_LIMITS = msgspec.to_builtins(RateLimits())
_LIMITS = {"key": _NO_LIMITS | {"rpm": 60, "tpm": 100_000}, "tenant": _NO_LIMITS}
_BUDGET = msgspec.to_builtins(msgspec.convert({"limit_usd": "25.00", "timezone": "Europe/Berlin"}, Budget))
_BUDGETS = {"key": [], "tenant": [], "personal_tenant": [_BUDGET]}

LimitDefaultsBody = Annotated[
    LimitDefaultsChange,
    BodyKwarg(examples=[Example(summary="Of keys", value={"key": {"rpm": 60, "tpm": 100_000}})]),
]
BudgetDefaultsBody = Annotated[
    BudgetDefaultsChange,
    BodyKwarg(examples=[Example(summary="Of people", value={"personal_tenant": [{"limit_usd": "25.00"}]})]),
]


class DefaultRulesController(Controller):
    path = "/admin/settings"
    tags = ("Limits",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        "/rate-limits",
        operation_id="getDefaultLimits",
        summary="Get the default limits",
        description="Of each key and each tenant that has no limit of that kind.",
        responses={200: example(_LIMITS, "The limits", LimitDefaultsResponse), **READ_ERRORS},
    )
    @inject
    async def get_limits(self, defaults: FromDishka[DefaultRulesAdmin]) -> LimitDefaultsResponse:
        return _limits(await defaults.get_limits())

    @patch(
        "/rate-limits",
        operation_id="updateDefaultLimits",
        summary="Change the default limits",
        description="In force for the next request. The limits of keys, or of tenants, are replaced as a whole; null "
        "goes back to what `OMG_DEFAULT_RPM`, `…_TPM` and `…_PARALLEL` say.",
        responses={200: example(_LIMITS, "Changed", LimitDefaultsResponse), **WRITE_ERRORS},
    )
    @inject
    async def update_limits(
        self, actor: NamedDependency[Actor], data: LimitDefaultsBody, defaults: FromDishka[DefaultRulesAdmin]
    ) -> LimitDefaultsResponse:
        return _limits(await defaults.update_limits(actor, data))

    @get(
        "/budgets",
        operation_id="getDefaultBudgets",
        summary="Get the default budgets",
        description="Of each key, each shared tenant and each personal tenant that has no budget of its own.",
        responses={200: example(_BUDGETS, "The budgets", BudgetDefaultsResponse), **READ_ERRORS},
    )
    @inject
    async def get_budgets(self, defaults: FromDishka[DefaultRulesAdmin]) -> BudgetDefaultsResponse:
        return _budgets(await defaults.get_budgets())

    @patch(
        "/budgets",
        operation_id="updateDefaultBudgets",
        summary="Change the default budgets",
        description="In force for the next request; what was spent stays spent. Each list is replaced as a whole; null "
        "goes back to what `OMG_DEFAULT_BUDGET_USD` says.",
        responses={200: example(_BUDGETS, "Changed", BudgetDefaultsResponse), **WRITE_ERRORS},
    )
    @inject
    async def update_budgets(
        self, actor: NamedDependency[Actor], data: BudgetDefaultsBody, defaults: FromDishka[DefaultRulesAdmin]
    ) -> BudgetDefaultsResponse:
        return _budgets(await defaults.update_budgets(actor, data))


def _limits(defaults: LimitDefaults) -> LimitDefaultsResponse:
    return with_owner(LimitDefaultsResponse, defaults, owner_of_setting("rate-limits"))


def _budgets(defaults: BudgetDefaults) -> BudgetDefaultsResponse:
    return with_owner(BudgetDefaultsResponse, defaults, owner_of_setting("budgets"))
