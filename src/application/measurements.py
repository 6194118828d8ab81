"""What is measured of deployments, from the records that the ledger carries over: nothing of it is on the hot path.

Of each hour of the last 24 a deployment has a histogram with steps of 7 %, which is what percentiles are taken of, and
beside it averages that forget, for those who choose. Everything is of this process: one that starts reads the newest
requests of all of them from the books first, and then sees its own.
"""

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from math import floor, log
from typing import Final

from typing_extensions import override

from domain.errors import StoreUnavailable
from domain.failover import FailureKind
from domain.measurements import NEVER_MEASURED, Measured, RecentSpeed, Spread
from domain.ports.models import Measurements
from domain.ports.runtime import Clock
from domain.ports.usage import RequestLog
from domain.records import AttemptRecord, RequestRecord
from domain.usage_queries import LogCursor, RequestFilter

HOURS: Final = 24
HALF_LIFE_SECONDS: Final = 300.0
MAX_DEPLOYMENTS: Final = 4_096
"""Clients name models: there must be an end to them. Past it the one that was measured longest ago goes."""

READ_AT_START: Final = 1_000
_PAGE: Final = 250
_OF_THE_REQUEST: Final = (
    FailureKind.CONTEXT_LENGTH,
    FailureKind.CLIENT_FAULT,
    FailureKind.CONTENT_POLICY,
    FailureKind.FEATURE_REFUSED,
    FailureKind.ADDED_FIELD_REFUSED,
    FailureKind.UNSUPPORTED,
)
_STEP: Final = math.log(1.07)
_FEWEST_TOKENS: Final = 8
"""Of fewer tokens nobody knows how quickly they came."""

_NO_FAILURE: Final = frozenset(
    {"ok", "cancelled", "interrupted", "error", "refusal"}
    | {kind.value for kind in FailureKind if kind in _OF_THE_REQUEST or kind is FailureKind.LOCAL_SHORTAGE}
)
"""Ends of a call that say nothing about the deployment: the client left, or its request was at fault, or we were."""


class _Histogram:
    """Milliseconds in steps, by the hour since 1970."""

    __slots__ = ("_hours",)

    def __init__(self) -> None:
        self._hours: dict[int, dict[int, int]] = {}

    def add(self, hour: int, value_ms: float) -> None:
        step = floor(log(max(0.001, value_ms)) / _STEP)
        steps = self._hours.get(hour)
        if steps is None:
            steps = self._hours[hour] = {}
        steps[step] = steps.get(step, 0) + 1

    def spread(self, since: int) -> Spread | None:
        together: dict[int, int] = {}
        for hour in [hour for hour in self._hours if hour <= since]:
            del self._hours[hour]
        for steps in self._hours.values():
            for step, count in steps.items():
                together[step] = together.get(step, 0) + count
        total = sum(together.values())
        if not total:
            return None
        return Spread(_quantile(together, total, 0.5), _quantile(together, total, 0.95))


class _Average:
    """An average in which what is older counts less."""

    __slots__ = ("_at", "_sum", "_weight")

    def __init__(self) -> None:
        self._at = 0.0
        self._sum = self._weight = 0.0

    def add(self, now: float, value: float, weight: float = 1.0) -> None:
        passed = now - self._at
        if passed > 0:
            left = 0.5 ** (passed / HALF_LIFE_SECONDS) if self._weight else 0.0
            self._at = now
            self._sum *= left
            self._weight *= left
        self._sum += value
        self._weight += weight

    @property
    def value(self) -> float | None:
        return self._sum / self._weight if self._weight else None


class _Deployment:
    """All that is kept of one."""

    __slots__ = ("counts", "latency", "latency_now", "recent", "shown", "speed", "speed_now", "ttft", "ttft_now")

    def __init__(self) -> None:
        self.counts: dict[int, list[int]] = {}  # by hour: calls, failures
        self.speed: dict[int, list[float]] = {}  # by hour: tokens, seconds
        self.latency, self.ttft = _Histogram(), _Histogram()
        self.latency_now, self.ttft_now, self.speed_now = _Average(), _Average(), _Average()
        self.recent: RecentSpeed | None = NEVER_MEASURED  # None: to be said anew
        self.shown: tuple[int, Measured | None] | None = None  # what was told in this hour, until the next call

    def answered(self, hour: int, now: float, took_ms: float, ttft_ms: float | None, tokens: int) -> None:
        """A call that was answered whole. `now` is seconds since 1970."""
        self.latency.add(hour, took_ms)
        self.latency_now.add(now, took_ms)
        seconds = took_ms / 1000
        if ttft_ms is not None:
            self.ttft.add(hour, ttft_ms)
            self.ttft_now.add(now, ttft_ms)
            seconds -= ttft_ms / 1000
        if tokens >= _FEWEST_TOKENS and seconds > 0:
            speed = self.speed.setdefault(hour, [0.0, 0.0])
            speed[0] += tokens
            speed[1] += seconds
            self.speed_now.add(now, tokens, seconds)
        self.recent = None


class LiveMeasurements(Measurements):
    """Fed with what the ledger carries over (`observe`); `read_books` once, at the start."""

    def __init__(self, log: RequestLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._began = clock.now()
        self._has_read = False
        self._deployments: dict[tuple[str, str], _Deployment] = {}

    @override
    def measured(self, provider_id: str, model: str) -> Measured | None:
        found = self._deployments.get((provider_id, model))
        if found is None:
            return None
        hour = _hour_of(self._clock.now())
        if found.shown is None or found.shown[0] != hour:
            found.shown = (hour, _summed(found, hour - HOURS))
        return found.shown[1]

    @override
    def recent(self, provider_id: str, model: str) -> RecentSpeed:
        found = self._deployments.get((provider_id, model))
        if found is None:
            return NEVER_MEASURED
        if found.recent is None:
            found.recent = RecentSpeed(found.latency_now.value, found.ttft_now.value, found.speed_now.value)
        return found.recent

    async def read_books(self) -> None:
        """Once: take up the newest requests of the 24 hours before the start. While the store is away, nothing."""
        if self._has_read:
            return
        records: list[RequestRecord] = []
        filter_, at = RequestFilter(start=self._began - timedelta(hours=HOURS), end=self._began), None
        try:
            while len(records) < READ_AT_START:
                page = await self._log.page(filter_, _PAGE, at)
                records += page
                if len(page) < _PAGE:
                    break
                at = LogCursor(page[-1].created_at, page[-1].request_id)
        except StoreUnavailable:
            return
        self._has_read = True
        self.observe(reversed(records))

    def observe(self, records: Iterable[RequestRecord]) -> None:
        """Requests that have ended, in about their order."""
        newest, found = ("", ""), None
        for record in records:
            attempts = record.attempts
            now = record.created_at.timestamp()
            hour = int(now) // 3600
            for attempt in attempts:
                key = (attempt.provider_id, attempt.model)
                if found is None or key != newest:  # a batch goes to few
                    newest, found = key, self._of(key)
                found.shown = None
                counts = found.counts.get(hour)
                if counts is None:
                    counts = self._began_hour(found, hour)
                counts[0] += 1
                if attempt.outcome == "ok":
                    if attempt.duration_ms > 0:
                        tokens = attempt.usage.output_tokens if attempt.usage is not None else 0
                        ttft_ms = _first_after(record, attempt) if attempt is attempts[-1] else None
                        found.answered(hour, now, attempt.duration_ms, ttft_ms, tokens)
                elif attempt.outcome not in _NO_FAILURE:
                    counts[1] += 1

    def _began_hour(self, found: _Deployment, hour: int) -> list[int]:
        counts = found.counts[hour] = [0, 0]
        if len(found.counts) > HOURS + 1:
            _forget(found, hour - HOURS)
        return counts

    def _of(self, key: tuple[str, str]) -> _Deployment:
        """The one that was measured last stands last."""
        found = self._deployments.pop(key, None) or _Deployment()
        self._deployments[key] = found
        if len(self._deployments) > MAX_DEPLOYMENTS:
            del self._deployments[next(iter(self._deployments))]
        return found


def _first_after(record: RequestRecord, attempt: AttemptRecord) -> float | None:
    """Milliseconds from the beginning of a request's last call to its first content; None where it is no stream."""
    if record.ttft_ms is None:
        return None
    before_ms = max(0.0, record.latency_ms - attempt.duration_ms)  # what the gateway and the calls before it took
    return min(attempt.duration_ms, max(0.0, record.ttft_ms - before_ms))


def _summed(found: _Deployment, since: int) -> Measured | None:
    """Of the hours after this one."""
    calls, failures = (sum(count[place] for hour, count in found.counts.items() if hour > since) for place in (0, 1))
    if not calls:
        return None
    tokens, seconds = (sum(speed[place] for hour, speed in found.speed.items() if hour > since) for place in (0, 1))
    speed = round(tokens / seconds, 1) if seconds > 0 else None
    return Measured(calls, failures, found.latency.spread(since), found.ttft.spread(since), speed)


def _forget(found: _Deployment, until: int) -> None:
    for by_hour in (found.counts, found.speed):
        for hour in [hour for hour in by_hour if hour <= until]:
            del by_hour[hour]


def _hour_of(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp()) // 3600


def _quantile(steps: dict[int, int], total: int, share: float) -> float:
    """The middle of the step in which it lies."""
    wanted, seen = math.ceil(total * share), 0
    for step in sorted(steps):
        seen += steps[step]
        if seen >= wanted:
            return round(math.exp((step + 0.5) * _STEP), 2)
    raise AssertionError("the steps have fewer than all of them")
