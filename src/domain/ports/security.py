"""Ports to cryptography."""

from typing import Protocol

from domain.secrets import Secret


class KeyHasher(Protocol):
    """Keyed digests of client keys (P-21). Pure and fast: one HMAC, no I/O."""

    def digest(self, key: str) -> bytes:
        """Under the newest pepper: 32 bytes."""
        ...

    def digests(self, key: str) -> tuple[bytes, ...]:
        """Under every accepted pepper, newest first."""
        ...


class SecretBox(Protocol):
    """Authenticated encryption with a key ring (P-20). `bound_to` is the row's identity, checked on opening."""

    def seal(self, secret: Secret, bound_to: str) -> str:
        """`v1.<kid>.<base64url nonce+ciphertext>`."""
        ...

    def open(self, sealed: str, bound_to: str) -> Secret:
        """Raises `SecretUnreadable` for another row's, an altered, or an unknown key's ciphertext."""
        ...

    def is_current(self, sealed: str) -> bool:
        """Whether it is sealed under the newest key."""
        ...


class SecretUnreadable(Exception):
    """A stored secret cannot be opened; the message names the row and the key id, never a value."""
