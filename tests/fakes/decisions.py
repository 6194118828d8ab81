"""Decisions in memory: those of the records that usage is summed of."""

from collections.abc import Sequence
from datetime import datetime

from typing_extensions import override

from domain.ports.decisions import DecisionLog
from domain.records import RequestRecord
from domain.usage_queries import LogCursor


class MemoryDecisions(DecisionLog):
    """`records` may be another's list."""

    def __init__(self, records: list[RequestRecord]) -> None:
        self.records = records

    @override
    async def get(self, decision_id: str) -> RequestRecord | None:
        return next((record for record in self.records if record.decision_id == decision_id), None)

    @override
    async def page(
        self, route: str, start: datetime, end: datetime, limit: int, at: LogCursor | None
    ) -> Sequence[RequestRecord]:
        oldest = sorted(self.records, key=lambda record: (record.created_at, record.request_id))
        place = None if at is None else (at.created_at, at.request_id)
        return [
            record
            for record in oldest
            if record.route == route
            and start <= record.created_at < end
            and (place is None or (record.created_at, record.request_id) > place)
        ][:limit]
