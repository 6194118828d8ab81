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

    def sign(self, message: bytes, kid: str | None = None) -> str:
        """A code that only a holder of the newest key, or of the one named, could have made: `<kid>.<hex>`.

        Raises `SecretUnreadable` where that key is unknown.
        """
        ...

    def signed(self, message: bytes, code: str) -> bool:
        """Whether `code` was made for `message`. Raises `SecretUnreadable` for one of an unknown key."""
        ...


class SecretReferences(Protocol):
    """Where secrets are kept that a document or a setting only refers to: `env:NAME`, `file:PATH`."""

    @property
    def schemes(self) -> tuple[str, ...]:
        """What a reference begins with, each with its colon."""
        ...

    def is_reference(self, text: str) -> bool: ...

    async def resolve(self, reference: str) -> Secret:
        """The secret, without the white space around it. Raises `SecretMissing`."""
        ...


class SecretMissing(Exception):
    """A reference leads to no secret. The message says which and why, and never a value."""


class SecretUnreadable(Exception):
    """A stored secret cannot be opened; the message names the row and the key id, never a value."""
