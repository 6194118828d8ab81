"""Ledgers in memory."""

import asyncio
from collections.abc import Sequence

from typing_extensions import override

from domain.errors import StoreUnavailable
from domain.ports.ledger import AppliedBatch, Ledger, LedgerBacklog, LedgerHealth, LedgerStore, SegmentOffset
from domain.records import ProgressRecord, RequestRecord, StartRecord, distinct


class MemoryLedger(Ledger, LedgerBacklog):
    """Remembers what it was told, in order, and carries it nowhere."""

    def __init__(self) -> None:
        self.starts: list[StartRecord] = []
        self.progresses: list[ProgressRecord] = []
        self.records: list[RequestRecord] = []
        self.can_write = True

    @property
    @override
    def writable(self) -> bool:
        return self.can_write

    @override
    def start(self, record: StartRecord) -> None:
        self.starts.append(record)

    @override
    def progress(self, record: ProgressRecord) -> None:
        self.progresses.append(record)

    @override
    def end(self, record: RequestRecord) -> None:
        self.records.append(record)

    @override
    def health(self) -> LedgerHealth:
        return LedgerHealth(self.can_write, len(self.records), 0.0, 0, 0, 0)

    @override
    async def turn(self) -> None:
        await asyncio.sleep(1)

    @override
    async def book_orphans(self) -> None:
        pass

    @override
    async def orphans_booked(self) -> None:
        pass

    @override
    async def finish(self) -> None:
        self.can_write = False

    @property
    def last(self) -> RequestRecord:
        return self.records[-1]


class MemoryLedgerStore(LedgerStore):
    """Applies each request once. Set `broken` and it is away; `fail_at` breaks the n-th batch."""

    def __init__(self) -> None:
        self.requests: dict[str, RequestRecord] = {}
        self.offsets: dict[str, int] = {}
        self.broken = False
        self.fail_at: int | None = None
        self.batches = 0

    @override
    async def apply(self, records: Sequence[RequestRecord], offset: SegmentOffset | None) -> AppliedBatch:
        self.batches += 1
        if self.broken or self.batches == self.fail_at:
            raise StoreUnavailable("broken by the test")
        before = len(self.requests)
        for record in records:
            known = self.requests.get(record.request_id)
            other = known is not None and known.decision_id != record.decision_id
            stored = distinct(record) if other else record
            self.requests.setdefault(stored.request_id, stored)
        new = len(self.requests) - before
        if offset is not None:
            self.offsets[offset.segment] = max(offset.offset, self.offsets.get(offset.segment, 0))
        return AppliedBatch(new, len(records) - new)

    @override
    async def offset(self, segment: str) -> int:
        if self.broken:
            raise StoreUnavailable("broken by the test")
        return self.offsets.get(segment, 0)

    @override
    async def forget(self, segment: str) -> None:
        self.offsets.pop(segment, None)
