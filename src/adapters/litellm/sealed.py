"""Opens what LiteLLM encrypts in its database.

The key is the SHA-256 of LITELLM_SALT_KEY, or of the master key; a value is base64 of a libsodium secret box, or
`v2:gcm:` and base64 of nonce, AES-256-GCM ciphertext and tag.
Source: litellm/proxy/common_utils/encrypt_decrypt_utils.py (read 2026-11).
"""

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_GCM = "v2:gcm:"
_NONCE_BYTES = 24
_SHORTEST = _NONCE_BYTES + 16


class SealUnsupported(Exception):
    """A secret box needs PyNaCl, which is not installed. The message says how to get it."""


class Opener:
    """Opens values with one salt. Without one, nothing that is sealed opens."""

    def __init__(self, salt: str) -> None:
        self._key = hashlib.sha256(salt.encode()).digest() if salt else b""

    def open(self, value: str) -> str | None:
        """The text, `value` itself where it is no ciphertext, None for one that this salt does not open.

        Raises `SealUnsupported`.
        """
        if value.startswith(_GCM):
            return self._gcm(value.removeprefix(_GCM))
        sealed = _base64(value)
        if sealed is None or len(sealed) <= _SHORTEST:
            return value
        return self._box(sealed)

    def _gcm(self, encoded: str) -> str | None:
        sealed = _base64(encoded)
        if sealed is None or not self._key:
            return None
        try:
            return AESGCM(self._key).decrypt(sealed[:12], sealed[12:], None).decode()
        except (InvalidTag, UnicodeDecodeError, ValueError):
            return None

    def _box(self, sealed: bytes) -> str | None:
        if not self._key:
            return None
        try:
            from nacl.exceptions import CryptoError
            from nacl.secret import SecretBox
        except ImportError:
            raise SealUnsupported(
                "the models in LiteLLM's database are encrypted with libsodium: "
                "install open-model-gateway[litellm], which brings PyNaCl"
            ) from None
        try:
            return bytes(SecretBox(self._key).decrypt(sealed)).decode()
        except (CryptoError, UnicodeDecodeError):
            return None


def _base64(value: str) -> bytes | None:
    try:
        return base64.b64decode(value, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
