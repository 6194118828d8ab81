"""Ports to the process itself: time, ids, records."""

from datetime import datetime
from typing import Protocol

from domain.records import RequestRecord


class Clock(Protocol):
    """The one source of time. Durations come from `monotonic`, stamps from `now` (R-21)."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds, for durations and deadlines; the event loop's own clock."""
        ...


class IdFactory(Protocol):
    """Sortable unique ids."""

    def new(self, prefix: str) -> str:
        """`{prefix}_{32 hex characters}`, growing with time."""
        ...


class UsageSink(Protocol):
    """Where settled requests go. Synchronous: settling never awaits."""

    def record(self, record: RequestRecord) -> None: ...
