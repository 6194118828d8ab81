"""What each role may do, and where: the one table behind every decision of the admin API and of `/me`.

A decision has two halves. A `Right` that a role holds in a tenant gives a `Reach`, which every query carries: what is
outside of it is not found, whether it exists or not. What can be seen and may not be done is `PermissionDenied`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from domain.actors import ActingRole, Actor
from domain.errors import PermissionDenied
from domain.tenants import Role


class Right(StrEnum):
    """What can be done; each admin route names one."""

    PLATFORM_READ = "platform.read"  # providers, prices, users, settings
    PLATFORM_WRITE = "platform.write"
    USAGE_READ = "usage.read"  # everybody's usage and what it cost
    TENANT_READ = "tenant.read"  # a tenant, its keys, members, usage and requests
    KEYS_WRITE = "keys.write"
    MEMBERS_WRITE = "members.write"


PLATFORM_RIGHTS: Final = frozenset({Right.PLATFORM_READ, Right.PLATFORM_WRITE, Right.USAGE_READ})
"""Those that no role in a tenant gives."""


class Holders(msgspec.Struct, frozen=True):
    """Who has a right: by platform role everywhere, by role in a tenant for all in it, or for what is one's own."""

    platform: frozenset[ActingRole]
    whole: frozenset[Role] = frozenset()
    own: frozenset[Role] = frozenset()


HOLDERS: Final[Mapping[Right, Holders]] = {
    Right.PLATFORM_READ: Holders(frozenset({"admin", "auditor"})),
    Right.PLATFORM_WRITE: Holders(frozenset({"admin"})),
    Right.USAGE_READ: Holders(frozenset({"admin", "auditor", "accountant"})),
    Right.TENANT_READ: Holders(
        frozenset({"admin", "auditor"}), frozenset({"owner", "admin", "viewer"}), frozenset({"member"})
    ),
    Right.KEYS_WRITE: Holders(frozenset({"admin"}), frozenset({"owner", "admin"}), frozenset({"member"})),
    Right.MEMBERS_WRITE: Holders(frozenset({"admin"}), frozenset({"owner", "admin"})),
}


class Reach(msgspec.Struct, frozen=True):
    """Which objects a query may find: all; those of `tenants`; in `own_in` those that belong to `owner_id`."""

    everywhere: bool = False
    tenants: frozenset[str] = frozenset()
    own_in: frozenset[str] = frozenset()
    owner_id: str | None = None

    def covers(self, tenant_id: str, owner_id: str | None = None) -> bool:
        """Whether an object of this tenant and owner is within. An object of nobody is nobody's own."""
        if self.everywhere or tenant_id in self.tenants:
            return True
        return tenant_id in self.own_in and owner_id is not None and owner_id == self.owner_id


EVERYWHERE = Reach(everywhere=True)
"""For the gateway's own work, in which nobody asks."""


_DENIED = "You may see this and not do it: ask an admin of the tenant, or of the platform."


def reach(actor: Actor, right: Right) -> Reach:
    """Where an actor has a right."""
    holders = HOLDERS[right]
    if actor.platform_role in holders.platform:
        return EVERYWHERE
    return Reach(
        tenants=frozenset(tenant for tenant, role in actor.roles.items() if role in holders.whole),
        own_in=frozenset(tenant for tenant, role in actor.roles.items() if role in holders.own and actor.user_id),
        owner_id=actor.user_id,
    )


def require(actor: Actor, right: Right, tenant_id: str, owner_id: str | None = None) -> None:
    """Raises `PermissionDenied` unless the actor has the right over an object that it may see."""
    if not reach(actor, right).covers(tenant_id, owner_id):
        raise denied()


def denied(why: str = _DENIED) -> PermissionDenied:
    """The refusal of what may be seen and not done."""
    return PermissionDenied(why, code="permission_denied")
