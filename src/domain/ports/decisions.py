"""The port to recorded routing decisions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.records import RequestRecord
from domain.usage_queries import LogCursor


class DecisionLog(Protocol):
    """Requests with their decisions. Raises `StoreUnavailable` where the database cannot be asked."""

    async def get(self, decision_id: str) -> RequestRecord | None:
        """The request of this decision; with its `decision`, where it went by a route or `auto`."""
        ...

    async def page(
        self, route: str, start: datetime, end: datetime, limit: int, at: LogCursor | None
    ) -> Sequence[RequestRecord]:
        """Of one route, oldest first, at most `limit`, from right behind `at` on; each with its decision."""
        ...
