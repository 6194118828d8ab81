"""Whose a new key is, and that nobody gives a key what they do not have (S-01, S-03)."""

import msgspec

from application.admission.authentication import DEFAULT_TENANT_ID
from domain.actors import Actor
from domain.authority import EVERYWHERE, Right, denied, reach, require
from domain.errors import PermissionDenied, RequestInvalid
from domain.keys import VirtualKey
from domain.limits import Budget, RateLimits
from domain.narrowing import wider_budget, wider_entry, wider_limit, wider_network
from domain.ports.repositories import UnitOfWork


def place_of(actor: Actor, tenant_id: str | None, owner_id: str | None) -> tuple[str, str | None]:
    """The tenant and the owner of a key to create. Raises `PermissionDenied` for what the actor may not choose.

    The platform's admin chooses freely. Anybody else makes service keys where they manage keys, and their own; a tenant
    that is not theirs is denied, whether it exists or not.
    """
    within = reach(actor, Right.KEYS_WRITE)
    if within.everywhere:
        return tenant_id or DEFAULT_TENANT_ID, owner_id
    if tenant_id is None:
        theirs = sorted(within.tenants | within.own_in)
        if not theirs:
            raise denied("You manage no keys in any tenant.")
        if len(theirs) != 1:
            raise RequestInvalid("Say which tenant the key is for: 'tenant_id'.", param="tenant_id")
        tenant_id = theirs[0]
    if owner_id is not None and owner_id != actor.user_id:
        raise denied("Keys of others are made by themselves, or by the platform's admin.")
    require(actor, Right.KEYS_WRITE, tenant_id, owner_id)
    return tenant_id, owner_id


async def check_rights(unit: UnitOfWork, actor: Actor, key: VirtualKey, before: VirtualKey | None = None) -> None:
    """That tenant and owner fit, and that the key grants nothing that its maker lacks; of a change, what is changed.

    Raises `RequestInvalid`, and `PermissionDenied` naming the field. What the platform's admin gives beyond the
    tenant's own lists does no harm: at each use the key is held against them again.
    """
    tenant = await unit.tenants.get(key.tenant_id, EVERYWHERE)
    if tenant is None:
        raise RequestInvalid(f"There is no tenant '{key.tenant_id}'.", param="tenant_id")
    limits, budgets = [tenant.limits], [tenant.budgets]
    if key.owner_id is not None:
        membership = await unit.memberships.get(key.tenant_id, key.owner_id, EVERYWHERE)
        owner = await unit.users.get(key.owner_id)
        if membership is None or owner is None or membership.role == "viewer":
            raise RequestInvalid(f"User '{key.owner_id}' may have no keys in this tenant.", param="owner_id")
        limits += [membership.limits, owner.limits]
        budgets += [membership.budgets, owner.budgets]
    if reach(actor, Right.PLATFORM_WRITE).everywhere:
        return
    if before is not None:
        key = _what_is_new(key, before)
    for field, asked, had in (
        ("allowed_models", key.allowed_models, tenant.allowed_models),
        ("allowed_providers", key.allowed_providers, tenant.allowed_providers),
    ):
        if (entry := wider_entry(asked, had)) is not None:
            raise _more(f"'{entry}' reaches beyond what the tenant may use", field)
    if (network := wider_network(key.cidrs, tenant.cidrs)) is not None:
        raise _more(f"'{network}' reaches beyond the tenant's networks", "cidrs")
    check_amounts(key.limits, key.budgets, limits, budgets)


def _what_is_new(key: VirtualKey, before: VirtualKey) -> VirtualKey:
    """The key with nothing to check in what a change leaves as it was."""
    neutral: dict[str, object] = {
        "allowed_models": None,
        "allowed_providers": None,
        "cidrs": None,
        "limits": RateLimits(),
        "budgets": (),
    }
    same = {name: value for name, value in neutral.items() if getattr(key, name) == getattr(before, name)}
    return msgspec.structs.replace(key, **same)


def check_amounts(
    asked_limits: RateLimits,
    asked_budgets: tuple[Budget, ...],
    limits: list[RateLimits],
    budgets: list[tuple[Budget, ...]],
) -> None:
    """Raises `PermissionDenied` for a limit or a budget above one that it would be under."""
    for most in limits:
        if (name := wider_limit(asked_limits, most)) is not None:
            raise _more(f"{name} is at most {getattr(most, name):,} here", f"limits.{name}")
    for had in budgets:
        if (place := wider_budget(asked_budgets, had)) is not None:
            raise _more("it is above a budget that this one would be under", f"budgets.{place}")


def _more(why: str, field: str) -> PermissionDenied:
    return PermissionDenied(f"Nobody gives what they do not have: {why}.", code="permission_denied", param=field)
