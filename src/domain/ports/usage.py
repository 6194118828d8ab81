"""Ports to what the ledger has kept."""

from collections.abc import Sequence
from typing import Protocol

from domain.records import RequestRecord
from domain.usage_queries import LogPlace, RequestFilter, UsageQuery, UsageRow


class UsageReader(Protocol):
    """Sums of usage. Raises `StoreUnavailable` where the database cannot be asked."""

    async def sums(self, query: UsageQuery, limit: int) -> Sequence[UsageRow]:
        """One row a group that has any usage, in no order; all as of one moment.

        Raises `too_many_groups` where there are more than `limit`.
        """
        ...


class RequestLog(Protocol):
    """Single requests, with their attempts. Raises `StoreUnavailable` where the database cannot be asked."""

    async def page(self, filter_: RequestFilter, limit: int, after: LogPlace | None) -> Sequence[RequestRecord]:
        """Newest first, at most `limit`; those of one moment by id, descending."""
        ...

    async def get(self, request_id: str) -> RequestRecord | None: ...
