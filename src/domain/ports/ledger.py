"""Ports of the usage ledger: what the hot path writes, and what the database keeps of it."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from domain.records import ProgressRecord, RequestRecord, StartRecord


class Ledger(Protocol):
    """Takes records as they happen. Synchronous, and never raises: a record that cannot be written now waits."""

    @property
    def writable(self) -> bool:
        """False while records wait because they cannot be written down."""
        ...

    def start(self, record: StartRecord) -> None:
        """A request is about to go upstream."""
        ...

    def progress(self, record: ProgressRecord) -> None:
        """A stream has come further; at most one a second."""
        ...

    def end(self, record: RequestRecord) -> None:
        """A request is settled: called before its last byte goes to the client (P-01)."""
        ...


class SegmentOffset(msgspec.Struct, frozen=True):
    """Up to where a spool segment is applied, in bytes."""

    segment: str
    offset: int


class AppliedBatch(msgspec.Struct, frozen=True):
    """What a batch did: rows it inserted, and rows that had been there."""

    inserted: int
    duplicates: int


class LedgerStore(Protocol):
    """The database side of the ledger. All raise `StoreUnavailable` where it cannot be asked."""

    async def apply(self, records: Sequence[RequestRecord], offset: SegmentOffset | None) -> AppliedBatch:
        """Insert what is new, add only that to the roll-up, and keep the offset: one transaction (R-18)."""
        ...

    async def offset(self, segment: str) -> int:
        """The offset kept for a segment, 0 where there is none."""
        ...

    async def forget(self, segment: str) -> None:
        """The segment's file is gone."""
        ...
