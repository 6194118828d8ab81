"""Response ids that say which provider keeps the response, so that a follow-up finds its way back to it.

A response that an upstream keeps is shown as `resp_omg_<base32 of the provider's id>-<seal>_<the upstream's own id>`.
One made over chat is kept nowhere and has a plain `resp_…`: nothing can follow it but the whole history.

The provider's account is the gateway's and not a tenant's: the seal, which only the gateway can make, says whose a
response is.
"""

import base64
import binascii
import hashlib
import hmac
from typing import NamedTuple

_PREFIX = "resp_omg_"


class KeptResponse(NamedTuple):
    """Where a response is kept, and what it is called there. `seal` is empty where nobody's was set."""

    provider_id: str
    upstream_id: str
    seal: str = ""

    def is_sealed_with(self, owner_key: bytes) -> bool:
        """Whether its owner is the one with this key."""
        return hmac.compare_digest(_seal(self.provider_id, self.upstream_id, owner_key), self.seal)


def kept_id(provider_id: str, upstream_id: str, owner_key: bytes = b"") -> str:
    """The id a client sees. `owner_key` is a secret of whoever may follow it, 64 bytes at most."""
    origin = base64.b32encode(provider_id.encode()).decode().rstrip("=").lower()
    seal = f"-{_seal(provider_id, upstream_id, owner_key)}" if owner_key else ""
    return f"{_PREFIX}{origin}{seal}_{upstream_id}"


def read_kept_id(response_id: str) -> KeptResponse | None:
    """None for an id that no provider of ours stands behind."""
    if not response_id.startswith(_PREFIX):
        return None
    head, _, upstream_id = response_id[len(_PREFIX) :].partition("_")
    origin, _, seal = head.partition("-")
    padding = "=" * (-len(origin) % 8)
    try:
        provider_id = base64.b32decode(origin.upper() + padding).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return KeptResponse(provider_id, upstream_id, seal) if provider_id and upstream_id and seal.isascii() else None


def _seal(provider_id: str, upstream_id: str, owner_key: bytes) -> str:
    named = f"{provider_id}\0{upstream_id}".encode()
    return base64.b32encode(hashlib.blake2b(named, key=owner_key, digest_size=10).digest()).decode().lower()
