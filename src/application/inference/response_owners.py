"""Whose the responses are that providers keep: of the tenant that made them, and nobody else's.

Nothing is stored: the key that seals a tenant's response ids follows from the master key.
"""

from typing import Final

from domain.keys import Principal
from domain.ports.security import KeyHasher
from domain.response_ids import KeptResponse

MAX_KEPT: Final = 10_000


class ResponseOwners:
    """Makes the keys, a tenant's once."""

    def __init__(self, hasher: KeyHasher) -> None:
        self._hasher = hasher
        self._keys: dict[str, tuple[bytes, ...]] = {}

    def key_of(self, principal: Principal) -> bytes:
        """What seals the ids of the principal's tenant now."""
        return self._keys_of(principal.tenant_id)[0]

    def owns(self, principal: Principal, kept: KeptResponse) -> bool:
        """Whether the principal's tenant has made it, be it under an older master key."""
        return any(kept.is_sealed_with(key) for key in self._keys_of(principal.tenant_id))

    def _keys_of(self, tenant_id: str) -> tuple[bytes, ...]:
        keys = self._keys.get(tenant_id)
        if keys is None:
            if len(self._keys) >= MAX_KEPT:
                self._keys.clear()
            keys = self._keys[tenant_id] = self._hasher.digests(f"responses of {tenant_id}")
        return keys
