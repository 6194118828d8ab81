"""Answers under clients' keys, in a dictionary."""

from typing_extensions import override

from domain.ports.idempotency import KEPT_SECONDS, Claim, IdempotencyStore, KeptAnswer, KeptTotals
from domain.ports.runtime import Clock

LEASE_SECONDS = 30


class _Entry:
    def __init__(self, fingerprint: str, now: float) -> None:
        self.fingerprint = fingerprint
        self.leased_until = now + LEASE_SECONDS
        self.expires_at = now + KEPT_SECONDS
        self.ended = False
        self.answer: KeptAnswer | None = None
        self.replays = 0


class MemoryIdempotency(IdempotencyStore):
    """Of one process, whose claims are all its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}

    @override
    async def claim(self, key: str, fingerprint: str) -> Claim:
        now = self._clock.now().timestamp()
        entry = self._entries.get(key)
        if entry is None or entry.expires_at <= now:
            self._entries[key] = _Entry(fingerprint, now)
            return Claim("claimed", fingerprint)
        if not entry.ended:
            return Claim("running" if entry.leased_until > now else "lost", entry.fingerprint)
        return Claim("lost" if entry.answer is None else "done", entry.fingerprint, entry.answer)

    @override
    async def keep(self, key: str, answer: KeptAnswer | None) -> None:
        entry = self._entries[key]
        entry.ended, entry.answer = True, answer

    @override
    async def release(self, key: str) -> None:
        self._entries.pop(key, None)

    @override
    async def replayed(self, key: str) -> None:
        self._entries[key].replays += 1

    @override
    async def renew(self) -> None:
        now = self._clock.now().timestamp()
        for entry in self._entries.values():
            entry.leased_until = max(entry.leased_until, now + LEASE_SECONDS)

    @override
    async def totals(self) -> KeptTotals:
        entries = self._entries.values()
        size = sum(len(entry.answer.body) for entry in entries if entry.answer is not None)
        return KeptTotals(len(entries), size, sum(entry.replays for entry in entries))
