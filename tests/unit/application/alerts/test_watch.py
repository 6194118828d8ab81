"""When something is told, and when again."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from application.alerts.book import AlertBook
from application.alerts.watch import AlertWatch, Source, thresholds_of
from domain.alerts import AlertChannel, AlertEvent, AlertRule, AlertSubject, Reading
from domain.ports.repositories import UnitOfWork
from tests.builders import NOW
from tests.fakes.clock import FakeClock
from tests.fakes.ids import CountingIds
from tests.fakes.store import MemoryStore

CHANNEL = AlertChannel("alc_1", "webhook", "", "https://hooks.example", (), None, True, NOW, NOW)
BUDGET = Reading(
    event="budget_threshold",
    subject=AlertSubject("key", "key_1", "one"),
    level=0.0,
    text="…",
    thresholds=(0.5, 0.8, 1.0),
    period="1",
)


def a_rule(event: AlertEvent = "budget_threshold", threshold: float | None = None, cooldown: int = 0) -> AlertRule:
    return AlertRule("alr_1", event, threshold, cooldown, ("alc_1",), True, NOW, NOW)


class Watched:
    """A watch over one reading, which a test moves."""

    def __init__(self, store: MemoryStore, clock: FakeClock, reading: Reading) -> None:
        self.store, self.clock, self.reading = store, clock, reading
        self.book = AlertBook()
        self.watch = AlertWatch(store, self.book, [Source([reading.event], 1.0, self.read)], clock, CountingIds())

    async def read(self, _: UnitOfWork) -> Sequence[Reading]:
        return [self.reading]

    async def moves(self, level: float, period: str | None = None) -> list[float | None]:
        """The thresholds that were told by this turn."""
        self.reading = msgspec.structs.replace(
            self.reading, level=level, period=self.reading.period if period is None else period
        )
        self.clock.advance(1.0)
        before = await self.told()
        await self.watch.turn()
        return (await self.told())[len(before) :]

    async def told(self) -> list[float | None]:
        async with self.store.read() as unit:
            page = await unit.alert_log.page(100, None, None)
        return [delivery.alert.threshold for delivery in sorted(page, key=lambda each: each.id)]


async def watched(rule: AlertRule, reading: Reading = BUDGET, store: MemoryStore | None = None) -> Watched:
    clock = FakeClock()
    made = Watched(store or MemoryStore(clock.now), clock, reading)
    async with made.store.write() as unit:
        await unit.alert_config.put_channel(CHANNEL)
        await unit.alert_config.put_rule(rule)
        await made.book.reload(unit)
    return made


async def test_each_threshold_is_told_once_in_a_period() -> None:
    budget = await watched(a_rule())

    assert await budget.moves(0.4) == []
    assert await budget.moves(0.5) == [0.5]
    assert await budget.moves(0.7) == []
    assert await budget.moves(1.2) == [0.8, 1.0]
    assert await budget.moves(1.5) == []


async def test_a_new_period_tells_anew() -> None:
    budget = await watched(a_rule(threshold=0.8))

    assert await budget.moves(0.9) == [0.8]
    assert await budget.moves(0.1, period="2") == []
    assert await budget.moves(0.9, period="2") == [0.8]


async def test_what_fell_a_tenth_below_its_threshold_is_told_again_in_the_same_period() -> None:
    budget = await watched(a_rule(threshold=0.8))

    assert await budget.moves(0.85) == [0.8]
    assert await budget.moves(0.75) == []
    assert await budget.moves(0.85) == []
    assert await budget.moves(0.72) == []
    assert await budget.moves(0.85) == [0.8]


async def test_a_rule_tells_only_the_thresholds_at_or_above_its_own() -> None:
    budget = await watched(a_rule(threshold=0.8))

    assert await budget.moves(1.0) == [0.8, 1.0]


async def test_nothing_is_told_within_the_cooldown_and_what_still_holds_after_it_is() -> None:
    budget = await watched(a_rule(threshold=1.0, cooldown=60))

    assert await budget.moves(1.0) == [1.0]
    assert await budget.moves(1.0, period="2") == []
    budget.clock.advance(57.0)
    assert await budget.moves(1.0) == []
    assert await budget.moves(1.0) == [1.0]


async def test_of_two_processes_one_tells() -> None:
    one = await watched(a_rule(threshold=0.8))
    other = await watched(a_rule(threshold=0.8), store=one.store)

    assert await one.moves(0.9) == [0.8]
    assert await other.moves(0.9) == []
    assert await other.moves(0.9) == []


async def test_days_that_are_left_count_down() -> None:
    key = Reading("key_expiring", AlertSubject("key", "key_1", "one"), 30.0, "…", falling=True)
    expiring = await watched(a_rule("key_expiring"), key)

    assert await expiring.moves(7.5) == []
    assert await expiring.moves(7.0) == [7.0]
    assert await expiring.moves(1.0) == []
    assert await expiring.moves(90.0) == []
    assert await expiring.moves(6.0) == [7.0]


async def test_what_is_down_is_told_without_a_threshold_and_again_after_it_was_up() -> None:
    provider = await watched(a_rule("provider_down", 0.3), Reading("provider_down", BUDGET.subject, 0.0, "…"))

    assert await provider.moves(1.0) == [None]
    assert await provider.moves(1.0) == []
    assert await provider.moves(0.0) == []
    assert await provider.moves(1.0) == [None]


async def test_without_a_rule_nothing_is_read() -> None:
    reading = await watched(msgspec.structs.replace(a_rule(), enabled=False))

    assert await reading.moves(1.0) == []
    assert reading.book.rules == ()


async def test_old_deliveries_are_forgotten() -> None:
    budget = await watched(a_rule(threshold=0.8))
    await budget.moves(0.9)
    async with budget.store.write() as unit:
        (delivery,) = await unit.alert_log.page(1, None, None)
        await unit.alert_log.put(msgspec.structs.replace(delivery, status="delivered"))
    budget.clock.advance(timedelta(days=31).total_seconds())

    await budget.watch.turn()

    assert await budget.told() == []


@pytest.mark.parametrize(
    ("event", "threshold", "expected"),
    [("quota_low", None, 0.9), ("quota_low", 0.5, 0.5), ("error_rate", None, 0.5), ("model_retiring", 14.0, 14.0)],
)
def test_a_rule_without_a_threshold_has_the_events_own(
    event: AlertEvent, threshold: float | None, expected: float
) -> None:
    assert thresholds_of(a_rule(event, threshold), Reading(event, BUDGET.subject, 0.0, "…")) == (expected,)
