"""Whether the database answers: asked at most once a second, whoever wants to know."""

import asyncio

from domain.errors import StoreUnavailable
from domain.ports.repositories import Store
from domain.ports.runtime import Clock

CACHE_SECONDS = 1.0
GRACE_SECONDS = 60.0
"""As long as known keys are served without the database, being without it is no reason to be taken out (R-40)."""


class StoreWatch:
    """Caches the answer of a ping, and remembers since when there was none."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._asked_at: float | None = None
        self._answered_at: float | None = None
        self._answers = False
        self._asking = asyncio.Lock()

    def answered(self) -> None:
        """It answered somebody else just now: known keys are served from then on, whoever asks here and when."""
        self._answered_at = self._clock.monotonic()

    async def answers(self) -> bool:
        """Whether it answered within the last second."""
        async with self._asking:
            now = self._clock.monotonic()
            if self._asked_at is None or now - self._asked_at >= CACHE_SECONDS:
                self._answers = await self._ping()
                self._asked_at = self._clock.monotonic()
                if self._answers:
                    self._answered_at = self._asked_at
        return self._answers

    async def ready(self) -> bool:
        """Whether requests can be served: it answers, or answered less than the grace ago."""
        if await self.answers():
            return True
        return self._answered_at is not None and self._clock.monotonic() - self._answered_at < GRACE_SECONDS

    async def _ping(self) -> bool:
        try:
            await self._store.ping()
        except StoreUnavailable:
            return False
        return True
