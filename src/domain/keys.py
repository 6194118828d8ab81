"""Keys: the providers' credentials we hold, and the virtual keys we give to clients."""

import secrets
import zlib
from datetime import datetime
from typing import Literal

import msgspec

from domain.secrets import Secret

VIRTUAL_KEY_PREFIX = "sk-omg-"
ADMIN_TOKEN_PREFIX = "omg-admin-"  # noqa: S105 - a prefix, not a token

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH = 32
_CHECKSUM_LENGTH = 6


class ProviderKey(msgspec.Struct, frozen=True):
    """A credential at a provider. Among available keys of a provider, calls are shared by `weight`."""

    id: str  # `pk_…`
    provider_id: str
    label: str
    secret: Secret
    weight: int
    owner: Literal["database", "environment", "file", "demo"]
    created_at: datetime
    updated_at: datetime


class VirtualKey(msgspec.Struct, frozen=True):
    """A client's key. Its secret is not here: only a keyed digest is stored (P-21).

    `allowed_models` and `allowed_providers` of None allow all. `version` grows with each change, so that a
    cache can tell an old snapshot from a new one (S-09).
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


class Tenant(msgspec.Struct, frozen=True):
    """Whose keys and spend belong together."""

    id: str
    name: str
    kind: Literal["shared", "personal"]
    created_at: datetime


class Principal(msgspec.Struct, frozen=True):
    """Who is calling. There is no default one: code that has none must refuse (S-06)."""

    kind: Literal["virtual_key", "admin", "open"]
    key_id: str | None
    tenant_id: str
    allowed_models: frozenset[str] | None = None
    allowed_providers: frozenset[str] | None = None
    strict: bool = False


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


def _checksum(text: str) -> str:
    value = zlib.crc32(text.encode())
    digits = []
    for _ in range(_CHECKSUM_LENGTH):
        value, digit = divmod(value, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))
