"""Counts in the memory of one process: nothing awaits, so nothing comes between a check and what it allowed."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from typing_extensions import override

from adapters.limits.counters import AMOUNT, DAYS, Counters, Day, Days, Slots, Window, counter_name
from domain.errors import StoreUnavailable
from domain.ports.limits import Allowance, CountersPlace, DayCounts, Demand, Limiter, LimitStore, Take, UsedToday
from domain.ports.runtime import Clock
from domain.subject_limits import Limit

log = logging.getLogger(__name__)

KEPT_COUNTERS: Final = 20_000
"""More than this are looked through for those that are used no more."""

LONGEST_DAY: Final = timedelta(hours=26)

Amounts = tuple[int, int, int, int]
"""Requests, tokens, tokens in, tokens out."""

NOTHING: Final[Amounts] = (0, 0, 0, 0)


class MemoryLimitStore(LimitStore):
    """`LimitStore` of a process that serves alone. `zone` says when days begin, `kept` outlives a restart."""

    def __init__(self, clock: Clock, zone: tzinfo = UTC, kept: DayCounts | None = None) -> None:
        self._clock = clock
        self._zone = zone
        self._kept = kept
        self._before: dict[str, Day] = {}
        self._written: dict[str, tuple[int, int]] = {}
        self._cannot_write = False
        self._windows: Counters[Window] = Counters(lambda _: Window())
        self._days: Counters[Days] = Counters(self._begin_days)
        self._slots: Counters[Slots] = Counters(lambda _: Slots())

    @property
    @override
    def place(self) -> CountersPlace:
        return "memory"

    @override
    async def answers(self) -> bool:
        return True

    @override
    def limiter(self, limits: Sequence[Limit]) -> "MemoryLimiter":
        self._sweep()
        windows, days, slots = [], [], []
        for limit in limits:
            if limit.dimension == "parallel":
                slots.append((self._slots.of(limit), limit))
            elif limit.dimension in DAYS:
                days.append((self._days.of(limit), limit, AMOUNT[limit.dimension]))
            else:
                windows.append((self._windows.of(limit), limit, AMOUNT[limit.dimension]))
        return MemoryLimiter(self._clock, tuple(windows), tuple(days), tuple(slots))

    @override
    async def restore(self) -> None:
        """Raises `StoreUnavailable`."""
        if self._kept is not None:
            since = int((self._clock.now() - LONGEST_DAY).timestamp())
            for row in await self._kept.read(since):
                self._before[row.counter] = Day(row.starts_at, row.used)

    @override
    async def keep(self) -> None:
        if self._kept is None:
            return
        changed: list[UsedToday] = []
        for days in self._days.alive():
            today = days.today
            if today.starts_at and self._written.get(days.name) != (today.starts_at, today.used):
                changed.append(UsedToday(days.name, today.starts_at, today.used))
        if not changed:
            return
        try:
            await self._kept.write(changed, int((self._clock.now() - LONGEST_DAY).timestamp()))
        except StoreUnavailable:
            if not self._cannot_write:
                log.warning("what was used of daily limits cannot be written down now; a restart would forget it")
            self._cannot_write = True
            return
        self._cannot_write = False
        self._written.update((row.counter, (row.starts_at, row.used)) for row in changed)

    @override
    async def aclose(self) -> None:
        await self.keep()

    def _begin_days(self, limit: Limit) -> Days:
        name = counter_name(limit)
        return Days(name, self._zone, self._before.pop(name, None))

    def _sweep(self) -> None:
        if len(self._windows) + len(self._days) + len(self._slots) > KEPT_COUNTERS:
            second, now = int(self._clock.monotonic()), self._clock.now()
            self._windows.drop(lambda window: window.idle(second))
            self._days.drop(lambda days: days.idle(now))
            self._slots.drop(lambda slots: not slots.used)
            names = {days.name for days in self._days.alive()}
            self._written = {name: kept for name, kept in self._written.items() if name in names}


class MemoryLimiter(Limiter):
    """`Limiter` over counters of this process."""

    __slots__ = ("_clock", "counts_tokens_", "days", "slots", "windows")

    def __init__(
        self,
        clock: Clock,
        windows: tuple[tuple[Window, Limit, int], ...],
        days: tuple[tuple[Days, Limit, int], ...],
        slots: tuple[tuple[Slots, Limit], ...],
    ) -> None:
        self._clock = clock
        self.windows = windows
        self.days = days
        self.slots = slots
        self.counts_tokens_ = any(place for _, _, place in (*windows, *days))

    @property
    @override
    def counts_tokens(self) -> bool:
        return self.counts_tokens_

    @override
    async def take(self, demand: Demand) -> Take:
        amounts = amounts_of(demand)
        second = int(self._clock.monotonic())
        for window, limit, place in self.windows:
            window.turn(second)
            wanted, used = amounts[place], window.total
            if used + wanted > limit.amount:
                raise limit.refusal(used, wanted, window.wait(used + wanted - limit.amount))
        now = None
        if self.days:
            now = self._clock.now()
            for days, limit, place in self.days:
                days.turn(now)
                wanted, used = amounts[place], days.today.used
                if used + wanted > limit.amount:
                    raise limit.refusal(used, wanted, days.seconds_left(now))
        for slots, limit in self.slots:
            if slots.used >= limit.amount:
                raise limit.refusal(slots.used, 1, 1.0)
        return self._taken(amounts, second, now)

    def take_share(self, amounts: Amounts, share: Callable[[int], int]) -> "MemoryTake":
        """As `take`, where of each limit only a share is this process's. Raises `LimitExceeded`."""
        second, now = self._turned()
        for window, limit, place in self.windows:
            over = window.total + amounts[place] - share(limit.amount)
            if over > 0:
                raise limit.refusal(window.total, amounts[place], window.wait(over))
        for days, limit, place in self.days:
            if days.today.used + amounts[place] > share(limit.amount):
                raise limit.refusal(days.today.used, amounts[place], days.seconds_left(now))
        for slots, limit in self.slots:
            if slots.used >= share(limit.amount):
                raise limit.refusal(slots.used, 1, 1.0)
        return self._taken(amounts, second, now)

    def note(self, amounts: Amounts) -> "MemoryTake":
        """Take what was allowed elsewhere."""
        return self._taken(amounts, *self._turned())

    def day_starts(self) -> tuple[int, ...]:
        """When the day began that counts at present, of each limit by the day."""
        if not self.days:
            return ()
        now = self._clock.now()
        for days, _, _ in self.days:
            days.turn(now)
        return tuple(days.today.starts_at for days, _, _ in self.days)

    def seconds_left(self, which: int) -> float:
        """Of the day of one of the limits by the day."""
        return self.days[which][0].seconds_left(self._clock.now())

    def _turned(self) -> tuple[int, datetime]:
        second, now = int(self._clock.monotonic()), self._clock.now()
        for window, _, _ in self.windows:
            window.turn(second)
        for days, _, _ in self.days:
            days.turn(now)
        return second, now

    def _taken(self, amounts: Amounts, second: int, now: datetime | None) -> "MemoryTake":
        left: list[Allowance] = []
        for window, limit, place in self.windows:
            window.add(amounts[place])
            left.append(Allowance(limit, limit.amount - window.total, window.reset_seconds))
        taken_of: list[tuple[Day, int]] = []
        if now is not None:
            for days, limit, place in self.days:
                today = days.today
                today.used += amounts[place]
                left.append(Allowance(limit, limit.amount - today.used, days.seconds_left(now)))
                taken_of.append((today, place))
        for slots, _ in self.slots:
            slots.used += 1
        return MemoryTake(self._clock, self.windows, taken_of, self.slots, amounts, second, left)


class MemoryTake(Take):
    """What was taken of counters of this process."""

    __slots__ = ("_clock", "_days", "_open", "_second", "_slots", "_windows", "allowances_", "amounts")

    def __init__(
        self,
        clock: Clock,
        windows: tuple[tuple[Window, Limit, int], ...],
        days: Sequence[tuple[Day, int]],
        slots: tuple[tuple[Slots, Limit], ...],
        amounts: Amounts,
        second: int,
        allowances: Sequence[Allowance],
    ) -> None:
        self._clock = clock
        self._windows = windows
        self._days = days
        self._slots = slots
        self.amounts = amounts
        self._second = second
        self._open = True
        self.allowances_ = allowances

    @property
    @override
    def allowances(self) -> Sequence[Allowance]:
        return self.allowances_

    @override
    def settle(self, input_tokens: int, output_tokens: int) -> None:
        self.end((1, input_tokens + output_tokens, input_tokens, output_tokens))

    @override
    def release(self) -> None:
        self.end(NOTHING)

    def end(self, real: Amounts) -> bool:
        """This is what it really was. False where it had ended before."""
        if not self._open:
            return False
        self._open = False
        for slots, _ in self._slots:
            slots.used -= 1
        amounts = self.amounts
        second = int(self._clock.monotonic())
        for window, _, place in self._windows:
            difference = real[place] - amounts[place]
            if difference > 0:  # more than was thought: that is used now
                window.turn(second)
                window.add(difference)
            elif difference < 0:
                window.turn(second)
                window.correct(self._second, difference)
        for day, place in self._days:
            day.used += real[place] - amounts[place]
        return True


def amounts_of(demand: Demand) -> Amounts:
    """One request, and its tokens."""
    return 1, demand.input_tokens + demand.output_tokens, demand.input_tokens, demand.output_tokens
