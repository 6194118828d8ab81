"""What every store of limits promises: all or nothing, exact in any window, ended once (R-04, P-07)."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from domain.errors import LimitExceeded
from domain.ports.limits import Demand, Limiter, LimitStore, Take
from domain.subject_limits import DIMENSIONS, Limit, LimitDimension, Subject
from tests.fakes.clock import FakeClock

KEY = Subject("key", "key_1")
TENANT = Subject("tenant", "ten_1")
TEN_IN_TWENTY_OUT = Demand(10, 20)

ONE_REQUEST: dict[LimitDimension, int] = {
    "rpm": 1, "rpd": 1, "tpm": 30, "tpd": 30, "itpm": 10, "otpm": 20, "parallel": 1,
}  # fmt: skip


def limits(subject: Subject = KEY, **amounts: int) -> list[Limit]:
    return [Limit(subject, name, amounts[name]) for name in DIMENSIONS if name in amounts]


async def admitted(limiter: Limiter, times: int, demand: Demand = TEN_IN_TWENTY_OUT) -> list[Take]:
    takes: list[Take] = []
    for _ in range(times):
        try:
            takes.append(await limiter.take(demand))
        except LimitExceeded:
            continue
    return takes


@pytest.mark.parametrize("dimension", DIMENSIONS)
async def test_a_limit_admits_what_it_says_and_names_what_refused(store: LimitStore, dimension: LimitDimension) -> None:
    limiter = store.limiter([Limit(KEY, dimension, 3 * ONE_REQUEST[dimension])])

    assert len(await admitted(limiter, 5)) == 3
    with pytest.raises(LimitExceeded) as refusal:
        await limiter.take(TEN_IN_TWENTY_OUT)

    assert (refusal.value.subject_kind, refusal.value.subject_id) == ("key", "key_1")
    assert refusal.value.dimension == dimension
    assert "key 'key_1'" in refusal.value.message


@pytest.mark.parametrize("refusing", DIMENSIONS)
async def test_a_refused_request_takes_nothing_of_any_other_limit(store: LimitStore, refusing: LimitDimension) -> None:
    amounts = {name: 5 * ONE_REQUEST[name] for name in DIMENSIONS}
    refused = store.limiter([*limits(KEY, **amounts), Limit(TENANT, refusing, 0)])

    assert await admitted(refused, 10) == []

    assert len(await admitted(store.limiter(limits(KEY, **amounts)), 10)) == 5


async def test_limiters_that_share_a_subject_share_its_counter(store: LimitStore) -> None:
    first = store.limiter([*limits(KEY, rpm=10), *limits(TENANT, rpm=3)])
    second = store.limiter([*limits(Subject("key", "key_2"), rpm=10), *limits(TENANT, rpm=3)])

    assert len(await admitted(first, 2)) == 2
    assert len(await admitted(second, 2)) == 1


async def test_a_changed_amount_counts_what_was_taken_before(store: LimitStore) -> None:
    assert len(await admitted(store.limiter(limits(rpm=10)), 4)) == 4

    assert len(await admitted(store.limiter(limits(rpm=5)), 10)) == 1


@pytest.mark.parametrize("ago", [0, 1, 30, 59, 59.999, 60])
async def test_what_was_taken_counts_for_sixty_seconds(store: LimitStore, clock: FakeClock, ago: float) -> None:
    limiter = store.limiter(limits(rpm=1))
    await limiter.take(Demand())

    clock.advance(ago)

    assert await admitted(limiter, 1) == []


@pytest.mark.parametrize("later", [61, 62, 121.5, 3600])
async def test_and_not_for_longer_than_sixty_one(store: LimitStore, clock: FakeClock, later: float) -> None:
    limiter = store.limiter(limits(rpm=1))
    await limiter.take(Demand())

    clock.advance(later)

    assert len(await admitted(limiter, 2)) == 1


async def test_the_wait_that_is_told_is_enough_and_not_much_too_long(store: LimitStore, clock: FakeClock) -> None:
    limiter = store.limiter(limits(rpm=2))
    for _ in range(2):
        await limiter.take(Demand())
        clock.advance(20)

    with pytest.raises(LimitExceeded) as refusal:
        await limiter.take(Demand())
    wait = refusal.value.retry_after_seconds

    assert wait is not None
    clock.advance(wait)
    assert len(await admitted(limiter, 2)) == 1


async def test_a_request_that_is_larger_than_the_limit_is_not_told_to_wait(store: LimitStore) -> None:
    limiter = store.limiter(limits(tpm=20))

    with pytest.raises(LimitExceeded) as refusal:
        await limiter.take(TEN_IN_TWENTY_OUT)

    assert refusal.value.retry_after_seconds is None
    assert "ever allows" in refusal.value.message


async def test_days_begin_at_midnight_of_utc(store: LimitStore, clock: FakeClock) -> None:
    clock.set_wall_clock(datetime(2026, 11, 21, 23, 59, 58, tzinfo=UTC))
    limiter = store.limiter(limits(rpd=1, tpd=1000))
    await limiter.take(TEN_IN_TWENTY_OUT)

    with pytest.raises(LimitExceeded) as refusal:
        await limiter.take(TEN_IN_TWENTY_OUT)

    assert refusal.value.retry_after_seconds == pytest.approx(2)
    clock.advance(2)
    assert len(await admitted(limiter, 2)) == 1


async def test_tokens_are_set_right_when_the_request_has_ended(store: LimitStore) -> None:
    limiter = store.limiter(limits(tpm=100, tpd=1000, itpm=50, otpm=80))
    take = await limiter.take(Demand(10, 70))

    take.settle(10, 5)

    assert len(await admitted(limiter, 9, Demand(5, 10))) == 5  # 15 of 100 tokens, 10 of 50 input, 5 of 80 output


async def test_more_tokens_than_thought_count_from_when_they_were_used(store: LimitStore, clock: FakeClock) -> None:
    limiter = store.limiter(limits(tpm=100))
    take = await limiter.take(Demand(10, 0))
    clock.advance(50)

    take.settle(10, 80)
    clock.advance(12)

    assert await admitted(limiter, 1, Demand(21, 0)) == []
    assert len(await admitted(limiter, 1, Demand(20, 0))) == 1


async def test_a_late_end_changes_no_other_minute_and_no_other_day(store: LimitStore, clock: FakeClock) -> None:
    limiter = store.limiter(limits(tpm=100, tpd=100))
    old = await limiter.take(Demand(50, 50))
    clock.advance(86_400)
    await limiter.take(Demand(50, 50))

    old.settle(0, 0)

    assert await admitted(limiter, 1, Demand(1, 0)) == []


async def test_a_take_ends_once(store: LimitStore) -> None:
    limiter = store.limiter(limits(rpm=2, tpm=100, parallel=1))
    take = await limiter.take(Demand(50, 0))

    take.settle(40, 0)
    take.settle(0, 0)
    take.release()

    assert len(await admitted(limiter, 3, Demand(60, 0))) == 1


async def test_what_was_never_sent_gives_everything_back(store: LimitStore) -> None:
    limiter = store.limiter([Limit(KEY, name, ONE_REQUEST[name]) for name in DIMENSIONS])

    for _ in range(3):
        (await limiter.take(TEN_IN_TWENTY_OUT)).release()

    assert len(await admitted(limiter, 2)) == 1


async def test_slots_are_free_when_their_requests_have_ended(store: LimitStore) -> None:
    limiter = store.limiter(limits(parallel=2))
    takes = await admitted(limiter, 5)
    assert len(takes) == 2

    takes[0].settle(0, 0)

    assert len(await admitted(limiter, 5)) == 1


async def test_of_many_at_once_exactly_the_limit_is_admitted(store: LimitStore) -> None:
    limiter = store.limiter([*limits(KEY, rpm=100, parallel=100), *limits(TENANT, rpm=1000)])

    async def one() -> int:
        return len(await admitted(limiter, 1))

    assert sum(await asyncio.gather(*(one() for _ in range(1000)))) == 100


async def test_what_is_left_is_told_for_each_limit(store: LimitStore) -> None:
    limiter = store.limiter(limits(rpm=10, tpm=100, parallel=5))

    take = await limiter.take(TEN_IN_TWENTY_OUT)

    left = {each.limit.dimension: (each.remaining, each.reset_seconds) for each in take.allowances}
    assert left == {"rpm": (9, 61), "tpm": (70, 61)}


@pytest.mark.parametrize(
    ("names", "counts"), [((), False), (("rpm", "rpd", "parallel"), False), (("rpm", "otpm"), True), (("tpd",), True)]
)
async def test_tokens_matter_only_where_a_limit_counts_them(
    store: LimitStore, names: Sequence[LimitDimension], counts: bool
) -> None:
    assert store.limiter([Limit(KEY, name, 10) for name in names]).counts_tokens is counts


async def test_a_wall_clock_that_jumps_opens_no_window(store: LimitStore, clock: FakeClock) -> None:
    limiter = store.limiter(limits(rpm=1))
    await limiter.take(Demand())

    for hour in (0, 23):
        clock.set_wall_clock(datetime(2026, 11, 21, hour, tzinfo=UTC))
        assert await admitted(limiter, 1) == []
