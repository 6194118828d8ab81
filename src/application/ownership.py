"""Whose the background work is that one process of all on a database does: a lease, renewed for as long as it lives."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from domain.errors import StoreUnavailable
from domain.ports.leases import Leases
from domain.ports.runtime import Clock

log = logging.getLogger(__name__)

LEASE: Final = "background_work"
LEASE_SECONDS: Final = 10.0
RENEW_SECONDS: Final = 3.0
"""Renewed so often, also tried for so often by the others: what a dead owner leaves is taken within 13 seconds."""


class Ownership:
    """Of all processes one holds the lease. One that is `alone` always does, and asks nobody."""

    def __init__(self, leases: Leases, process: str, clock: Clock, *, alone: bool = False) -> None:
        """`process` is an id of this process and no other."""
        self._leases = leases
        self._process = process
        self._clock = clock
        self._alone = alone
        self._until = 0.0
        self._taken = asyncio.Event()
        self._away = False

    @property
    def held(self) -> bool:
        """Whether the work is this process's now. An owner that could not renew in time knows that it is none."""
        return self._alone or self._clock.monotonic() < self._until

    async def renew(self) -> None:
        """Take the lease or keep it: called every `RENEW_SECONDS`. A store that is away is told once."""
        if self._alone:
            return
        held, asked_at = self.held, self._clock.monotonic()
        try:
            mine = await self._leases.take(LEASE, self._process, LEASE_SECONDS)
        except StoreUnavailable:
            if not self._away:
                log.warning("nobody knows whose the background work is: the store is away")
            self._away = True
            return
        self._away = False
        self._until = asked_at + LEASE_SECONDS if mine else 0.0
        if mine:
            self._taken.set()
        else:
            self._taken.clear()
        if mine != held:
            log.info("background work taken over" if mine else "background work is another process's")

    async def while_held(self, job: Callable[[], Awaitable[object]]) -> None:
        """Wait until the work is this process's, and do the job once. It is cancelled where the lease is lost."""
        if self._alone:
            await job()
            return
        while not self.held:
            self._taken.clear()
            await self._taken.wait()
        doing = asyncio.ensure_future(job())
        try:
            while not doing.done() and self.held:
                await asyncio.wait({doing}, timeout=max(self._until - self._clock.monotonic(), 0.001))
        finally:
            if not doing.done():
                doing.cancel()
                await asyncio.wait({doing})
        if not doing.cancelled():
            doing.result()

    async def give_up(self) -> None:
        """The process stops: another need not wait for the lease to end. Raises `StoreUnavailable`."""
        if not self._alone and self.held:
            self._until = 0.0
            await self._leases.give_back(LEASE, self._process)
