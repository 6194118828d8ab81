"""Virtual keys in memory, as the repository over a database keeps them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from typing_extensions import override

from domain.authority import Reach
from domain.errors import Conflict, NotFound
from domain.keys import IssuedKey, VirtualKey
from domain.ports.repositories import VirtualKeyRepository
from tests.fakes.people import PeopleRows
from tests.fakes.searching import mentioned


class MemoryVirtualKeys(VirtualKeyRepository):
    def __init__(self, rows: PeopleRows) -> None:
        self._rows = rows

    @override
    async def find(self, digests: Sequence[bytes]) -> IssuedKey | None:
        keys = self._rows.virtual_keys.values()
        present = next((key for key in keys if key.digest in digests), None)
        key = present or next((key for key in keys if key.previous_digest in digests), None)
        if key is None:
            return None
        owner = self._rows.users.get(key.owner_id or "")
        membership = self._rows.memberships.get((key.tenant_id, key.owner_id or ""))
        return IssuedKey(key, self._rows.tenants[key.tenant_id], owner, membership)

    @override
    async def get(self, key_id: str, reach: Reach) -> VirtualKey | None:
        key = self._rows.virtual_keys.get(key_id)
        return key if key is not None and reach.covers(key.tenant_id, key.owner_id) else None

    @override
    async def list_page(
        self, reach: Reach, limit: int, after: str | None, query: str | None = None
    ) -> Sequence[VirtualKey]:
        keys = self._rows.virtual_keys.values()
        found = [key for key in keys if mentioned(query, key.id, key.name, key.last4, key.owner_id)]
        newest_first = sorted(found, key=lambda key: key.id, reverse=True)
        seen = [key for key in newest_first if reach.covers(key.tenant_id, key.owner_id)]
        return [key for key in seen if after is None or key.id < after][:limit]

    @override
    async def used(self, moments: Mapping[str, datetime]) -> None:
        for key_id, at in moments.items():
            key = self._rows.virtual_keys.get(key_id)
            if key is not None and (key.last_used_at is None or key.last_used_at < at):
                self._rows.virtual_keys[key_id] = msgspec.structs.replace(key, last_used_at=at)

    @override
    async def add(self, key: VirtualKey) -> None:
        if key.id in self._rows.virtual_keys:
            raise Conflict(f"A virtual key '{key.id}' exists already.", param="id")
        self._put(key)

    @override
    async def update(self, key: VirtualKey) -> None:
        if key.id not in self._rows.virtual_keys:
            raise NotFound(f"There is no virtual key '{key.id}'.")
        self._put(key)

    @override
    async def exchange(self, key_id: str, old: bytes, new: bytes) -> bool:
        key = self._rows.virtual_keys.get(key_id)
        if key is None or key.digest != old:
            return False
        self._rows.virtual_keys[key_id] = msgspec.structs.replace(key, digest=new)
        return True

    @override
    async def delete(self, key_id: str) -> bool:
        return self._rows.virtual_keys.pop(key_id, None) is not None

    def _put(self, key: VirtualKey) -> None:
        if key.tenant_id not in self._rows.tenants:
            raise NotFound(f"There is no tenant '{key.tenant_id}'.", param="tenant_id")
        if any(other.digest == key.digest and other.id != key.id for other in self._rows.virtual_keys.values()):
            raise Conflict("Another virtual key has the same secret.")
        self._rows.virtual_keys[key.id] = key
