"""Sessions, one-time tokens, passwords and preferences in memory; and a hasher of passwords that costs nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from typing_extensions import override

from domain.errors import TooManyAttempts
from domain.ports.sign_in import (
    OneTimeTokenRepository,
    PasswordHasher,
    PasswordRepository,
    PreferencesRepository,
    SessionRepository,
)
from domain.sign_in import OneTimeToken, Preferences, Session


class SignInRows(Protocol):
    """The part of the store's rows that these need."""

    sessions: dict[str, Session]
    one_time_tokens: dict[bytes, OneTimeToken]
    passwords: dict[str, str]
    preferences: dict[str, Preferences]


class MemorySessions(SessionRepository):
    def __init__(self, rows: SignInRows) -> None:
        self._rows = rows

    @override
    async def find(self, digests: Sequence[bytes]) -> Session | None:
        return next((one for one in self._rows.sessions.values() if one.digest in digests), None)

    @override
    async def list_of(self, user_id: str) -> Sequence[Session]:
        own = [one for one in self._rows.sessions.values() if one.user_id == user_id]
        return sorted(own, key=lambda one: one.id, reverse=True)

    @override
    async def add(self, session: Session) -> None:
        self._rows.sessions[session.id] = session

    @override
    async def touch(self, session_id: str, seen_at: datetime, confirmed_at: datetime | None = None) -> None:
        found = self._rows.sessions.get(session_id)
        if found is not None:
            self._rows.sessions[session_id] = msgspec.structs.replace(
                found, last_seen_at=seen_at, confirmed_at=confirmed_at or found.confirmed_at
            )

    @override
    async def delete(self, user_id: str, session_id: str) -> bool:
        found = self._rows.sessions.get(session_id)
        if found is None or found.user_id != user_id:
            return False
        del self._rows.sessions[session_id]
        return True

    @override
    async def delete_all(self, user_id: str, but: str | None = None) -> int:
        gone = [one.id for one in await self.list_of(user_id) if one.id != but]
        for session_id in gone:
            del self._rows.sessions[session_id]
        return len(gone)

    @override
    async def delete_ended(self, seen_before: datetime, now: datetime) -> int:
        ended = [s.id for s in self._rows.sessions.values() if s.ends_at <= now or s.last_seen_at <= seen_before]
        over = [token.digest for token in self._rows.one_time_tokens.values() if token.ends_at <= now]
        for session_id in ended:
            del self._rows.sessions[session_id]
        for digest in over:
            del self._rows.one_time_tokens[digest]
        return len(ended) + len(over)


class MemoryOneTimeTokens(OneTimeTokenRepository):
    def __init__(self, rows: SignInRows) -> None:
        self._rows = rows

    @override
    async def add(self, token: OneTimeToken) -> None:
        self._rows.one_time_tokens[token.digest] = token

    @override
    async def take(self, digests: Sequence[bytes], purpose: str) -> OneTimeToken | None:
        for digest in digests:
            found = self._rows.one_time_tokens.get(digest)
            if found is not None and found.purpose == purpose:
                return self._rows.one_time_tokens.pop(digest)
        return None

    @override
    async def delete_all(self, user_id: str) -> int:
        gone = [token.digest for token in self._rows.one_time_tokens.values() if token.user_id == user_id]
        for digest in gone:
            del self._rows.one_time_tokens[digest]
        return len(gone)


class MemoryPasswords(PasswordRepository):
    def __init__(self, rows: SignInRows) -> None:
        self._rows = rows

    @override
    async def get(self, user_id: str) -> str | None:
        return self._rows.passwords.get(user_id)

    @override
    async def put(self, user_id: str, hash_: str, at: datetime) -> None:
        self._rows.passwords[user_id] = hash_

    @override
    async def delete(self, user_id: str) -> bool:
        return self._rows.passwords.pop(user_id, None) is not None


class MemoryPreferences(PreferencesRepository):
    def __init__(self, rows: SignInRows) -> None:
        self._rows = rows

    @override
    async def get(self, user_id: str) -> Preferences:
        return self._rows.preferences.get(user_id, Preferences())

    @override
    async def put(self, user_id: str, preferences: Preferences) -> None:
        self._rows.preferences[user_id] = preferences


class FakePasswords(PasswordHasher):
    """Counts what it verifies. `full` is a queue with no room; `generation` makes older hashes out of date."""

    def __init__(self, generation: int = 1) -> None:
        self.verified = 0
        self.full = False
        self.generation = generation

    @override
    async def hash(self, password: str) -> str:
        self._check()
        return f"{self.generation}/{password}"

    @override
    async def verify(self, password: str, hash_: str | None) -> bool:
        self._check()
        self.verified += 1
        return hash_ is not None and hash_.partition("/")[2] == password

    @override
    def is_current(self, hash_: str) -> bool:
        return hash_.startswith(f"{self.generation}/")

    def _check(self) -> None:
        if self.full:
            raise TooManyAttempts("full", retry_after_seconds=2.0)
