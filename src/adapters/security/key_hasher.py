"""Keyed digests of client keys, so that a stolen database admits nobody (P-21)."""

import hmac

from typing_extensions import override

from adapters.security.key_ring import KeyRing
from domain.ports.security import KeyHasher


class HmacKeyHasher(KeyHasher):
    """HMAC-SHA-256 with a pepper derived from each master key. Keys have 190 random bits: no slow hash is needed."""

    def __init__(self, ring: KeyRing) -> None:
        self._peppers = tuple(ring.derive("key-pepper").values())

    @override
    def digest(self, key: str) -> bytes:
        return hmac.digest(self._peppers[0], key.encode(), "sha256")

    @override
    def digests(self, key: str) -> tuple[bytes, ...]:
        message = key.encode()
        return tuple(hmac.digest(pepper, message, "sha256") for pepper in self._peppers)
