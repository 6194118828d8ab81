"""Tenants: whose keys and spend belong together, and who is a member of them."""

from datetime import datetime
from typing import Literal

import msgspec

from domain.limits import Budget, RateLimits

TenantKind = Literal["shared", "personal"]
TenantStatus = Literal["active", "suspended"]
Role = Literal["owner", "admin", "member", "viewer"]
"""What a member may do in a tenant; what follows from it is in `domain.authority`."""

RANK: dict[Role, int] = {"viewer": 0, "member": 1, "admin": 2, "owner": 3}
"""Nobody gives a role above the own one, nor takes one away."""


class Tenant(msgspec.Struct, frozen=True):
    """Whose keys and spend belong together.

    The keys of a suspended one are refused. Of `allowed_models`, `allowed_providers` and `cidrs` None allows all and an
    empty list nothing. `tags` go onto each of its requests; `external_id` is the name that another system has for it.
    """

    id: str  # `ten_…`
    name: str
    kind: TenantKind
    created_at: datetime
    updated_at: datetime
    status: TenantStatus = "active"
    allowed_models: tuple[str, ...] | None = None
    allowed_providers: tuple[str, ...] | None = None
    cidrs: tuple[str, ...] | None = None
    limits: RateLimits = RateLimits()
    budgets: tuple[Budget, ...] = ()
    tags: tuple[str, ...] = ()
    external_id: str | None = None
    version: int = 1


class Membership(msgspec.Struct, frozen=True):
    """A user's place in a tenant. `managed_by` of `idp` follows the groups of whoever signs the user in."""

    tenant_id: str
    user_id: str
    role: Role
    created_at: datetime
    updated_at: datetime
    limits: RateLimits = RateLimits()
    budgets: tuple[Budget, ...] = ()
    managed_by: Literal["hand", "idp"] = "hand"
