"""What counts in the memory of one process: windows of a minute, days, slots; each found by what it counts."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from domain.budget_periods import bucket_at
from domain.subject_limits import Limit, LimitDimension

SPAN_SECONDS: Final = 60
RING: Final = SPAN_SECONDS + 1
MAX_NAME: Final = 120

AMOUNT: Final[dict[LimitDimension, int]] = {"rpm": 0, "rpd": 0, "tpm": 1, "tpd": 1, "itpm": 2, "otpm": 3}
"""Where a dimension's amount stands in `(requests, tokens, input, output)`."""

DAYS: Final = frozenset({"rpd", "tpd"})


class Window:
    """What was taken in each of the last 61 whole seconds: an entry counts for 60 to 61 of them, and never for less.

    So any 60 seconds hold at most what is allowed (P-07), and it takes 61 numbers, whatever the limit.
    """

    __slots__ = ("__weakref__", "_newest", "_ring", "_second", "total")

    def __init__(self) -> None:
        self._ring = [0] * RING
        self._second = 0
        self._newest = 0
        self.total = 0

    def turn(self, second: int) -> None:
        """Forget what is no longer within the span. Time that went back stands still."""
        gone = second - self._second
        if gone <= 0:
            return
        if gone > SPAN_SECONDS:
            self._ring = [0] * RING
            self.total = 0
        else:
            ring = self._ring
            for passed in range(self._second + 1, second + 1):
                place = passed % RING
                if ring[place]:
                    self.total -= ring[place]
                    ring[place] = 0
        self._second = second

    def add(self, amount: int) -> None:
        self._ring[self._second % RING] += amount
        self.total += amount
        self._newest = self._second

    def correct(self, taken_at: int, difference: int) -> None:
        """What was taken at a second is less by so much, if it is remembered."""
        if self._second - taken_at <= SPAN_SECONDS:
            self._ring[taken_at % RING] += difference
            self.total += difference

    def wait(self, over: int) -> int:
        """Seconds until `over` less is in it."""
        for second in range(self._second - SPAN_SECONDS, self._second + 1):
            over -= self._ring[second % RING]
            if over <= 0:
                return second + RING - self._second
        return RING

    @property
    def reset_seconds(self) -> int:
        """Until nothing is in it, if nothing more comes."""
        return self._newest + RING - self._second if self.total else 0

    def idle(self, second: int) -> bool:
        return second - self._newest > SPAN_SECONDS


class Day:
    """What was taken in one day, which began at `starts_at`, in seconds since 1970."""

    __slots__ = ("starts_at", "used")

    def __init__(self, starts_at: int = 0, used: int = 0) -> None:
        self.starts_at = starts_at
        self.used = used


class Days:
    """The present day, and a new one for each: what was taken yesterday is set right in yesterday.

    `before` is a day that was begun before a restart, `name` what it is kept by.
    """

    __slots__ = ("__weakref__", "_before", "_ends", "_zone", "name", "today")

    def __init__(self, name: str, zone: tzinfo = UTC, before: Day | None = None) -> None:
        self.name = name
        self._zone = zone
        self._before = before
        self.today = Day()
        self._ends = datetime.min.replace(tzinfo=UTC)

    def turn(self, now: datetime) -> None:
        if now >= self._ends:
            bucket = bucket_at("day", self._zone, now)
            before, self._before = self._before, None
            begun = before is not None and before.starts_at == bucket.starts_at
            self.today = before if begun and before is not None else Day(bucket.starts_at)
            self._ends = datetime.fromtimestamp(bucket.ends_at, UTC)

    def seconds_left(self, now: datetime) -> float:
        return (self._ends - now).total_seconds()

    def idle(self, now: datetime) -> bool:
        return now >= self._ends


class Slots:
    """Requests under way. The process that counts them is the one that serves them: no lease can outlive it."""

    __slots__ = ("__weakref__", "used")

    def __init__(self) -> None:
        self.used = 0


Counter = TypeVar("Counter", Window, Days, Slots)
_Key = tuple[str, str, LimitDimension]


class Counters(dict[_Key, Counter]):
    """Counters by what they count. One that is dropped here is found again as long as a limiter has it."""

    def __init__(self, make: Callable[[Limit], Counter]) -> None:
        super().__init__()
        self._make: Callable[[Limit], Counter] = make
        self._used: WeakValueDictionary[_Key, Counter] = WeakValueDictionary()

    def of(self, limit: Limit) -> Counter:
        key = (limit.subject.kind, limit.subject.id, limit.dimension)
        counter = self.get(key) or self._used.get(key)
        if counter is None:
            counter = self._used[key] = self._make(limit)
        self[key] = counter
        return counter

    def alive(self) -> list[Counter]:
        """All that anybody has, also those that were dropped."""
        return list(self._used.values())

    def drop(self, unused: Callable[[Counter], bool]) -> None:
        for key in [key for key, counter in self.items() if unused(counter)]:
            del self[key]


def counter_name(limit: Limit) -> str:
    """What a limit counts by outside this process: whose it is, and of what."""
    name = f"{limit.subject.kind}:{limit.subject.id}:{limit.dimension}"
    if len(name) > MAX_NAME or not name.isprintable():  # no database takes a NUL
        digest = hashlib.sha256(limit.subject.id.encode("utf-8", "surrogatepass")).hexdigest()
        name = f"{limit.subject.kind}:{digest}:{limit.dimension}"
    return name
