"""What is used of limits by the day: in the gateway's zone, and kept where a process alone counts in memory."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from adapters.limits.memory import MemoryLimitStore
from adapters.persistence import schema
from adapters.persistence.day_counts import SqlAlchemyDayCounts
from adapters.persistence.store import SqlAlchemyStore
from adapters.security.secret_box import AesGcmSecretBox, KeyRing
from domain.ports.limits import Demand
from tests.apart import run_apart
from tests.contracts.limits.test_limit_stores import TEN_IN_TWENTY_OUT, admitted, limits
from tests.fakes.clock import FakeClock

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('days') / 'omg.db'}"
    run_apart(schema.upgrade(url))
    return url


@pytest.fixture
async def kept(database: str) -> AsyncIterator[SqlAlchemyDayCounts]:
    store = SqlAlchemyStore(database, AesGcmSecretBox(KeyRing.generate()), unit_seconds=20.0)
    counts = SqlAlchemyDayCounts(store)
    await counts.write([], 2**40)  # nothing of other tests
    yield counts
    await store.aclose()


async def test_a_restart_forgets_nothing_of_the_day(kept: SqlAlchemyDayCounts, clock: FakeClock) -> None:
    before = MemoryLimitStore(clock, kept=kept)
    await before.restore()
    takes = await admitted(before.limiter(limits(rpd=5, tpd=1000, rpm=3)), 3)
    takes[0].settle(1, 2)
    takes[1].release()
    await before.keep()
    (await before.limiter(limits(rpd=5)).take(Demand())).settle(0, 0)
    await before.aclose()

    after = MemoryLimitStore(clock, kept=kept)
    await after.restore()

    left = {
        each.limit.dimension: each.remaining
        for each in (await after.limiter(limits(rpd=5, tpd=1000)).take(Demand())).allowances
    }
    assert left == {"rpd": 1, "tpd": 967}


async def test_a_day_that_is_over_when_it_starts_again_does_not_count(
    kept: SqlAlchemyDayCounts, clock: FakeClock
) -> None:
    clock.set_wall_clock(datetime(2026, 11, 21, 23, 59, 58, tzinfo=UTC))
    before = MemoryLimitStore(clock, kept=kept)
    await admitted(before.limiter(limits(rpd=5)), 5)
    await before.aclose()
    clock.advance(3)

    after = MemoryLimitStore(clock, kept=kept)
    await after.restore()

    assert len(await admitted(after.limiter(limits(rpd=5)), 9)) == 5


async def test_only_what_changed_is_written_and_old_days_are_forgotten(
    kept: SqlAlchemyDayCounts, clock: FakeClock
) -> None:
    store = MemoryLimitStore(clock, kept=kept)
    limiter = store.limiter(limits(rpd=50))
    await admitted(limiter, 2)
    await store.keep()
    await kept.write([], 2**40)  # as if nothing had been written
    await store.keep()
    assert await kept.read(0) == []

    await admitted(limiter, 1)
    await store.keep()
    assert [row.used for row in await kept.read(0)] == [3]
    clock.advance(3 * 86_400)
    await admitted(limiter, 1)
    await store.keep()

    assert [row.used for row in await kept.read(0)] == [1]


@pytest.mark.parametrize(
    ("last_second", "hours"),
    [
        (datetime(2026, 11, 21, 22, 59, 59, tzinfo=UTC), 24),
        (datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC), 23),  # clocks go forward in the day after
        (datetime(2026, 10, 24, 21, 59, 59, tzinfo=UTC), 25),  # and back
    ],
)
async def test_days_begin_at_midnight_of_the_zone_and_are_as_long_as_there(
    clock: FakeClock, last_second: datetime, hours: int
) -> None:
    """R-20."""
    clock.set_wall_clock(last_second)
    limiter = MemoryLimitStore(clock, BERLIN).limiter(limits(rpd=2, tpd=1000))
    await admitted(limiter, 5)
    assert await admitted(limiter, 1) == []

    clock.advance(1)
    take = (await admitted(limiter, 1, TEN_IN_TWENTY_OUT))[0]

    assert [each.reset_seconds for each in take.allowances] == [hours * 3600] * 2
