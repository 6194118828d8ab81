"""Which tenants a token of an issuer gives, of those that are there."""

import logging

import msgspec

from domain.authority import EVERYWHERE
from domain.errors import PermissionDenied
from domain.issuers import Claims, Issuer, highest, memberships_of
from domain.ports.people import TenantRepository
from domain.tenants import Role, Tenant

log = logging.getLogger(__name__)

_MOST = 200
"""How many tenants with the same text in their name are looked through."""

MAX_NAMED = 100
"""How many tenants one token may name. Each is looked up: a claim of thousands would hold up everybody else."""


class GivenTenant(msgspec.Struct, frozen=True):
    """A tenant, and the highest role that the token gives there."""

    tenant: Tenant
    role: Role


async def tenants_given(tenants: TenantRepository, issuer: Issuer, claims: Claims) -> list[GivenTenant]:
    """In the order of the configuration, each tenant once. One that is not there gives nothing.

    Raises `PermissionDenied` for a claim that names too many: some of them would be as wrong as none.
    """
    found: dict[str, GivenTenant] = {}
    named = dict.fromkeys(memberships_of(issuer, claims))
    if len(named) > MAX_NAMED + len(issuer.groups):
        raise PermissionDenied(
            f"{issuer.shown_as} names {len(named)} tenants for you, and at most {MAX_NAMED} are looked at: ask whoever "
            "manages the directory to send only those of this application.",
            code="groups_left_out",
        )
    for given in named:
        tenant = await _named(tenants, given.tenant)
        if tenant is None:
            log.warning("an issuer gives a tenant that is not there", extra={"issuer": issuer.name})
            continue
        known = found.get(tenant.id)
        roles = [given.role] if known is None else [given.role, known.role]
        found[tenant.id] = GivenTenant(tenant, highest(roles))
    return list(found.values())


async def _named(tenants: TenantRepository, name: str) -> Tenant | None:
    """By id, external id or name. One of two that are called alike is nobody's, and a person's own tenant is theirs."""
    by_id = await tenants.get(name, EVERYWHERE)
    if by_id is not None:
        return by_id if by_id.kind == "shared" else None
    like = [one for one in await tenants.list_page(EVERYWHERE, _MOST, None, name) if one.kind == "shared"]
    for matching in ([one for one in like if one.external_id == name], [one for one in like if one.name == name]):
        if matching:
            return matching[0] if len(matching) == 1 else None
    return None
