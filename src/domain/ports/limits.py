"""Ports to the counters behind limits: all that a request takes is taken together, or nothing is."""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from domain.subject_limits import Limit


class Demand(msgspec.Struct, frozen=True):
    """What a request may use, beside being one request: tokens, as estimated."""

    input_tokens: int = 0
    output_tokens: int = 0


class Allowance(msgspec.Struct, frozen=True):
    """What is left of a limit after a request took its part, and in how many seconds all of it would be there again."""

    limit: Limit
    remaining: int
    reset_seconds: float


class Take(Protocol):
    """What one request has taken. Ends once, by `settle` or `release`: from then on both do nothing. Synchronous."""

    @property
    def allowances(self) -> Sequence[Allowance]:
        """Of every limit that counts requests or tokens."""
        ...

    def settle(self, input_tokens: int, output_tokens: int) -> None:
        """The request was sent and has ended: the request stays counted, tokens are set right, its slots are free."""
        ...

    def release(self) -> None:
        """Nothing was sent: all of it goes back."""
        ...


class Limiter(Protocol):
    """A set of limits that are taken from together."""

    @property
    def counts_tokens(self) -> bool:
        """Whether the demand's tokens matter; where not, nobody needs to estimate them."""
        ...

    async def take(self, demand: Demand) -> Take:
        """Raises `LimitExceeded` for the first limit that does not allow it, and has then changed nothing."""
        ...


CountersPlace = Literal["memory", "postgres", "valkey"]


class LimitStore(Protocol):
    """Counts, by subject and dimension: limiters that share a subject share its counter, whatever their amounts.

    Where several processes count together, a slot is a lease: whoever has it renews it, and it is free half a minute
    after its process has died. While what they share is away, each counts its own part of every limit (R-27).
    """

    @property
    def place(self) -> CountersPlace:
        """Where it counts."""
        ...

    async def answers(self) -> bool:
        """Whether what the processes share can be asked now; else each counts apart. Always so in memory."""
        ...

    def limiter(self, limits: Sequence[Limit]) -> Limiter: ...

    async def restore(self) -> None:
        """Before the first request: what was used today before a restart."""
        ...

    async def keep(self) -> None:
        """To be called every second or two: renews the leases, writes down what was used today. Never raises."""
        ...

    async def aclose(self) -> None: ...


class UsedToday(msgspec.Struct, frozen=True):
    """What was used of a limit by the day. `starts_at` is when that day began, in seconds since 1970."""

    counter: str
    starts_at: int
    used: int


class DayCounts(Protocol):
    """Where a process that counts in memory keeps what was used by the day."""

    async def read(self, since: int) -> Sequence[UsedToday]:
        """Of days that began then or later. Raises `StoreUnavailable`."""
        ...

    async def write(self, counts: Sequence[UsedToday], forget_before: int) -> None:
        """In place of what was there, and nothing is kept of days that began before. Raises `StoreUnavailable`."""
        ...
