"""Counts what was used of one quota, in the window its provider counts by: rolling, by the calendar, or from first use.

A rolling window is sixty buckets and one more: what was used counts for the whole window and up to a sixtieth longer,
never shorter. Times are seconds since 1970, of a clock that does not jump.
"""

from collections import deque
from datetime import UTC, date, datetime
from typing import Final

from domain.quotas import SECONDS, UNITS, QuotaRule, QuotaStanding, Source, calendar_window

NEVER: Final = 253_402_300_799
"""The last second of the year 9999: the end of what is given once."""

TRIAL_SECONDS: Final = 60.0
"""How long the one call may take that finds out whether a quota holds."""

_RECENT_SECONDS: Final = 3600
_RECENT_WIDTH: Final = 60


class QuotaCounter:
    """What `owner_id` used of one rule, for all its models or for one.

    `amount` of None: the quota is known not to hold. `open` are calls under way, `held` what was counted for them.
    """

    __slots__ = (
        "_ends", "_next_death", "_pending", "_recent", "_started", "_starts", "amount", "as_of", "buckets",
        "full_until", "held", "model", "name", "open", "owner_id", "rule", "source", "total", "trial_until",
    )  # fmt: skip

    def __init__(self, owner_id: str, rule: QuotaRule, model: str, started: float) -> None:
        self.owner_id = owner_id
        self.rule = rule
        self.model = "" if rule.shared else model
        self.name = rule.counted_as(model)
        self.amount: int | None = rule.amount
        self.source: Source = rule.source
        self.as_of: date | None = rule.as_of
        self.buckets: dict[int, int] = {}
        self.total = 0
        self.open = 0
        self.held = 0
        self.full_until = 0.0
        self.trial_until = 0.0
        self._pending: dict[int, int] = {}
        self._recent: deque[tuple[int, int]] = deque()
        self._started = started
        self._starts = 0.0
        self._ends = 0.0
        self._next_death = float(NEVER)

    def change(self, rule: QuotaRule) -> None:
        """The quota is another one now; what was used stays used."""
        self.rule, self.amount, self.source, self.as_of = rule, rule.amount, rule.source, rule.as_of
        self._starts = self._ends = self._next_death = 0.0

    @property
    def holds(self) -> bool:
        """Whether no call is made that it forbids."""
        return self.amount is not None and (self.rule.firm or self.source == "observed")

    def allows(self, now: float, amount: int) -> bool:
        """Whether so much more fits. What may not hold allows one call at a time beyond it, to find out."""
        if self.full_until > now:
            return False
        if self.amount is None or self.used(now) + amount <= self.amount:
            return True
        return not self.holds and self.trial_until <= now

    def beyond(self, now: float, amount: int) -> bool:
        """Whether a call that uses so much is one to find out by."""
        return self.amount is not None and self.used(now) + amount > self.amount

    def used(self, now: float) -> int:
        self._turn(now)
        return self.total

    def left(self, now: float) -> int | None:
        if self.amount is None:
            return None
        return 0 if self.full_until > now else max(self.amount - self.used(now), 0)

    def add(self, now: float, amount: int) -> int:
        """Returns the bucket it went to."""
        self._turn(now)
        bucket = self._bucket(now)
        self._put(bucket, amount)
        minute = int(now) // _RECENT_WIDTH
        if self._recent and self._recent[-1][0] == minute:
            self._recent[-1] = (minute, self._recent[-1][1] + amount)
        else:
            self._recent.append((minute, amount))
            while self._recent[0][0] < minute - _RECENT_SECONDS // _RECENT_WIDTH:
                self._recent.popleft()
        return bucket

    def correct(self, now: float, bucket: int, difference: int) -> None:
        """What was added to a bucket was more or less by so much."""
        self._turn(now)
        if difference > 0 or bucket in self.buckets:
            self._put(self._bucket(now) if difference > 0 else bucket, difference)

    def sync(self, now: float, used: int) -> None:
        """The provider has counted so much, with the call that was just answered. Less than was counted here is only
        believed while no other is under way. What calls under way hold beyond their request is given back when they
        end, so it stands beside the provider's figure until then.
        """
        others = max(self.open - 1, 0)
        difference = used + (others if self.rule.dimension == "requests" else self.held) - self.used(now)
        if difference > 0:
            self._put(self._bucket(now), difference)
        elif difference < 0 and not others:
            for bucket in sorted(self.buckets):
                taken = min(self.buckets[bucket], -difference)
                self._put(bucket, -taken)
                difference += taken

    def clear(self) -> None:
        """Nothing of it is used, as somebody says."""
        self.full_until = self.trial_until = 0.0
        for bucket, amount in list(self.buckets.items()):
            self._put(bucket, -amount)

    def resets_at(self, now: float, wanted: int = 1) -> float | None:
        """When so much fits again; where it fits now, when all is there again. None: never, or nothing is used."""
        self._turn(now)
        if self.full_until > now:
            return self.full_until
        if self.rule.window == "once" or (not self.buckets and (self.rule.rolls or self.rule.from_first_use)):
            return None
        if self.rule.rolls:
            over = self.total if self.amount is None else self.total + wanted - self.amount
            over = over if over > 0 else self.total
            for bucket in sorted(self.buckets):
                over -= self.buckets[bucket]
                if over <= 0:
                    return float(self._dies_at(bucket))
        return float(self._dies_at(self._bucket(now)))

    def forecast(self, now: float) -> float | None:
        """When nothing will be left at the last hour's rate; None where it resets before that."""
        left = self.left(now)
        if left is None:
            return None
        if left == 0:
            return now
        since = int(now) // _RECENT_WIDTH - _RECENT_SECONDS // _RECENT_WIDTH
        recent = sum(amount for minute, amount in self._recent if minute > since)
        watched = min(now - self._started, float(_RECENT_SECONDS))
        if recent <= 0 or watched < _RECENT_WIDTH:
            return None
        gone_at = now + left * watched / recent
        if self.rule.rolls and recent / watched * SECONDS[self.rule.window] <= (self.amount or 0):
            return None
        resets_at = None if self.rule.rolls else self.resets_at(now)
        return gone_at if resets_at is None or gone_at < resets_at else None

    def standing(self, now: float) -> QuotaStanding:
        left = self.left(now)
        resets_at, gone_at = self.resets_at(now), self.forecast(now)
        return QuotaStanding(
            pool=self.rule.pool,
            models=(self.model,) if self.model else self.rule.models,
            dimension=self.rule.dimension,
            window=self.rule.window,
            limit=self._shown(self.amount),
            used=self._shown(self.used(now)),
            remaining=self._shown(left),
            resets_at=None if resets_at is None else datetime.fromtimestamp(resets_at, UTC),
            forecast_exhausted_at=None if gone_at is None else datetime.fromtimestamp(gone_at, UTC),
            source=self.source,
            as_of=self.as_of,
            enforced=self.holds,
        )

    def drain(self) -> list[tuple[int, int, int]]:
        """What was added since the last call: (bucket, when it counts no more, how much)."""
        drained = [(bucket, self._dies_at(bucket), amount) for bucket, amount in self._pending.items() if amount]
        self._pending.clear()
        return drained

    def take_up(self, bucket: int, used: int) -> None:
        """What all processes together have stored of a bucket."""
        used = max(used + self._pending.get(bucket, 0), 0)
        self.total += used - self.buckets.get(bucket, 0)
        self.buckets[bucket] = used
        self._next_death = min(self._next_death, self._dies_at(bucket))

    def _put(self, bucket: int, amount: int) -> None:
        self.buckets[bucket] = self.buckets.get(bucket, 0) + amount
        self._pending[bucket] = self._pending.get(bucket, 0) + amount
        self.total += amount
        self._next_death = min(self._next_death, self._dies_at(bucket))

    def _shown(self, amount: int | None) -> int | float | None:
        unit = UNITS.get(self.rule.dimension, 1)
        return amount if amount is None or unit == 1 else amount / unit

    @property
    def _width(self) -> int:
        return max(SECONDS[self.rule.window] // 60, 1)

    def _bucket(self, now: float) -> int:
        if self.rule.window == "once":
            return 0
        if self.rule.rolls:
            return int(now) // self._width * self._width
        if self.rule.from_first_use:
            return max(self.buckets, default=int(now))
        return int(self._calendar(now)[0])

    def _dies_at(self, bucket: int) -> int:
        if self.rule.window == "once":
            return NEVER
        if self.rule.rolls:
            return bucket + self._width + SECONDS[self.rule.window]
        if self.rule.from_first_use:
            return bucket + SECONDS[self.rule.window]
        return int(self._calendar(bucket)[1])

    def _turn(self, now: float) -> None:
        """Forget what counts no more."""
        if now < self._next_death:
            return
        dead = [bucket for bucket in self.buckets if self._dies_at(bucket) <= now]
        for bucket in dead:
            self.total -= self.buckets.pop(bucket)
        self._next_death = min(map(self._dies_at, self.buckets), default=NEVER)

    def _calendar(self, at: float) -> tuple[float, float]:
        if not self._starts <= at < self._ends:
            begins, ends = calendar_window(self.rule, datetime.fromtimestamp(at, UTC))
            self._starts, self._ends = begins.timestamp(), ends.timestamp()
        return self._starts, self._ends
