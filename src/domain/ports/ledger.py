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


class LedgerHealth(msgspec.Struct, frozen=True):
    """How the way of records to the database is. `lag_seconds` is the age of the oldest one that is not there, at most.

    `torn_records` were lost to damaged files; `dropped_records` found no room even in memory.
    """

    writable: bool
    waiting_records: int
    lag_seconds: float
    spool_bytes: int
    torn_records: int
    dropped_records: int


class LedgerBacklog(Protocol):
    """Carries what is written down to the database. None of it raises because that is away: records wait."""

    def health(self) -> LedgerHealth:
        """As of now, from memory."""
        ...

    async def turn(self) -> None:
        """Wait for a second or for a batch, and carry it over. To be called again and again."""
        ...

    async def book_orphans(self) -> None:
        """Carry over what processes that are no more have left, and close their open requests as interrupted."""
        ...

    async def orphans_booked(self) -> None:
        """Returns as soon as `book_orphans` has come to its end once: what was spent before the start is known then."""
        ...

    async def finish(self) -> None:
        """The process stops: a last turn, and nothing can be written down any more."""
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
