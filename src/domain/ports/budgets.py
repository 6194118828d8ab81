"""Ports to money that may still be spent: held before a call, settled after it, never counted twice.

`spent + held` of a budget that is enforced never passes its limit (P-06).
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol

import msgspec

from domain.budget_periods import Bucket
from domain.limits import Period
from domain.records import Charge
from domain.subject_limits import Subject

OnExceeded = Literal["block", "warn", "downgrade", "shadow"]

KEPT_SECONDS: Final = 90_000
"""How long what outlived its request is held at most: an hour longer than anybody looks for what became of it."""


class BudgetTerm(msgspec.Struct, frozen=True):
    """One budget that a request meets. What is spent is counted by `account`: whose it is, its period, zone and models.

    A budget whose limit alone changes goes on with what was spent. `models` are its patterns, None for all.
    """

    account: str
    subject: Subject
    limit_nano_usd: int
    period: Period
    timezone: str = "UTC"
    on_exceeded: OnExceeded = "block"
    downgrade_to: str | None = None
    models: tuple[str, ...] | None = None

    @property
    def enforced(self) -> bool:
        return self.on_exceeded in {"block", "downgrade"}


class Standing(msgspec.Struct, frozen=True):
    """How a budget stands. `period_start` and `period_end` are seconds since 1970; of a rolling one the end is when
    something may be free again."""

    term: BudgetTerm
    spent_nano_usd: int
    held_nano_usd: int
    period_start: int
    period_end: int

    @property
    def remaining_nano_usd(self) -> int:
        left = self.term.limit_nano_usd - self.spent_nano_usd - self.held_nano_usd
        return max(0, left)


class Hold(Protocol):
    """What is kept for one request in each of its budgets: the same amount in all. Ends once, by `settle`."""

    @property
    def amount_nano_usd(self) -> int: ...

    @property
    def charges(self) -> Sequence[Charge]:
        """The accounts it is held in, with the bucket that each will be charged in."""
        ...

    @property
    def standings(self) -> Sequence[Standing]:
        """Of each budget, just after it was held or extended."""
        ...

    @property
    def exceeded(self) -> Sequence[BudgetTerm]:
        """Those that would have refused, were they enforced."""
        ...

    async def extend(self, more_nano_usd: int) -> None:
        """Hold so much more in every budget. Raises `LimitExceeded`, and has then held no more in any."""
        ...

    async def outlive(self, kept_id: str) -> None:
        """Its request ends before what it is held for: it is kept under this id, whatever process ends, until it is
        reclaimed. To settle it does nothing from now on. Raises `ServiceUnavailable`, and nothing has changed then.
        """
        ...

    def settle(self, costs: Mapping[str, int]) -> None:
        """The hold ends, and what is spent is this, by account; 0 where it says nothing. Again, it does nothing."""
        ...


class BudgetStore(Protocol):
    """Holds money."""

    async def hold(self, hold_id: str, terms: Sequence[BudgetTerm], least_nano_usd: int, wanted_nano_usd: int) -> Hold:
        """Hold in every budget, or in none: what is wanted, or an eighth of what is left where that is less, and
        the least in any case. Nothing costs nothing: of 0 none refuses. `hold_id` is the decision's, by which the
        ledger ends what nobody else does; another hold of the same id is for other accounts.

        Raises `LimitExceeded` of the first that has not the least, and `ServiceUnavailable` where nobody can tell.
        """
        ...

    async def reclaim(self, kept_id: str, hold_id: str, terms: Sequence[BudgetTerm]) -> Hold:
        """What is kept under `kept_id` becomes a hold of these budgets again, in the buckets it was made in, to be
        settled. A budget in which nothing is kept has its present bucket, with nothing held. None refuses.

        Raises `ServiceUnavailable`.
        """
        ...

    async def standings(self, terms: Sequence[BudgetTerm]) -> Sequence[Standing]:
        """How each of them stands now. Raises `ServiceUnavailable`."""
        ...

    async def renew(self) -> None:
        """Called every ten seconds: keeps what this process holds, and lets go what processes held that are gone.

        Raises `ServiceUnavailable`.
        """
        ...

    async def aclose(self) -> None:
        """What was settled is written down, and nothing is held open."""
        ...


class SpendReader(Protocol):
    """What was spent before, as the database has it."""

    async def spent(self, term: BudgetTerm, bucket: Bucket) -> Mapping[int, int]:
        """Nano-USD by the start of each bucket that counts while `bucket` is the present one.

        An account that nothing was ever written of begins with what its subject has spent in that time by the ledger,
        which is written down first; but for one that never ends, and those of provider keys. Raises
        `StoreUnavailable`, and `ServiceUnavailable` where too many ask at once.
        """
        ...

    async def kept(self, account: str) -> Mapping[str, Charge]:
        """What outlived its request, by the id it is kept under. Raises `StoreUnavailable`."""
        ...
