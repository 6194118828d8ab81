"""Attempts to sign in, counted where limits are: an attempt is a lease that nobody renews."""

import asyncio
import hashlib
import secrets

from typing_extensions import override

from adapters.limits.breaker import StoreAway
from adapters.limits.shared import Answer, SharedCounters
from domain.errors import StoreUnavailable
from domain.ports.sign_in import AttemptCounter


class SharedAttempts(AttemptCounter):
    """`AttemptCounter` over what the processes share. Names of people and addresses are not written there."""

    def __init__(self, counters: SharedCounters) -> None:
        self._counters = counters
        self._telling: set[Answer] = set()

    @override
    async def take(self, name: str, most: int, seconds: int) -> str | None:
        attempt_id = secrets.token_hex(8)
        try:
            reply = await asyncio.shield(self._counters.take_slot(_name(name), attempt_id, most, seconds))
        except StoreAway as error:
            raise StoreUnavailable("Attempts to sign in cannot be counted for all processes now.") from error
        return attempt_id if reply[0] else None

    @override
    def give_back(self, name: str, attempt_id: str) -> None:
        answer = self._counters.free_slot(_name(name), attempt_id)
        self._telling.add(answer)
        answer.add_done_callback(self._told)

    def _told(self, answer: Answer) -> None:
        """One that could not be given back counts until its time is over."""
        self._telling.discard(answer)
        if not answer.cancelled():
            answer.exception()


def _name(name: str) -> str:
    return f"attempts:{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
