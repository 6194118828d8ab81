"""Keys: the providers' credentials we hold, and the virtual keys we give to clients."""

import hashlib
import re
import secrets
import zlib
from datetime import datetime
from typing import Literal

import msgspec

from domain.grants import Grants, Scope
from domain.limits import Budget, RateLimits
from domain.providers import Owner
from domain.quotas import Quotas
from domain.secrets import Secret
from domain.subject_limits import SubjectRules
from domain.tenants import Membership, Tenant
from domain.users import User

VIRTUAL_KEY_PREFIX = "sk-omg-"
ADMIN_TOKEN_PREFIX = "omg-admin-"  # noqa: S105 - a prefix, not a token

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH = 32
_CHECKSUM_LENGTH = 6

_IMPORTED = b"sha256:"
_IMPORTED_KEY_PREFIX = "sk-"
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


class ProviderKey(msgspec.Struct, frozen=True):
    """A credential at a provider. Among available keys of a provider, calls are shared by `weight`.

    `quota` is what an admin says its account gives; None: what the registry takes it to give.
    """

    id: str  # `pk_…`
    provider_id: str
    label: str
    secret: Secret
    weight: int
    owner: Owner
    created_at: datetime
    updated_at: datetime
    quota: Quotas | None = None


class VirtualKey(msgspec.Struct, frozen=True):
    """A client's key. Its secret is not here: only a keyed digest is stored (P-21), or for the time being the tagged
    SHA-256 that it was imported with (`imported_digest`).

    Of `allowed_models`, `allowed_providers`, `allowed_endpoints`, `scopes` and `cidrs` None allows all and an empty one
    nothing. After a rotation the secret of `previous_digest` works until `previous_until`. `version` grows with each
    change, so that a cache can tell an old snapshot from a new one (S-09).
    """

    id: str  # `key_…`
    tenant_id: str
    name: str
    digest: bytes
    last4: str
    allowed_models: tuple[str, ...] | None
    allowed_providers: tuple[str, ...] | None
    expires_at: datetime | None
    revoked_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    strict: bool = False  # a parameter that cannot be carried over is refused instead of dropped
    limits: RateLimits = RateLimits()
    budgets: tuple[Budget, ...] = ()
    owner_id: str | None = None  # a user; None: a service key of the tenant
    allowed_endpoints: tuple[str, ...] | None = None  # as `endpoint` of the request log
    scopes: tuple[Scope, ...] | None = None
    cidrs: tuple[str, ...] | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    previous_digest: bytes | None = None
    previous_until: datetime | None = None
    last_used_at: datetime | None = None  # written late, and within seconds of the truth


class IssuedKey(msgspec.Struct, frozen=True):
    """A key with all that decides whether it may be used: its tenant, and the owner with their place there."""

    key: VirtualKey
    tenant: Tenant
    owner: User | None = None
    membership: Membership | None = None


class Principal(msgspec.Struct, frozen=True):
    """Who is calling. There is no default one: code that has none must refuse (S-06)."""

    kind: Literal["virtual_key", "admin", "open", "person", "jwt"]
    key_id: str | None  # of a token of an issuer what stands for its issuer and subject
    tenant_id: str
    grants: Grants | None = None  # None: all
    strict: bool = False
    rules: tuple[SubjectRules, ...] = ()  # of those it acts for, where they have limits or budgets
    user_id: str | None = None  # whose key it is
    tags: tuple[str, ...] = ()  # the key's and the tenant's
    personal: bool = False  # whether the tenant is one person's


def generate_key(prefix: str) -> Secret:
    """A new key: `prefix`, 32 random base62 characters (190 bits), and their checksum."""
    body = "".join(secrets.choice(_BASE62) for _ in range(_RANDOM_LENGTH))
    return Secret(prefix + body + _checksum(prefix + body))


def well_formed(key: str, prefix: str) -> bool:
    """Whether `key` could be one of ours: prefix, length, alphabet and checksum, with no look-up."""
    body_end = len(prefix) + _RANDOM_LENGTH
    if len(key) != body_end + _CHECKSUM_LENGTH or not key.startswith(prefix):
        return False
    return _checksum(key[:body_end]) == key[body_end:]


def imported_digest(key: str) -> bytes | None:
    """What is stored of a key that came with the plain SHA-256 of another gateway, until it is first used here.

    Tagged, and so longer than a keyed digest: the two are never taken for one another. None for a key that such a
    gateway would not take either: LiteLLM's begin with `sk-`, so that a digest of its database is not a key.
    """
    if not key.startswith(_IMPORTED_KEY_PREFIX) or key.startswith(VIRTUAL_KEY_PREFIX):
        return None
    return _IMPORTED + hashlib.sha256(key.encode()).digest()


def imported_from(sha256: str) -> bytes:
    """The same, of a SHA-256 in 64 lower-case hex characters. Raises `ValueError`."""
    if not _SHA256_HEX.fullmatch(sha256):
        raise ValueError("a SHA-256 has 64 characters of 0-9 and a-f")
    return _IMPORTED + bytes.fromhex(sha256)


def is_imported(digest: bytes) -> bool:
    """Whether a stored digest is one of these."""
    return digest.startswith(_IMPORTED) and len(digest) > len(_IMPORTED) + 31


def _checksum(text: str) -> str:
    value = zlib.crc32(text.encode())
    digits = []
    for _ in range(_CHECKSUM_LENGTH):
        value, digit = divmod(value, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))
