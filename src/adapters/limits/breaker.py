"""The switch that keeps requests from waiting for a store that does not answer; two log lines an outage (R-27)."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

log = logging.getLogger(__name__)

FAILURES: Final = 5
WITHIN_SECONDS: Final = 1.0
PROBE_SECONDS: Final = 0.25


class StoreAway(Exception):
    """What the processes share does not answer. `perhaps_done`: nobody knows whether it did what it was asked."""

    def __init__(self, reason: str = "", *, perhaps_done: bool = False) -> None:
        super().__init__(reason)
        self.perhaps_done = perhaps_done


class Breaker:
    """Open after five failures within a second, or where the connection is lost. Then `probe` is tried, once each
    quarter of a second and beside all requests, until it raises nothing.
    """

    def __init__(self, store: str, probe: Callable[[], Awaitable[object]]) -> None:
        self._store = store
        self._probe = probe
        self._failed: deque[float] = deque(maxlen=FAILURES)
        self._probing: asyncio.Task[None] | None = None
        self._closed = False
        self.open = False
        self.on_back: Callable[[], None] = lambda: None

    def failed(self, error: BaseException, calls: int = 1, *, lost: bool = False) -> None:
        """So many calls were not answered. `lost`: there is no connection, so that more calls would tell nothing."""
        if self.open or self._closed:
            return
        now = asyncio.get_running_loop().time()
        self._failed.extend([now] * min(calls, FAILURES))
        if lost or (len(self._failed) == FAILURES and now - self._failed[0] <= WITHIN_SECONDS):
            self.open = True
            log.warning(
                "the counters of limits are away: each process counts its own share",
                extra={"store": self._store, "error": str(error)[:200] or type(error).__name__},
            )
            self._probing = asyncio.create_task(self._until_back())

    async def _until_back(self) -> None:
        while self.open:
            await asyncio.sleep(PROBE_SECONDS * random.uniform(1.0, 1.2))  # noqa: S311 - so that not all come at once
            try:
                await self._probe()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is still away
                log.debug("a probe failed", extra={"store": self._store, "error": str(error)[:200]})
                continue
            self._failed.clear()
            self.open = False
            log.warning("the counters of limits answer again", extra={"store": self._store})
            self.on_back()

    async def aclose(self) -> None:
        self._closed = True
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)
