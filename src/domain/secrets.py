"""A credential that masks itself wherever text is made of it (S-21)."""

import hashlib
import hmac
from typing import NoReturn

from typing_extensions import override

MASK = "***"


class Secret:
    """A credential in memory. `reveal()` is the only way to its value; every text form is `***`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The plain value, for the one header or cipher it belongs in."""
        return self._value

    @property
    def last4(self) -> str:
        """The last four characters, or empty where the value is too short to show any of it."""
        return self._value[-4:] if len(self._value) >= 12 else ""

    @property
    def fingerprint(self) -> str:
        """Twelve hex characters that tell two secrets apart and give neither away."""
        return hashlib.sha256(b"omg/fingerprint/" + self._value.encode()).hexdigest()[:12]

    def __bool__(self) -> bool:
        return bool(self._value)

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    @override
    def __hash__(self) -> int:
        return hash((Secret, self._value))

    @override
    def __str__(self) -> str:
        return MASK

    @override
    def __repr__(self) -> str:
        return "Secret(***)"

    @override
    def __format__(self, format_spec: str) -> str:
        return MASK

    @override
    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled")
