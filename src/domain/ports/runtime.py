"""Ports to the process itself: time, ids, records."""

from collections.abc import Awaitable, Callable
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


class Announcements(Protocol):
    """Says that another process changed the configuration, sooner than one would look."""

    @property
    def missed(self) -> bool:
        """Whether others change the configuration and nothing says so: one has to look more often."""
        ...

    async def listen(self, on_change: Callable[[], Awaitable[None]]) -> None:
        """Calls `on_change` after each change until the connection is lost. Raises `StoreUnavailable`."""
        ...


class UsageSink(Protocol):
    """Where settled requests go. Synchronous: settling never awaits."""

    def record(self, record: RequestRecord) -> None: ...
