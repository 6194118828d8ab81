"""Limits that several processes count together: what the store says holds, and while it is away each has a share."""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from functools import partial
from itertools import count
from typing import Final, Protocol

from typing_extensions import override

from adapters.limits.breaker import StoreAway
from adapters.limits.counters import AMOUNT, DAYS, RING
from adapters.limits.memory import NOTHING, Amounts, MemoryLimiter, MemoryLimitStore, MemoryTake, amounts_of
from domain.errors import LimitExceeded
from domain.ports.limits import Allowance, CountersPlace, Demand, Limiter, LimitStore, Take
from domain.ports.runtime import Clock
from domain.subject_limits import Limit

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = 30
RENEW_SECONDS: Final = 10.0
LATE_SECONDS: Final = 60.0
"""For so long what could not be told is told later; after that no window has it any more."""

MAX_LATE: Final = 10_000

Answer = asyncio.Future[Sequence[int]]
Call = Callable[[], Answer]


class CounterGroup(Protocol):
    """Counters that are taken from together, in the store that the processes share.

    `day_starts` are the days that count, in the order of the limits by the day. What is asked is under way at once,
    and not undone where its future is cancelled. All futures may raise `StoreAway`.
    """

    def take(self, lease_id: str, amounts: Amounts, day_starts: Sequence[int]) -> Answer:
        """All or none: `(1, second, left of each…)`, or `(0, which one, used, seconds to wait)`."""
        ...

    def settle(self, lease_id: str, second: int, windows: Amounts, days: Amounts, day_starts: Sequence[int]) -> Answer:
        """So much more, or less, was used than was taken at that second; the slots are free."""
        ...


class SharedCounters(Protocol):
    """The store that the processes share."""

    @property
    def place(self) -> CountersPlace: ...

    @property
    def away(self) -> bool:
        """Whether asking it is known to be in vain."""
        ...

    async def answers(self) -> bool:
        """Asks it."""
        ...

    def when_back(self, call: Callable[[], None]) -> None:
        """To be called each time it answers again."""
        ...

    def group(self, windows: Sequence[Limit], days: Sequence[Limit], slots: Sequence[Limit]) -> CounterGroup: ...

    def take_slot(self, name: str, lease_id: str, most: int, seconds: int) -> Answer:
        """One of `most` leases of this name, as by `CounterGroup.take`; it ends by itself."""
        ...

    def free_slot(self, name: str, lease_id: str) -> Answer: ...

    async def renew(self, process: str, leases: Sequence[tuple[Limit, str]]) -> Sequence[str]:
        """Slots stay taken, also those that were given up meanwhile; which processes live. Raises `StoreAway`."""
        ...

    async def aclose(self) -> None: ...


class SharedLimitStore(LimitStore):
    """`LimitStore` over what processes share. `processes` is how many there are until they have met."""

    def __init__(self, counters: SharedCounters, clock: Clock, zone: tzinfo = UTC, processes: int = 1) -> None:
        self.counters = counters
        self.clock = clock
        self.process = secrets.token_hex(6)
        self.apart: dict[SharedLimiter, TakenApart] = {}
        self._local = MemoryLimitStore(clock, zone)
        self._numbers = count()
        self._living: Sequence[str] = ()
        self._processes = max(processes, 1)
        self._leases: dict[str, Sequence[Limit]] = {}
        self._renewed = float("-inf")
        self._used = False
        self._late: deque[tuple[float, Call, Call]] = deque(maxlen=MAX_LATE)
        self._telling: set[Answer] = set()
        self._rejoining: asyncio.Task[None] | None = None
        counters.when_back(self._back)

    @property
    @override
    def place(self) -> CountersPlace:
        return self.counters.place

    @override
    async def answers(self) -> bool:
        return not self.counters.away and await self.counters.answers()

    @override
    def limiter(self, limits: Sequence[Limit]) -> Limiter:
        local = self._local.limiter(limits)
        if not limits:
            return local
        self._used = True
        return SharedLimiter(self, local)

    @override
    async def restore(self) -> None:
        """The shared store remembers by itself. This process joins the others: in a database with its first limit."""
        self._used = self._used or self.place == "valkey"
        await self.keep()

    @override
    async def keep(self) -> None:
        if not self._used or self.counters.away or self.clock.monotonic() - self._renewed < RENEW_SECONDS:
            return
        leases = dict(self._leases)
        try:
            living = await self.counters.renew(
                self.process, [(limit, lease_id) for lease_id, limits in leases.items() for limit in limits]
            )
        except StoreAway:
            return  # told by the breaker; leases outlive two turns
        self._renewed = self.clock.monotonic()
        self._living = sorted(living)
        for lease_id in leases.keys() - self._leases.keys():  # ended meanwhile, and perhaps renewed after that
            group = self.counters.group((), (), leases[lease_id])
            release = partial(group.settle, lease_id, 0, NOTHING, NOTHING, ())
            self.tell(release, release)
        self._tell_late()

    @override
    async def aclose(self) -> None:
        self.counters.when_back(lambda: None)
        if self._rejoining is not None:
            await asyncio.gather(self._rejoining, return_exceptions=True)
        await self.told()
        await self.counters.aclose()

    async def told(self) -> None:
        """Returns when what has ended so far is known to all, or cannot be told now."""
        if self._telling:
            await asyncio.wait(set(self._telling))

    def begin_lease(self, slots: Sequence[Limit]) -> str:
        lease_id = f"{self.process}-{next(self._numbers)}"
        if slots:
            self._leases[lease_id] = slots
        return lease_id

    def end_lease(self, lease_id: str) -> None:
        self._leases.pop(lease_id, None)

    def share(self, amount: int) -> int:
        """This process's part of a limit while each counts apart: together they have the whole."""
        living = self._living
        if self.process not in living:
            return max(amount // self._processes, min(amount, 1))
        return amount // len(living) + (living.index(self.process) < amount % len(living))

    def tell(self, call: Call, rest: Call, until: float | None = None) -> None:
        """In the background, once. `rest` is what may be told again where nobody knows whether it arrived."""
        until = self.clock.monotonic() + LATE_SECONDS if until is None else until
        if self.counters.away:
            self._late.append((until, call, rest))
            return
        answer = call()
        self._telling.add(answer)
        answer.add_done_callback(partial(self._told, call, rest, until))

    def _told(self, call: Call, rest: Call, until: float, answer: Answer) -> None:
        self._telling.discard(answer)
        error = None if answer.cancelled() else answer.exception()
        if isinstance(error, StoreAway):
            self._late.append((until, rest if error.perhaps_done else call, rest))
        elif error is not None:
            log.error("what was taken of limits could not be settled", exc_info=error)

    def _tell_late(self) -> None:
        late, self._late = self._late, deque(maxlen=MAX_LATE)
        for until, call, rest in late:
            if until > self.clock.monotonic():
                self.tell(call, rest, until)

    def _back(self) -> None:
        self._renewed = float("-inf")
        self._rejoining = asyncio.create_task(self._rejoin())

    async def _rejoin(self) -> None:
        """Leases first; then what was used apart counts for all (P-07)."""
        await self.keep()
        apart, self.apart = self.apart, {}
        for limiter, taken in apart.items():
            limiter.tell_taken_apart(taken)
        self._tell_late()


class TakenApart:
    """What one limiter allowed while its process counted apart: by second as long as windows have it, and by day."""

    def __init__(self) -> None:
        self._seconds: dict[int, Amounts] = {}
        self.days: dict[tuple[int, ...], Amounts] = {}

    def add(self, second: int, amounts: Amounts, day_starts: tuple[int, ...]) -> None:
        self._seconds[second] = _sum(self._seconds.get(second, NOTHING), amounts)
        if len(self._seconds) > RING:
            del self._seconds[min(self._seconds)]
        self.days[day_starts] = _sum(self.days.get(day_starts, NOTHING), amounts)

    def in_windows(self, second: int) -> Amounts:
        total = NOTHING
        for taken_at, amounts in self._seconds.items():
            if second - taken_at < RING:
                total = _sum(total, amounts)
        return total


class SharedLimiter(Limiter):
    """`Limiter` of limits that the processes share."""

    def __init__(self, store: SharedLimitStore, local: MemoryLimiter) -> None:
        self._store = store
        self._local = local
        windows = tuple(limit for _, limit, _ in local.windows)
        days = tuple(limit for _, limit, _ in local.days)
        self._slots = tuple(limit for _, limit in local.slots)
        self._limits = (*windows, *days, *self._slots)
        self._group = store.counters.group(windows, days, self._slots)

    @property
    @override
    def counts_tokens(self) -> bool:
        return self._local.counts_tokens

    @override
    async def take(self, demand: Demand) -> Take:
        """One who is cancelled meanwhile has taken nothing, as soon as the store has answered."""
        store, amounts, day_starts = self._store, amounts_of(demand), self._local.day_starts()
        if store.counters.away:
            return self._take_apart(amounts, day_starts)
        lease_id = store.begin_lease(self._slots)
        answer = self._group.take(lease_id, amounts, day_starts)
        try:
            reply = await asyncio.shield(answer)
        except asyncio.CancelledError:
            store.end_lease(lease_id)
            answer.add_done_callback(partial(self._came_late, lease_id, amounts, day_starts))
            raise
        except StoreAway as error:
            store.end_lease(lease_id)
            if error.perhaps_done and self._slots:
                release = self._settling(lease_id, 0, NOTHING, NOTHING, day_starts)
                store.tell(release, release)
            return self._take_apart(amounts, day_starts)
        except BaseException:
            store.end_lease(lease_id)
            raise
        if not reply[0]:
            store.end_lease(lease_id)
            raise self._refusal(reply, amounts)
        return SharedTake(self, self._local.note(amounts), lease_id, reply, day_starts)

    def _take_apart(self, amounts: Amounts, day_starts: tuple[int, ...]) -> Take:
        store = self._store
        taken = self._local.take_share(amounts, store.share)
        lease_id = store.begin_lease(self._slots)
        store.apart.setdefault(self, TakenApart()).add(int(store.clock.monotonic()), amounts, day_starts)
        return SharedTake(self, taken, lease_id, (), day_starts)

    def _refusal(self, reply: Sequence[int], amounts: Amounts) -> LimitExceeded:
        _, which, used, wait = reply
        limit = self._limits[which]
        if limit.dimension == "parallel":
            return limit.refusal(used, 1, 1.0)
        wanted = amounts[AMOUNT[limit.dimension]]
        if limit.dimension in DAYS:
            return limit.refusal(used, wanted, self._local.seconds_left(which - len(self._local.windows)))
        return limit.refusal(used, wanted, wait)

    def _came_late(self, lease_id: str, amounts: Amounts, day_starts: tuple[int, ...], answer: Answer) -> None:
        if answer.cancelled():
            return
        error = answer.exception()
        if error is None and answer.result()[0]:
            self.end(lease_id, answer.result()[1], _negative(amounts), day_starts)
        elif isinstance(error, StoreAway) and error.perhaps_done and self._slots:
            self.end(lease_id, 0, NOTHING, day_starts)

    def end(self, lease_id: str, second: int, differences: Amounts, day_starts: tuple[int, ...]) -> None:
        """A take is over: so much more, or less, was used."""
        self._store.end_lease(lease_id)
        if self._slots or any(differences):
            self._store.tell(
                self._settling(lease_id, second, differences, differences, day_starts),
                self._settling(lease_id, second, NOTHING, NOTHING, day_starts),
            )

    def tell_taken_apart(self, taken: TakenApart) -> None:
        """It counts for all from now on."""
        windows = taken.in_windows(int(self._store.clock.monotonic()))
        for day_starts, amounts in taken.days.items():
            nothing = self._settling("", 0, NOTHING, NOTHING, day_starts)
            self._store.tell(self._settling("", 0, windows, amounts, day_starts), nothing)
            windows = NOTHING

    def allowances(self, left: Sequence[int]) -> list[Allowance]:
        """What the store says is left of each."""
        windows = len(self._local.windows)
        found: list[Allowance] = []
        for place, (limit, remaining) in enumerate(zip(self._limits, left, strict=True)):
            if limit.dimension in DAYS:
                found.append(Allowance(limit, remaining, self._local.seconds_left(place - windows)))
            elif limit.dimension != "parallel":
                found.append(Allowance(limit, remaining, RING if remaining < limit.amount else 0))
        return found

    def _settling(
        self, lease_id: str, second: int, windows: Amounts, days: Amounts, day_starts: tuple[int, ...]
    ) -> Call:
        return partial(self._group.settle, lease_id, second, windows, days, day_starts)


class SharedTake(Take):
    """What was taken of shared counters, and noted in this process's own."""

    __slots__ = ("_day_starts", "_lease_id", "_limiter", "_noted", "_second", "allowances_")

    def __init__(
        self,
        limiter: SharedLimiter,
        noted: MemoryTake,
        lease_id: str,
        reply: Sequence[int],
        day_starts: tuple[int, ...],
    ) -> None:
        self._limiter = limiter
        self._noted = noted
        self._lease_id = lease_id
        self._second = reply[1] if reply else 0
        self._day_starts = day_starts
        self.allowances_ = limiter.allowances(reply[2:]) if reply else noted.allowances

    @property
    @override
    def allowances(self) -> Sequence[Allowance]:
        return self.allowances_

    @override
    def settle(self, input_tokens: int, output_tokens: int) -> None:
        self._end((1, input_tokens + output_tokens, input_tokens, output_tokens))

    @override
    def release(self) -> None:
        self._end(NOTHING)

    def _end(self, real: Amounts) -> None:
        if self._noted.end(real):
            differences = _sum(real, _negative(self._noted.amounts))
            self._limiter.end(self._lease_id, self._second, differences, self._day_starts)


def _sum(one: Amounts, other: Amounts) -> Amounts:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


def _negative(amounts: Amounts) -> Amounts:
    return -amounts[0], -amounts[1], -amounts[2], -amounts[3]
