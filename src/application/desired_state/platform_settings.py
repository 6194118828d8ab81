"""The settings that admins change while the gateway runs (`/admin/settings/…`), as a document writes them.

Each is always there: it is never made and never deleted. A document says what admins set; null is what they did not,
and then the start's `OMG_DEFAULT_…`, or what is shipped, holds.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec

from application.admin.allowances import ModelPatterns
from application.admin.default_models import DEFAULT_MODELS, DefaultModels
from application.admin.default_rules import BudgetDefaultsChange, LimitDefaultsChange
from application.admin.routing_settings import RoutingSettingsChange
from application.admission.default_rules import BUDGETS, RATE_LIMITS, read_budgets, read_limits
from application.desired_state.document import OF_SETTINGS
from application.desired_state.objects import Administration, Draft, Found, Kind, Made, References
from application.routing.settings import ROUTING, Deployment, HoldoutShare
from domain.actors import Actor
from domain.errors import RequestInvalid
from domain.limits import Budgets, RateLimits
from domain.tasks import Latency, Priority

_KEPT: Final = "a setting always has a value"


class LimitDefaultsEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Limits of each key and each tenant without their own."""

    key: RateLimits | None = None
    tenant: RateLimits | None = None


class BudgetDefaultsEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Budgets of each key and each tenant without one."""

    key: Budgets | None = None
    tenant: Budgets | None = None
    personal_tenant: Budgets | None = None


class DefaultModelsEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`allowed_models` of every personal tenant."""

    models: ModelPatterns | None = None


class RoutingEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How `auto` chooses."""

    baseline: Deployment | None = None
    classifier_model: Deployment | None = None
    priority: Priority = "balanced"
    latency: Latency = "normal"
    holdout_share: HoldoutShare = 0.0


async def _limits(of: Administration, _: References) -> Sequence[Found]:
    async with of.store.read() as unit:
        stored = await read_limits(unit)
    return [_found(RATE_LIMITS, LimitDefaultsEntry(key=stored.key, tenant=stored.tenant))]


async def _budgets(of: Administration, _: References) -> Sequence[Found]:
    async with of.store.read() as unit:
        stored = await read_budgets(unit)
    entry = BudgetDefaultsEntry(key=stored.key, tenant=stored.tenant, personal_tenant=stored.personal_tenant)
    return [_found(BUDGETS, entry)]


async def _default_models(of: Administration, _: References) -> Sequence[Found]:
    return [_found(DEFAULT_MODELS, DefaultModelsEntry(models=(await of.default_models.get()).models))]


async def _routing(of: Administration, _: References) -> Sequence[Found]:
    stored = await of.routing_settings.get()
    return [_found(ROUTING, RoutingEntry(**{name: getattr(stored, name) for name in RoutingEntry.__struct_fields__}))]


def _found(name: str, entry: msgspec.Struct) -> Found:
    return Found(name, name, entry, kept=_KEPT)


async def _set_limits(of: Administration, actor: Actor, _: str, draft: Draft, _refs: References) -> object:
    return await of.default_rules.update_limits(actor, draft.change(LimitDefaultsChange))


async def _set_budgets(of: Administration, actor: Actor, _: str, draft: Draft, _refs: References) -> object:
    return await of.default_rules.update_budgets(actor, draft.change(BudgetDefaultsChange))


async def _set_default_models(of: Administration, actor: Actor, _: str, draft: Draft, _refs: References) -> object:
    return await of.default_models.update(actor, DefaultModels(models=draft.of(DefaultModelsEntry).models))


async def _set_routing(of: Administration, actor: Actor, _: str, draft: Draft, _refs: References) -> object:
    return await of.routing_settings.update(actor, draft.change(RoutingSettingsChange))


async def _never_made(_of: Administration, _actor: Actor, draft: Draft, _refs: References) -> Made:
    raise RequestInvalid(f"the setting '{draft.key}' is always there")


async def _never_deleted(_of: Administration, _actor: Actor, found: Found) -> object:
    raise RequestInvalid(f"{found.key}: {_KEPT}")


def _named(name: str, _: msgspec.Struct) -> str:
    return name


SETTINGS: Final = tuple(
    Kind(
        section=OF_SETTINGS + name,
        object_kind="setting",
        entry=entry,
        key=partial(_named, name),
        find=find,
        create=_never_made,
        update=update,
        delete=_never_deleted,
    )
    for name, entry, find, update in (
        (RATE_LIMITS, LimitDefaultsEntry, _limits, _set_limits),
        (BUDGETS, BudgetDefaultsEntry, _budgets, _set_budgets),
        (DEFAULT_MODELS, DefaultModelsEntry, _default_models, _set_default_models),
        (ROUTING, RoutingEntry, _routing, _set_routing),
    )
)
"""Models of groups and of providers are named in them, which stand before."""
