"""One's own keys: the same use cases as an admin's, for an actor who is cut down to what is their own."""

import msgspec

from application.admin.paging import Page
from application.admin.virtual_keys import NewVirtualKey, VirtualKeyAdmin, VirtualKeyChange
from domain.actors import Actor
from domain.keys import VirtualKey
from domain.secrets import Secret
from domain.tenants import RANK, Role
from domain.users import User


class OwnKeys:
    """Lists, creates, changes, rotates and revokes a person's own keys, never wider than their rights (S-01, S-03).

    Whoever is more than a member, or the platform's admin, acts here as a member: their other rights are for `/admin`.
    """

    def __init__(self, keys: VirtualKeyAdmin) -> None:
        self._keys = keys

    async def list_page(self, actor: Actor, limit: int, cursor: str | None) -> Page[VirtualKey]:
        """Newest first, revoked and expired ones too."""
        return await self._keys.list_page(as_oneself(actor), limit, cursor)

    async def get(self, actor: Actor, key_id: str) -> VirtualKey:
        """Raises `NotFound`."""
        return await self._keys.get(as_oneself(actor), key_id)

    async def create(self, actor: Actor, user: User, new: NewVirtualKey) -> tuple[VirtualKey, Secret]:
        """In the personal tenant where none is named. Raises as for an admin, who has no more rights than these."""
        tenant_id = new.tenant_id or user.personal_tenant_id
        own = msgspec.structs.replace(new, tenant_id=tenant_id, owner_id=new.owner_id or user.id)
        return await self._keys.create(as_oneself(actor), own)

    async def update(self, actor: Actor, key_id: str, change: VirtualKeyChange) -> VirtualKey:
        """Raises `NotFound`, `PermissionDenied`, `RequestInvalid`."""
        return await self._keys.update(as_oneself(actor), key_id, change)

    async def rotate(self, actor: Actor, key_id: str, overlap_seconds: int) -> tuple[VirtualKey, Secret]:
        """Raises `NotFound`, and `Conflict` for a revoked one."""
        return await self._keys.rotate(as_oneself(actor), key_id, overlap_seconds)

    async def revoke(self, actor: Actor, key_id: str) -> VirtualKey:
        """Raises `NotFound`."""
        return await self._keys.revoke(as_oneself(actor), key_id)

    async def delete(self, actor: Actor, key_id: str) -> None:
        """Raises `NotFound`."""
        await self._keys.delete(as_oneself(actor), key_id)


def as_oneself(actor: Actor) -> Actor:
    """The same person as a member of each tenant where they are one or more: they reach their own and nothing else."""
    members: dict[str, Role] = {
        tenant_id: "member" for tenant_id, role in actor.roles.items() if RANK[role] >= RANK["member"]
    }
    return msgspec.structs.replace(actor, platform_role="none", roles=members)
