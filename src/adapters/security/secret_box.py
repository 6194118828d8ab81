"""Secrets at rest: AES-256-GCM under a key ring, each bound to its row (P-20); codes; keys by their digests alone."""

import base64
import binascii
import hmac
import os

from typing_extensions import override

from adapters.security.key_ring import KeyRing, MasterKeyInvalid, load_or_create_key_file
from domain.ports.security import KeyHasher, SecretBox, SecretUnreadable
from domain.secrets import Secret

__all__ = ["AesGcmSecretBox", "KeyRing", "MasterKeyInvalid", "load_or_create_key_file"]

_VERSION = "v1"
_NONCE_BYTES = 12  # 96 random bits: safe for 2^32 secrets a key (NIST SP 800-38D 8.3)


class AesGcmSecretBox(SecretBox):
    """`v1.<kid>.<base64url of nonce and ciphertext>`; the row's identity is the associated data.

    The cipher's library takes 8 MB and is imported with the first secret: who has all keys in the environment
    has none.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._keys = ring.derive("column-encryption")
        self._chain_keys = ring.derive("audit-chain")
        self._newest = ring.kids[0]

    @override
    def seal(self, secret: Secret, bound_to: str) -> str:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._keys[self._newest]).encrypt(nonce, secret.reveal().encode(), bound_to.encode())
        return f"{_VERSION}.{self._newest}.{base64.urlsafe_b64encode(nonce + sealed).decode().rstrip('=')}"

    @override
    def open(self, sealed: str, bound_to: str) -> Secret:
        version, kid, payload = _split(sealed, bound_to)
        if version != _VERSION:
            raise SecretUnreadable(f"The secret of {bound_to} has the unknown format '{version[:8]}'.")
        if kid not in self._keys:
            raise SecretUnreadable(
                f"The secret of {bound_to} was sealed with the master key '{kid}', which is not among the "
                "master keys; add that key to OMG_MASTER_KEYS or the key file, or enter the secret again."
            )
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            plain = AESGCM(self._keys[kid]).decrypt(payload[:_NONCE_BYTES], payload[_NONCE_BYTES:], bound_to.encode())
        except (InvalidTag, ValueError) as error:
            raise SecretUnreadable(
                f"The secret of {bound_to} does not open with the master key '{kid}': it was altered, belongs to "
                "another row, or the key of that id is another one; enter the secret again."
            ) from error
        return Secret(plain.decode())

    @override
    def is_current(self, sealed: str) -> bool:
        return sealed.startswith(f"{_VERSION}.{self._newest}.")

    @override
    def sign(self, message: bytes, kid: str | None = None) -> str:
        kid = kid or self._newest
        key = self._chain_keys.get(kid)
        if key is None:
            raise SecretUnreadable(f"It was signed with the master key '{kid}', which is not among the master keys.")
        return f"{kid}.{hmac.digest(key, message, 'sha256').hex()}"

    @override
    def signed(self, message: bytes, code: str) -> bool:
        return hmac.compare_digest(self.sign(message, code.partition(".")[0]).encode(), code.encode())


def _split(sealed: str, bound_to: str) -> tuple[str, str, bytes]:
    try:
        version, kid, encoded = sealed.split(".")
        return version, kid, base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise SecretUnreadable(f"The stored secret of {bound_to} is damaged; enter the secret again.") from error


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
