"""Budgets of a process that serves alone: held in memory, begun with what the database has as spent.

Holds need no place on disk: whoever had them is gone with the process, and what its calls cost is booked from the
spool before the first budget is read again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from typing_extensions import override

from adapters.limits.refusals import SHARE, budget_exceeded
from domain.budget_periods import bucket_at, zone_of
from domain.errors import LimitExceeded, ServiceUnavailable, StoreUnavailable
from domain.ports.budgets import BudgetStore, BudgetTerm, Hold, SpendReader, Standing
from domain.ports.runtime import Clock
from domain.records import Charge

READY_SECONDS: Final = 10.0


class _Bucket:
    __slots__ = ("held", "spent", "starts_at")

    def __init__(self, starts_at: int, spent: int = 0) -> None:
        self.starts_at = starts_at
        self.spent = spent
        self.held = 0


class _Account:
    """What counts of one account at present. A hold keeps the bucket it was made in, also when that counts no more."""

    __slots__ = ("_now", "_until", "buckets", "ends_at", "name", "period", "zone")

    def __init__(self, term: BudgetTerm) -> None:
        self.name = term.account
        self.period = term.period
        self.zone = zone_of(term.timezone)
        self.buckets: dict[int, _Bucket] = {}
        self.ends_at = 0
        self._until = datetime.min.replace(tzinfo=UTC)
        self._now = _Bucket(0)

    def turn(self, now: datetime) -> _Bucket:
        """The bucket of this moment; those that no longer count are let go. A clock that went back changes nothing."""
        if now >= self._until:
            bucket = bucket_at(self.period, self.zone, now)
            self.ends_at = bucket.ends_at
            self._until = datetime.fromtimestamp(bucket.ends_at, UTC)
            kept = {start: each for start, each in self.buckets.items() if start >= bucket.counts_from}
            self._now = kept.setdefault(bucket.starts_at, _Bucket(bucket.starts_at))
            self.buckets = kept
        return self._now

    @property
    def used(self) -> int:
        if len(self.buckets) == 1:
            return self._now.spent + self._now.held
        return sum([bucket.spent + bucket.held for bucket in self.buckets.values()])

    def standing(self, term: BudgetTerm) -> Standing:
        if len(self.buckets) == 1:
            return Standing(term, self._now.spent, self._now.held, self._now.starts_at, self.ends_at)
        buckets = self.buckets.values()
        return Standing(
            term,
            sum(bucket.spent for bucket in buckets),
            sum(bucket.held for bucket in buckets),
            min(self.buckets),
            self.ends_at,
        )


class MemoryBudgetStore(BudgetStore):
    """`ready` returns when what earlier processes left is in the database; budgets are read after that."""

    def __init__(self, clock: Clock, reader: SpendReader, ready: Callable[[], Awaitable[None]]) -> None:
        self._clock = clock
        self._reader = reader
        self._ready = ready
        self._accounts: dict[str, _Account] = {}
        self._loading: dict[str, asyncio.Task[_Account]] = {}
        self._kept: dict[str, dict[str, tuple[_Bucket, int]]] = {}  # what outlived its request: how much, by account

    @override
    async def hold(self, hold_id: str, terms: Sequence[BudgetTerm], least_nano_usd: int, wanted_nano_usd: int) -> Hold:
        known = self._accounts
        try:
            accounts = [known[term.account] for term in terms]
        except KeyError:
            accounts = await self._known(terms)
        now = self._clock.now()
        buckets = {account.name: account.turn(now) for account in accounts}
        granted = wanted_nano_usd
        exceeded: list[BudgetTerm] = []
        for term, account in zip(terms, accounts, strict=True):
            left = term.limit_nano_usd - account.used
            if left < least_nano_usd and least_nano_usd:
                if term.enforced:
                    raise self._refusal(terms, accounts, least_nano_usd)
                exceeded.append(term)
            elif granted > least_nano_usd and left // SHARE < granted and term.enforced:
                granted = max(least_nano_usd, left // SHARE)
        granted = max(granted, least_nano_usd)
        for bucket in buckets.values():
            bucket.held += granted
        return _MemoryHold(self, terms, accounts, buckets, exceeded, granted)

    def room(self, terms: Sequence[BudgetTerm], accounts: Sequence[_Account], more_nano_usd: int) -> None:
        """Raises `LimitExceeded` where one of them has not so much left."""
        for term, account in zip(terms, accounts, strict=True):
            if term.enforced and account.used + more_nano_usd > term.limit_nano_usd:
                raise self._refusal(terms, accounts, more_nano_usd)

    def _refusal(self, terms: Sequence[BudgetTerm], accounts: Sequence[_Account], needed: int) -> LimitExceeded:
        """By one that blocks before one that downgrades: what one blocks, another model's price does not open."""
        term, account = min(
            (
                (term, account)
                for term, account in zip(terms, accounts, strict=True)
                if term.enforced and account.used + needed > term.limit_nano_usd
            ),
            key=lambda pair: pair[0].on_exceeded != "block",
        )
        return budget_exceeded(account.standing(term), account.zone, needed, self._clock.now())

    @override
    async def reclaim(self, kept_id: str, hold_id: str, terms: Sequence[BudgetTerm]) -> Hold:
        try:
            accounts = await self._known(terms)
        finally:  # what this process itself had kept is known without the database
            kept = self._kept.pop(kept_id, {})
            for bucket, amount in kept.values():
                bucket.held -= amount
        now = self._clock.now()
        buckets: dict[str, _Bucket] = {}
        for account in accounts:
            present = account.turn(now)
            buckets[account.name] = kept[account.name][0] if account.name in kept else present
        return _MemoryHold(self, terms, accounts, buckets, (), 0)

    def keep(self, kept_id: str, buckets: Mapping[str, _Bucket], amount: int) -> None:
        """So much is held in each, until it is reclaimed."""
        kept = self._kept.setdefault(kept_id, {})
        kept.update((account, (bucket, amount)) for account, bucket in buckets.items())

    @override
    async def standings(self, terms: Sequence[BudgetTerm]) -> Sequence[Standing]:
        accounts = await self._known(terms)
        now = self._clock.now()
        for account in accounts:
            account.turn(now)
        return [account.standing(term) for term, account in zip(terms, accounts, strict=True)]

    @override
    async def renew(self) -> None:
        """What is held is held by this process, and gone with it."""

    @override
    async def aclose(self) -> None:
        """Nothing is held open."""

    async def _known(self, terms: Sequence[BudgetTerm]) -> list[_Account]:
        known = self._accounts
        for term in terms:
            if term.account not in known:
                await self._load(term)
        return [known[term.account] for term in terms]

    async def _load(self, term: BudgetTerm) -> None:
        """One read for all who wait (R-28); whoever leaves does not stop it."""
        loading = self._loading.get(term.account)
        if loading is None:
            loading = self._loading[term.account] = asyncio.ensure_future(self._read(term))
            loading.add_done_callback(lambda _: self._loading.pop(term.account, None))
        try:
            self._accounts[term.account] = await asyncio.shield(loading)
        except (StoreUnavailable, TimeoutError) as error:
            raise ServiceUnavailable(
                "What was spent of a budget cannot be read now; try again soon.",
                code="store_unavailable",
                retry_after_seconds=1,
            ) from error

    async def _read(self, term: BudgetTerm) -> _Account:
        async with asyncio.timeout(READY_SECONDS):
            await self._ready()
        account = _Account(term)
        now = bucket_at(account.period, account.zone, self._clock.now())
        for starts_at, spent in (await self._reader.spent(term, now)).items():
            account.buckets[starts_at] = _Bucket(starts_at, spent)
        for kept_id, charge in (await self._reader.kept(term.account)).items():  # by processes before this one
            bucket = account.buckets.setdefault(charge.starts_at, _Bucket(charge.starts_at))
            bucket.held += charge.nano_usd
            self.keep(kept_id, {term.account: bucket}, charge.nano_usd)
        return self._accounts.setdefault(term.account, account)


class _MemoryHold(Hold):
    __slots__ = ("_accounts", "_amount", "_buckets", "_charges", "_exceeded", "_open", "_store", "_terms")

    def __init__(
        self,
        store: MemoryBudgetStore,
        terms: Sequence[BudgetTerm],
        accounts: Sequence[_Account],
        buckets: Mapping[str, _Bucket],
        exceeded: Sequence[BudgetTerm],
        amount: int,
    ) -> None:
        self._store = store
        self._terms = terms
        self._accounts = accounts
        self._exceeded = exceeded
        self._buckets = buckets
        self._amount = amount
        self._charges: list[Charge] = []  # made when asked for: at the start and the end
        self._open = True

    @property
    @override
    def amount_nano_usd(self) -> int:
        return self._amount

    @property
    @override
    def charges(self) -> Sequence[Charge]:
        if not self._charges:
            amount = self._amount
            self._charges = [Charge(account, bucket.starts_at, amount) for account, bucket in self._buckets.items()]
        return self._charges

    @property
    @override
    def standings(self) -> Sequence[Standing]:
        if len(self._terms) == 1:
            return (self._accounts[0].standing(self._terms[0]),)
        return [account.standing(term) for term, account in zip(self._terms, self._accounts, strict=True)]

    @property
    @override
    def exceeded(self) -> Sequence[BudgetTerm]:
        return self._exceeded

    @override
    async def extend(self, more_nano_usd: int) -> None:
        self._store.room(self._terms, self._accounts, more_nano_usd)
        self._amount += more_nano_usd
        self._charges = []
        for bucket in self._buckets.values():
            bucket.held += more_nano_usd

    @override
    async def outlive(self, kept_id: str) -> None:
        if self._open:
            self._open = False
            self._store.keep(kept_id, self._buckets, self._amount)

    @override
    def settle(self, costs: Mapping[str, int]) -> None:
        if not self._open:
            return
        self._open = False
        for account, bucket in self._buckets.items():
            bucket.held -= self._amount
            bucket.spent += costs.get(account, 0)
