"""Cryptography without secrets: fast, deterministic, and honest about what it is bound to."""

import base64
import hashlib

from typing_extensions import override

from domain.ports.security import KeyHasher, SecretBox, SecretUnreadable
from domain.secrets import Secret


class FakeHasher(KeyHasher):
    """Digests under named peppers, newest first."""

    def __init__(self, *peppers: str) -> None:
        self._peppers = peppers or ("pepper",)

    @override
    def digest(self, key: str) -> bytes:
        return self.digests(key)[0]

    @override
    def digests(self, key: str) -> tuple[bytes, ...]:
        return tuple(hashlib.sha256(f"{pepper}/{key}".encode()).digest() for pepper in self._peppers)


class FakeBox(SecretBox):
    """Encodes instead of encrypting, and checks its binding as the real one does."""

    def __init__(self, kid: str = "k1") -> None:
        self._kid = kid

    @override
    def seal(self, secret: Secret, bound_to: str) -> str:
        text = f"{bound_to}\n{secret.reveal()}"
        return f"v1.{self._kid}.{base64.urlsafe_b64encode(text.encode()).decode()}"

    @override
    def open(self, sealed: str, bound_to: str) -> Secret:
        try:
            text = base64.urlsafe_b64decode(sealed.split(".")[2]).decode()
        except (IndexError, ValueError):
            raise SecretUnreadable(f"The secret of {bound_to} cannot be opened: it is malformed.") from None
        owner, _, value = text.partition("\n")
        if owner != bound_to:
            raise SecretUnreadable(f"The secret of {bound_to} cannot be opened: it is bound to another row.")
        return Secret(value)

    @override
    def is_current(self, sealed: str) -> bool:
        return sealed.split(".")[1] == self._kid

    @override
    def sign(self, message: bytes, kid: str | None = None) -> str:
        if kid not in {None, self._kid}:
            raise SecretUnreadable("It was signed with another key.")
        return f"{self._kid}.{hashlib.sha256(self._kid.encode() + message).hexdigest()}"

    @override
    def signed(self, message: bytes, code: str) -> bool:
        return self.sign(message, code.partition(".")[0]) == code
