"""Where conversations are, for as many processes as are given it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from typing_extensions import override

from domain.errors import StoreUnavailable
from domain.ports.conversation_places import ConversationPlaces, Place


class MemoryConversationPlaces(ConversationPlaces):
    """`away` and `hangs` are a database that refuses or that says nothing."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        self.told = self.asked = 0
        self.away = self.hangs = False

    @override
    async def tell(self, places: Sequence[Place]) -> None:
        self.told += 1
        await self._answer()
        self.places |= {place.conversation: place for place in places}

    @override
    async def find(self, conversation: str) -> Place | None:
        self.asked += 1
        await self._answer()
        return self.places.get(conversation)

    @override
    async def forget(self, before: datetime) -> None:
        self.places = {name: place for name, place in self.places.items() if place.served_at >= before}

    async def _answer(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise StoreUnavailable("The database is away.")
