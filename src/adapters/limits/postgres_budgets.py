"""Budgets in Postgres, for any number of processes: what is held is a row, and rows are locked in one order.

A hold becomes what its request cost as soon as that is known; the ledger then turns it into what is spent, in the
transaction that inserts the request. So nothing is ever counted as neither, whatever dies in between.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import msgspec
from typing_extensions import override

from adapters.limits.budget_statements import (
    HOLD_SECONDS,
    KNOWN,
    LET_GO,
    OPEN,
    READ,
    RENAME,
    RENEW,
    RESERVE,
    SETTLED_SECONDS,
    SHRINK,
)
from adapters.limits.refusals import budget_exceeded
from adapters.persistence.ledger.postgres import connect_options
from adapters.persistence.work import store_errors
from domain.budget_periods import Bucket, bucket_at, zone_of
from domain.errors import LimitExceeded, ServiceUnavailable, StoreUnavailable
from domain.ports.budgets import KEPT_SECONDS, BudgetStore, BudgetTerm, Hold, SpendReader, Standing
from domain.ports.runtime import Clock
from domain.records import Charge

log = logging.getLogger(__name__)

MAX_CONNECTIONS: Final = 4
WAIT_SECONDS: Final = 5.0
"""For a connection, and for others that hold in the same budgets."""

TRIES: Final = 3
RENEWED_WITHIN: Final = 30.0
"""Holds of others are let go by who could renew its own so lately: while nobody could, they are alive perhaps."""

_CONTENDED: Final = ("40001", "40P01")


class PostgresBudgetStore(BudgetStore):
    """`BudgetStore` on the database at `url`, whose schema must be up to date. `reader` opens accounts that are new."""

    def __init__(self, url: Any, clock: Clock, reader: SpendReader) -> None:
        self._url = url
        self._reader = reader
        self._clock = clock
        self._pool: Any = None
        self._opening = asyncio.Lock()
        self._open: set[str] = set()  # what is held here for requests under way
        self._ended: dict[str, Mapping[str, int]] = {}  # that have ended, and what they cost by account
        self._settling: asyncio.Task[None] | None = None
        self._renewed_at = -RENEWED_WITHIN

    @override
    async def hold(self, hold_id: str, terms: Sequence[BudgetTerm], least_nano_usd: int, wanted_nano_usd: int) -> Hold:
        buckets = self._buckets(terms)
        known = hold_id in self._open
        self._open.add(hold_id)
        try:
            taken = await self._take(hold_id, terms, buckets, least_nano_usd, wanted_nano_usd)
        except BaseException:
            if not known:
                self._open.discard(hold_id)
            raise
        exceeded = [each.term for each in taken.before if least_nano_usd and _left(each) < least_nano_usd]
        return _PostgresHold(self, hold_id, terms, buckets, taken.granted, taken.standings, exceeded)

    @override
    async def standings(self, terms: Sequence[BudgetTerm]) -> Sequence[Standing]:
        buckets = self._buckets(terms)
        counts_from = [bucket.counts_from for bucket in buckets.values()]
        rows = await self._fetch(READ, list(buckets), counts_from)
        if len(rows) < len(buckets):
            idle = buckets.keys() - {account for account, _, _ in rows}
            known = {account for (account,) in await self._fetch(KNOWN, sorted(idle))}
            if fresh := [term for term in terms if term.account in idle - known]:
                await self._begin(fresh, buckets)
                rows = await self._fetch(READ, list(buckets), counts_from)
        return _standings(terms, buckets, {account: (spent, held) for account, spent, held in rows})

    async def extend(
        self, hold_id: str, terms: Sequence[BudgetTerm], buckets: Mapping[str, Bucket], more: int
    ) -> Sequence[Standing]:
        """Raises `LimitExceeded`, and has then held no more."""
        return (await self._take(hold_id, terms, buckets, more, more)).standings

    async def outlive(self, hold_id: str, kept_id: str) -> None:
        """What is held under the one id is kept under the other, which no process need renew."""
        await self._fetch(RENAME, hold_id, kept_id, KEPT_SECONDS)
        self._open.discard(hold_id)

    @override
    async def reclaim(self, kept_id: str, hold_id: str, terms: Sequence[BudgetTerm]) -> Hold:
        buckets = self._buckets(terms)
        kept = await self._fetch(RENAME, kept_id, hold_id, SETTLED_SECONDS)
        known = {account: starts_at for account, starts_at in kept if account in buckets}
        fresh = [term for term in terms if term.account not in known]
        if fresh:
            await self._take(hold_id, fresh, {term.account: buckets[term.account] for term in fresh}, 0, 0)
        for account, starts_at in known.items():
            buckets[account] = msgspec.structs.replace(buckets[account], starts_at=starts_at)
        return _PostgresHold(self, hold_id, terms, buckets, 0, (), ())

    def settle(self, hold_id: str, costs: Mapping[str, int]) -> None:
        """In the background, all that ended meanwhile together: what it does not reach the ledger does."""
        self._open.discard(hold_id)
        self._ended[hold_id] = {**self._ended.get(hold_id, {}), **costs}
        if self._settling is None or self._settling.done():
            self._settling = asyncio.get_running_loop().create_task(self._settle())

    @override
    async def renew(self) -> None:
        if self._ended:
            await self._settle()
        mine = [*self._open, *self._ended]
        if mine:
            await self._fetch(RENEW, mine, HOLD_SECONDS)
        now = self._clock.monotonic()
        if now - self._renewed_at < RENEWED_WITHIN:
            ((gone,),) = await self._fetch(LET_GO)
            if gone:
                log.warning("let go what processes held that are gone", extra={"requests": gone})
        elif not mine:
            await self._fetch("SELECT 1")
        self._renewed_at = now

    async def settled(self) -> None:
        """Returns when what was settled so far is in the database, or could not be written."""
        while self._settling is not None and not self._settling.done():
            await asyncio.wait({self._settling})

    @override
    async def aclose(self) -> None:
        await self.settled()
        if self._pool is not None:
            await self._pool.close()

    def _buckets(self, terms: Sequence[BudgetTerm]) -> dict[str, Bucket]:
        now = self._clock.now()
        return {term.account: bucket_at(term.period, zone_of(term.timezone), now) for term in terms}

    async def _take(
        self, hold_id: str, terms: Sequence[BudgetTerm], buckets: Mapping[str, Bucket], least: int, wanted: int
    ) -> "_Taken":
        """Hold in all or none. What a caller who left has held all the same, the ledger ends with its record."""
        accounts = list(buckets)
        starts = [bucket.starts_at for bucket in buckets.values()]
        counts_from = [bucket.counts_from for bucket in buckets.values()]
        limits = [[getattr(term, name) for term in terms] for name in ("account", "limit_nano_usd", "enforced")]
        for _ in range(TRIES):
            rows = await self._fetch(RESERVE, hold_id, accounts, starts, counts_from, *limits, least, wanted)
            _, _, _, known, fits, granted = rows[0]
            if not known:
                await self._begin(terms, buckets)
                await self._fetch(OPEN, accounts, starts)
                continue
            before = _standings(terms, buckets, {row[0]: (row[1], row[2]) for row in rows})
            if not fits:
                raise self._refusal(before, least)
            return _Taken(granted, before, [_more_held(standing, granted) for standing in before])
        raise _unavailable()

    async def _begin(self, terms: Sequence[BudgetTerm], buckets: Mapping[str, Bucket]) -> None:
        """Accounts that nobody has seen begin with what was spent before there was a budget."""
        for term in terms:
            try:
                await self._reader.spent(term, buckets[term.account])
            except StoreUnavailable as error:
                raise _unavailable() from error

    def _refusal(self, standings: Sequence[Standing], least: int) -> LimitExceeded:
        """Of the first that has not the least: those that block before those that downgrade."""
        short = [each for each in standings if each.term.enforced and _left(each) < least]
        first = min(short, key=lambda each: each.term.on_exceeded != "block")
        return budget_exceeded(first, zone_of(first.term.timezone), least, self._clock.now())

    async def _settle(self) -> None:
        while self._ended:
            ended, self._ended = self._ended, {}
            rows = sorted((hold_id, *cost) for hold_id, costs in ended.items() for cost in costs.items())
            columns = [list(column) for column in zip(*rows, strict=True)]
            try:
                await self._fetch(SHRINK, *columns)
            except ServiceUnavailable:
                self._ended = ended | self._ended  # tried again with the next that ends, or the next renewal
                log.info("holds are left to the ledger", extra={"requests": len(ended)})
                return

    async def _fetch(self, statement: str, *values: object) -> Any:
        """One statement, which is a transaction of its own; what loses against another writer is tried again (R-26)."""
        for left in reversed(range(TRIES)):
            try:
                with store_errors():
                    async with asyncio.timeout(WAIT_SECONDS):
                        pool = await self._opened()
                        async with pool.acquire() as connection:
                            return await connection.fetch(statement, *values)
            except StoreUnavailable as error:
                if not left or getattr(error.__cause__, "sqlstate", None) not in _CONTENDED:
                    raise _unavailable() from error
        raise _unavailable()

    async def _opened(self) -> Any:
        async with self._opening:
            if self._pool is None:
                options, settings = connect_options(self._url, "open-model-gateway-budgets")
                self._pool = await asyncpg.create_pool(
                    **options, min_size=0, max_size=MAX_CONNECTIONS, server_settings=settings
                )
        return self._pool


class _Taken(NamedTuple):
    granted: int
    before: Sequence[Standing]
    standings: Sequence[Standing]


class _PostgresHold(Hold):
    def __init__(
        self,
        store: PostgresBudgetStore,
        hold_id: str,
        terms: Sequence[BudgetTerm],
        buckets: Mapping[str, Bucket],
        amount: int,
        standings: Sequence[Standing],
        exceeded: Sequence[BudgetTerm],
    ) -> None:
        self._store = store
        self._hold_id = hold_id
        self._terms = terms
        self._buckets = buckets
        self._amount = amount
        self._standings = standings
        self._exceeded = exceeded
        self._open = True

    @property
    @override
    def amount_nano_usd(self) -> int:
        return self._amount

    @property
    @override
    def charges(self) -> Sequence[Charge]:
        return [Charge(account, bucket.starts_at, self._amount) for account, bucket in self._buckets.items()]

    @property
    @override
    def standings(self) -> Sequence[Standing]:
        return self._standings

    @property
    @override
    def exceeded(self) -> Sequence[BudgetTerm]:
        return self._exceeded

    @override
    async def extend(self, more_nano_usd: int) -> None:
        self._standings = await self._store.extend(self._hold_id, self._terms, self._buckets, more_nano_usd)
        self._amount += more_nano_usd

    @override
    async def outlive(self, kept_id: str) -> None:
        if self._open:
            await self._store.outlive(self._hold_id, kept_id)
            self._open = False

    @override
    def settle(self, costs: Mapping[str, int]) -> None:
        if self._open:
            self._open = False
            self._store.settle(self._hold_id, {account: costs.get(account, 0) for account in self._buckets})


def _left(standing: Standing) -> int:
    return standing.term.limit_nano_usd - standing.spent_nano_usd - standing.held_nano_usd


def _standings(
    terms: Sequence[BudgetTerm], buckets: Mapping[str, Bucket], sums: Mapping[str, tuple[int, int]]
) -> list[Standing]:
    """`sums` are what is spent and held of each account."""
    return [
        Standing(
            term,
            *sums.get(term.account, (0, 0)),
            buckets[term.account].counts_from,
            buckets[term.account].ends_at,
        )
        for term in terms
    ]


def _more_held(standing: Standing, more: int) -> Standing:
    return Standing(
        standing.term,
        standing.spent_nano_usd,
        standing.held_nano_usd + more,
        standing.period_start,
        standing.period_end,
    )


def _unavailable() -> ServiceUnavailable:
    return ServiceUnavailable(
        "What was spent of a budget cannot be read now; try again soon.",
        code="store_unavailable",
        retry_after_seconds=1,
    )
