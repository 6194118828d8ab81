"""Which deployment a conversation is with, in a table that all processes read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import delete, select
from typing_extensions import override

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import ConversationPlaceRow
from adapters.persistence.work import upsert
from domain.ports.conversation_places import ConversationPlaces, Place

SECONDS: Final = 1.0
"""A request waits for it: one that takes longer goes without."""


class SqlAlchemyConversationPlaces(ConversationPlaces):
    def __init__(self, store: SqlAlchemyStore, seconds: float = SECONDS) -> None:
        self._store = store
        self._seconds = seconds

    @override
    async def tell(self, places: Sequence[Place]) -> None:
        rows = [msgspec.structs.asdict(place) for place in sorted(places, key=lambda place: place.conversation)]
        async with self._store.writing(self._seconds) as work:
            await work.run(upsert(work.session, ConversationPlaceRow, rows))

    @override
    async def find(self, conversation: str) -> Place | None:
        row = ConversationPlaceRow
        columns = (row.conversation, row.provider_id, row.model, row.tokens, row.keeps_seconds, row.served_at)
        async with self._store.reading(self._seconds) as work:
            found = await work.run(work.session.execute(select(*columns).where(row.conversation == conversation)))
        place = found.first()
        return None if place is None else Place(*place)

    @override
    async def forget(self, before: datetime) -> None:
        async with self._store.writing() as work:
            old = delete(ConversationPlaceRow).where(ConversationPlaceRow.served_at < before)
            await work.run(work.session.execute(old))
