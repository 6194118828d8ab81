"""Lets a conversation stay where it is though its requests go through several processes (deployments of one database).

Each process remembers what it served itself. It tells the others where a conversation is when that is new to them, and
asks when a request goes on from a turn that it has not served: so nobody waits whose requests stay with one process.
"""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from domain.errors import RequestInvalid, StoreUnavailable
from domain.ports.conversation_places import ConversationPlaces, Place
from domain.ports.runtime import Clock

log = logging.getLogger(__name__)

WAIT_SECONDS: Final = 1.0
"""For so long a request waits at most, to tell or to ask."""

REST_SECONDS: Final = 1.0
"""For so long nobody tells or asks where that failed: a database that is away costs each request nothing."""

TELL_AGAIN_SECONDS: Final = 60.0
"""How old what others know may be of a conversation that goes on here: far less than a cache is kept for."""

KEEP_SECONDS: Final = 7_200.0
"""As long as the longest that any provider keeps a prefix, and longer than a tool's result is waited for."""

MOST_UNTOLD: Final = 10_000


class SharedPlaces:
    """`on`: other processes may get requests of the same conversations. Where they cannot, all of this does nothing."""

    def __init__(self, places: ConversationPlaces, clock: Clock, *, on: bool) -> None:
        self.on = on
        self._places = places
        self._clock = clock
        self._untold: dict[str, Place] = {}
        self._busy = asyncio.Lock()  # who waits for it finds what was noted before told
        self._rests_until = 0.0
        self._away = False

    def note(self, place: Place) -> None:
        """To be told: with the next `tell`. A client may name a model that no database takes."""
        if "\0" in place.model:
            return
        if len(self._untold) >= MOST_UNTOLD:
            self._untold.clear()  # the database has been away for long, and who is not told goes elsewhere at worst
        self._untold[place.conversation] = place

    def untold(self, conversation: str) -> bool:
        """Whether this process knows better than what could be asked."""
        return conversation in self._untold

    async def tell(self) -> None:
        """What is noted is found by all when this returns; kept for the next time where the store takes too long."""
        if not self._untold and not self._busy.locked():
            return
        if self._clock.monotonic() < self._rests_until:
            return
        try:
            async with asyncio.timeout(WAIT_SECONDS), self._busy:
                await self._tell()
        except (StoreUnavailable, TimeoutError):
            self._rest()
        except RequestInvalid:
            log.warning("where conversations are could not be told")
            self._untold.clear()  # it would be refused again and again
        else:
            self._came_back()

    async def find(self, conversation: str) -> Place | None:
        """Where the conversation was last, as far as anybody has told."""
        if self._clock.monotonic() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                found = await self._places.find(conversation)
        except (StoreUnavailable, TimeoutError):
            self._rest()
            return None
        self._came_back()
        return found

    async def forget(self) -> None:
        """Those of which no cache can be left. Raises `StoreUnavailable`."""
        if self.on:
            await self._places.forget(self._clock.now() - timedelta(seconds=KEEP_SECONDS))

    async def _tell(self) -> None:
        noted, self._untold = self._untold, {}
        if not noted:
            return
        try:
            await self._places.tell(tuple(noted.values()))
        except BaseException:
            self._untold = noted | self._untold
            raise

    def _rest(self) -> None:
        self._rests_until = self._clock.monotonic() + REST_SECONDS
        if not self._away:
            log.warning("conversations are kept together within each process only: the store is away")
        self._away = True

    def _came_back(self) -> None:
        if self._away:
            log.warning("conversations are kept together over processes again")
        self._away = False
