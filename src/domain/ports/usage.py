"""Ports to what the ledger has kept."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from domain.records import RequestRecord
from domain.usage_queries import (
    CostDrift,
    CostSpread,
    Latencies,
    LogCursor,
    PricedCalls,
    RequestFilter,
    UsageQuery,
    UsageRow,
)

Sample = Literal[1, 16, 256]
"""One request in how many is looked at."""

NamedKind = Literal["tenant", "key", "user", "provider", "provider_key"]
"""Of what the database has names; of providers and their keys only of those that it stores."""


class UsageReader(Protocol):
    """Sums of usage. Raises `StoreUnavailable` where the database cannot be asked, and `ServiceUnavailable` where too
    many ask at once.
    """

    async def sums(self, query: UsageQuery, limit: int) -> Sequence[UsageRow]:
        """One row a group that has any usage, in no order; all as of one moment.

        Raises `too_many_groups` where there are more than `limit`.
        """
        ...

    async def missing(self, query: UsageQuery, limit: int) -> Sequence[UsageRow]:
        """Rows without sums: what has no price (`cost_missing`) in each group, of at most `limit` calls.

        Of models without any price nothing is told: their `unpriced_requests` are.
        """
        ...

    async def latencies(self, query: UsageQuery, one_in: Sample) -> Latencies:
        """The percentiles of each group that has any and of all, of about one request in so many.

        Of 1 it is all of them. What was refused before anybody was asked is none.
        """
        ...

    async def priced(self, query: UsageQuery, limit: int) -> Sequence[PricedCalls]:
        """What the cost of all calls is made of, in no order, at most `limit`; calls without a cost are left out."""
        ...

    async def spreads(self, query: UsageQuery) -> Sequence[CostSpread]:
        """Of all that the question is about, whatever it groups by: two rows a route at most, in no order."""
        ...

    async def drift(self, query: UsageQuery, limit: int) -> Sequence[CostDrift]:
        """Models with a call whose reported and computed cost part, the largest difference first, at most `limit`."""
        ...


class UsageRollUps(Protocol):
    """Sums of ended days by what no table of sums tells apart, such as end users: made after the fact, read by
    `UsageReader` as far as they are true. Raises `StoreUnavailable`.
    """

    async def turn(self, days: int | None = None) -> None:
        """Make those of all ended days that have none, or none any more, the newest first; at most of so many days."""
        ...


class Retention(Protocol):
    """How long single requests are kept. Sums of every kind stay as they are. Raises `StoreUnavailable`."""

    async def count(self, before: datetime) -> int:
        """Requests of days of UTC that ended before the day of that moment."""
        ...

    async def prune(self, before: datetime, *, at_leisure: bool = True) -> int:
        """Delete them with their calls and decisions, in batches, the oldest first; how many. `at_leisure` rests after
        each batch for as long as it took.
        """
        ...


class RequestLog(Protocol):
    """Single requests, with their attempts. Raises as `UsageReader` does."""

    async def page(self, filter_: RequestFilter, limit: int, at: LogCursor | None) -> Sequence[RequestRecord]:
        """Newest first, at most `limit`, those next to `at` on its side; those of one moment by id, descending."""
        ...

    async def get(self, request_id: str) -> RequestRecord | None:
        """With its decision, where it has one; those of a page come without."""
        ...


class Names(Protocol):
    """What people call the objects that records know by their ids. Raises `StoreUnavailable`."""

    async def of(self, ids: Mapping[NamedKind, Collection[str]]) -> Mapping[NamedKind, Mapping[str, str]]:
        """By kind and id, of those that are still there; users by their name, or their address where they have none."""
        ...
