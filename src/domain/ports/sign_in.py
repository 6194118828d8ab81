"""Ports of sign-in: where sessions, one-time tokens and passwords are kept, and what hashes passwords."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.sign_in import OneTimeToken, Preferences, Session


class SessionRepository(Protocol):
    """Sessions, found by the keyed digest of their secret."""

    async def find(self, digests: Sequence[bytes]) -> Session | None:
        """The session with one of these digests (one per pepper version), ended ones included."""
        ...

    async def list_of(self, user_id: str) -> Sequence[Session]:
        """Newest first."""
        ...

    async def add(self, session: Session) -> None: ...

    async def touch(self, session_id: str, seen_at: datetime, confirmed_at: datetime | None = None) -> None:
        """It was used at this moment, and confirmed where that is given."""
        ...

    async def delete(self, user_id: str, session_id: str) -> bool:
        """False where the user has no such session."""
        ...

    async def delete_all(self, user_id: str, but: str | None = None) -> int:
        """Every session of a user, but the one of this id; how many."""
        ...

    async def delete_ended(self, seen_before: datetime, now: datetime) -> int:
        """Those that ended before `now`, or were last used before the other moment, and tokens that are over."""
        ...


class OneTimeTokenRepository(Protocol):
    """One-time tokens, found by the keyed digest of their secret."""

    async def add(self, token: OneTimeToken) -> None: ...

    async def take(self, digests: Sequence[bytes], purpose: str) -> OneTimeToken | None:
        """The token, which is gone with it: of two that take it at once, in whatever processes, one gets it."""
        ...

    async def delete_all(self, user_id: str) -> int: ...


class PasswordRepository(Protocol):
    """What is kept of people's passwords: their hashes."""

    async def get(self, user_id: str) -> str | None: ...

    async def put(self, user_id: str, hash_: str, at: datetime) -> None: ...

    async def delete(self, user_id: str) -> bool: ...


class PreferencesRepository(Protocol):
    """What people chose for themselves."""

    async def get(self, user_id: str) -> Preferences: ...

    async def put(self, user_id: str, preferences: Preferences) -> None: ...


class AttemptCounter(Protocol):
    """Counts attempts to sign in for all processes."""

    async def take(self, name: str, most: int, seconds: int) -> str | None:
        """Counts one of `most` in any `seconds`: the id to give it back by, or None where there were as many.

        Raises `StoreUnavailable` where nobody can tell.
        """
        ...

    def give_back(self, name: str, attempt_id: str) -> None:
        """It counts no more."""
        ...


class PasswordHasher(Protocol):
    """A slow hash, made for passwords, beside the event loop. Few at once: it is meant to cost (F10).

    Both raise `TooManyAttempts` where too many wait already.
    """

    async def hash(self, password: str) -> str: ...

    async def verify(self, password: str, hash_: str | None) -> bool:
        """Whether it is the password of this hash. With None, false after as long as any other answer takes (S-13)."""
        ...

    def is_current(self, hash_: str) -> bool:
        """Whether it was made with the present parameters."""
        ...
