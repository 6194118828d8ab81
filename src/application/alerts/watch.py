"""Looks at how things stand and tells what has reached a threshold: once in a period, by one process of several.

It runs beside the requests. What a rule told is a row of its own, so that of several processes one tells it.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from application.alerts.book import AlertBook
from application.alerts.digest import send_or_hold
from domain.alerts import THRESHOLDS, Alert, AlertEvent, AlertMark, AlertRule, Reading
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock, IdFactory

log = logging.getLogger(__name__)

KEEP_DAYS: Final = 30
"""How long deliveries are kept."""

MAX_REMEMBERED: Final = 50_000

Key = tuple[str, str, float]
"""Of a mark without its period: rule, about, threshold."""

Read = Callable[[UnitOfWork], Awaitable[Sequence[Reading]]]


class Source:
    """How something stands that rules of one or more events look at, read anew after so many seconds.

    `events` are those whose rules need it: without one it is not read.
    """

    def __init__(self, events: Sequence[AlertEvent], seconds: float, read: Read) -> None:
        self.events = frozenset(events)
        self.seconds = seconds
        self.read = read
        self.due_at = 0.0


class AlertWatch:
    """`turn` is called every second or so. `on_told` is called when something is on its way."""

    def __init__(self, store: Store, book: AlertBook, sources: Sequence[Source], clock: Clock, ids: IdFactory) -> None:
        self._store = store
        self._book = book
        self._sources = sources
        self._clock = clock
        self._ids = ids
        self._told: dict[Key, str] = {}  # the period it was told in
        self._armed: set[Key] = set()
        self._waits: dict[Key, float] = {}  # until when a cooldown lasts
        self._generation = 0
        self._forgets_at = 0.0
        self.on_told: Callable[[], None] | None = None

    async def turn(self) -> None:
        """Raises `StoreUnavailable`: what was not told yet is told by a later turn."""
        await self._forget_old()
        if not self._book.rules:
            return
        now = self._clock.monotonic()
        if self._generation != self._book.generation:  # a new rule looks at everything at once
            self._generation = self._book.generation
            self._told, self._armed, self._waits = {}, set(), {}
            for source in self._sources:
                source.due_at = now
        events = {rule.event for rule in self._book.rules}
        due = [source for source in self._sources if source.due_at <= now and source.events & events]
        if not due:
            return
        readings: list[Reading] = []
        read_at = self._clock.now()  # what others tell from here on is newer than what is read
        async with self._store.read() as unit:
            for source in due:
                readings += await source.read(unit)
        for reading in readings:
            for rule in self._book.of(reading.event):
                for threshold in thresholds_of(rule, reading):
                    await self._look(rule, reading, threshold, read_at)
        for source in due:
            source.due_at = now + source.seconds

    async def _look(self, rule: AlertRule, reading: Reading, threshold: float, read_at: datetime) -> None:
        key = (rule.id, reading.about, threshold)
        if len(self._told) + len(self._armed) + len(self._waits) > MAX_REMEMBERED:
            self._told, self._armed, self._waits = {}, set(), {}
        if reading.reached(threshold):
            self._armed.discard(key)
            waits = self._waits.get(key, 0.0) > self._clock.monotonic()
            if not waits and self._told.get(key) != reading.period:
                await self._tell(key, rule, reading, threshold, read_at)
        elif reading.rearmed(threshold) and key not in self._armed:
            async with self._store.write() as unit:
                await unit.alert_log.rearm(AlertMark(*key, reading.period), read_at)
            self._told.pop(key, None)
            self._armed.add(key)

    async def _tell(self, key: Key, rule: AlertRule, reading: Reading, threshold: float, read_at: datetime) -> None:
        async with self._store.write() as unit:
            wait = await unit.alert_log.take(AlertMark(*key, reading.period), read_at, rule.cooldown_seconds)
            if wait == 0:
                now = self._clock.now()
                alert = Alert(
                    id=self._ids.new("alt"),
                    event=reading.event,
                    fired_at=now,
                    subject=reading.subject,
                    threshold=None if rule.event == "provider_down" else threshold,
                    value=reading.level if reading.value is None else reading.value,
                    limit=reading.limit,
                    period_end=reading.period_end,
                    text=reading.text,
                )
                channels = [channel for channel in rule.channels if channel in self._book.channels]
                await send_or_hold(unit.alert_log, self._ids, alert, rule.id, channels, now)
        if wait:
            self._waits[key] = self._clock.monotonic() + wait
            return
        self._told[key] = reading.period
        if wait == 0:
            log.info("alert", extra={"event": reading.event, "subject": reading.about, "threshold": threshold})
            if self.on_told is not None:
                self.on_told()

    async def _forget_old(self) -> None:
        now = self._clock.monotonic()
        if now < self._forgets_at:
            return
        self._forgets_at = now + 3600
        if self._book.channels:
            async with self._store.write() as unit:
                await unit.alert_log.forget_before(self._clock.now() - timedelta(days=KEEP_DAYS))


def thresholds_of(rule: AlertRule, reading: Reading) -> tuple[float, ...]:
    """Those of the reading, where it has its own, at or above the rule's; else the rule's, or the event's."""
    if reading.thresholds:
        return tuple(each for each in reading.thresholds if rule.threshold is None or each >= rule.threshold)
    usual = THRESHOLDS[reading.event]
    if rule.event == "provider_down" or (rule.threshold is None and usual is None):
        return (1.0,)
    return (rule.threshold if rule.threshold is not None else usual or 1.0,)
