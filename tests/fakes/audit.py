"""The audit trail in memory, over a list that the fake store copies and swaps."""

from collections.abc import Callable, Sequence
from datetime import datetime

from typing_extensions import override

from domain.audit import AuditEntry, AuditFilter, AuditRecord
from domain.errors import StoreUnavailable
from domain.ports.audit import AuditRepository


class MemoryAudit(AuditRepository):
    def __init__(self, entries: list[AuditEntry], now: Callable[[], datetime], *, broken: bool) -> None:
        self._entries = entries
        self._now = now
        self._broken = broken

    @override
    async def append(self, record: AuditRecord) -> int:
        if self._broken:
            raise StoreUnavailable("The audit trail was broken by the test.")
        self._entries.append(AuditEntry(len(self._entries) + 1, self._now(), record))
        return len(self._entries)

    @override
    async def page(self, filter_: AuditFilter, limit: int, before: int | None) -> Sequence[AuditEntry]:
        entries = [entry for entry in reversed(self._entries) if before is None or entry.sequence < before]
        return [entry for entry in entries if _wanted(entry, filter_)][:limit]


def _wanted(entry: AuditEntry, filter_: AuditFilter) -> bool:
    record = entry.record
    given = {name: getattr(filter_, name) for name in ("action", "object_kind", "object_id", "tenant_id", "outcome")}
    return (
        all(value in {None, getattr(record, name)} for name, value in given.items())
        and filter_.actor in {None, record.actor.id}
        and (filter_.start is None or entry.created_at >= filter_.start)
        and (filter_.end is None or entry.created_at < filter_.end)
    )
