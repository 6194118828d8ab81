"""Key states survive a restart, and a store that is away for a while; what one process learns holds in all."""

from collections.abc import Callable

import pytest

from adapters.availability.automatic import AutomaticAvailability
from adapters.availability.manual import ManualAvailability
from application.availability import AvailabilityKeeper
from domain.availability import KeyCondition
from domain.errors import StoreUnavailable
from domain.failover import FailureKind, FailureScope
from domain.ports.policies import AvailabilityPolicy
from tests.builders import NOW
from tests.fakes.clock import FakeClock
from tests.fakes.providers import failure
from tests.fakes.store import MemoryStore


def limited(policy: ManualAvailability, key_id: str) -> None:
    policy.record_failure("alpha", key_id, "m", failure(FailureKind.RATE_LIMITED))


async def condition_after_restart(store: MemoryStore, key_id: str) -> KeyCondition:
    policy = ManualAvailability(FakeClock())
    await AvailabilityKeeper(store, policy, FakeClock()).restore()
    return policy.key_state(key_id).condition


async def test_what_was_learned_is_known_after_a_restart() -> None:
    store, policy = MemoryStore(), ManualAvailability(FakeClock())
    limited(policy, "pk_1")

    await AvailabilityKeeper(store, policy, FakeClock()).flush()

    assert await condition_after_restart(store, "pk_1") is KeyCondition.RATE_LIMITED
    assert await condition_after_restart(store, "pk_2") is KeyCondition.AVAILABLE


async def test_states_that_could_not_be_stored_are_stored_with_the_next() -> None:
    store, policy = MemoryStore(), ManualAvailability(FakeClock())
    keeper = AvailabilityKeeper(store, policy, FakeClock())
    limited(policy, "pk_1")
    store.broken = True
    with pytest.raises(StoreUnavailable):
        await keeper.flush()

    store.broken = False
    limited(policy, "pk_2")
    await keeper.flush()

    assert await condition_after_restart(store, "pk_1") is KeyCondition.RATE_LIMITED
    assert await condition_after_restart(store, "pk_2") is KeyCondition.RATE_LIMITED


class Process:
    """One of several on a store."""

    def __init__(self, store: MemoryStore, clock: FakeClock) -> None:
        self.store = store
        self.policy = AutomaticAvailability(clock)
        self.keeper = AvailabilityKeeper(store, self.policy, clock, shared=True)

    async def hear(self) -> None:
        async with self.store.read() as unit:
            await self.keeper.take_up(unit)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pair(clock: FakeClock) -> tuple[Process, Process]:
    store = MemoryStore()
    return Process(store, clock), Process(store, clock)


def fails(kind: FailureKind, scope: FailureScope = FailureScope.KEY, times: int = 1) -> Callable[[Process], None]:
    def learn(process: Process) -> None:
        for _ in range(times):
            process.policy.record_failure("alpha", "pk_1", "m", failure(kind, scope=scope))

    return learn


def key_waits(policy: AvailabilityPolicy) -> bool:
    return policy.key_state("pk_1", "m").condition is not KeyCondition.AVAILABLE


def deployment_waits(policy: AvailabilityPolicy) -> bool:
    return policy.deployment_state("alpha", "m").condition is not KeyCondition.AVAILABLE


def provider_rests(policy: AvailabilityPolicy) -> bool:
    return policy.unhealthy_until("alpha", "m") is not None


def model_is_absent(policy: AvailabilityPolicy) -> bool:
    return not policy.model_present("alpha", "m") or not policy.model_present("pk_1", "m")


LEARNED = {
    "a rate limit": (fails(FailureKind.RATE_LIMITED), key_waits),
    "a rate limit of one model": (fails(FailureKind.RATE_LIMITED, FailureScope.MODEL), key_waits),
    "a rate limit of everybody": (fails(FailureKind.RATE_LIMITED, FailureScope.PROVIDER), deployment_waits),
    "a limit of a deployment": (fails(FailureKind.RATE_LIMITED, FailureScope.DEPLOYMENT), deployment_waits),
    "a spent quota": (fails(FailureKind.QUOTA_EXHAUSTED), key_waits),
    "a refused key": (fails(FailureKind.INVALID_CREDENTIAL), key_waits),
    "an open breaker": (fails(FailureKind.CONNECT, FailureScope.PROVIDER, 5), provider_rests),
    "an open breaker of one model": (fails(FailureKind.OVERLOADED, FailureScope.MODEL, 5), provider_rests),
    "a refused address": (fails(FailureKind.ADDRESS_REFUSED, FailureScope.PROVIDER), provider_rests),
    "checks that fail": (lambda process: process.policy.set_aside("alpha", 300), provider_rests),
    "a model that is not there": (fails(FailureKind.MODEL_ABSENT, FailureScope.MODEL), model_is_absent),
    "a model that this key may not use": (fails(FailureKind.MODEL_BLOCKED, FailureScope.MODEL), model_is_absent),
}


@pytest.mark.parametrize("name", LEARNED)
async def test_what_one_process_learns_holds_in_another_and_ends_there_when_someone_retries(
    pair: tuple[Process, Process], clock: FakeClock, name: str
) -> None:
    one, other = pair
    learn, rests = LEARNED[name]
    learn(one)
    await one.keeper.flush()
    await other.hear()
    assert rests(other.policy)

    clock.advance(1)
    other.policy.retry_provider("alpha", ["pk_1"])
    await other.keeper.flush()
    await one.hear()
    assert not rests(one.policy)
    assert not rests(other.policy)


@pytest.mark.parametrize("name", LEARNED)
async def test_what_a_process_could_not_store_yet_is_not_taken_from_it(
    pair: tuple[Process, Process], name: str
) -> None:
    one, other = pair
    learn, rests = LEARNED[name]
    learn(one)
    await one.hear()  # before the first flush
    assert rests(one.policy)

    one.store.broken = True
    with pytest.raises(StoreUnavailable):
        await one.keeper.flush()
    one.store.broken = False
    await one.hear()  # drained, and not stored
    assert rests(one.policy)

    await one.keeper.flush()
    await other.hear()
    assert rests(other.policy)


async def test_a_success_that_did_not_know_of_a_rest_does_not_end_it(
    pair: tuple[Process, Process], clock: FakeClock
) -> None:
    one, other = pair
    fails(FailureKind.RATE_LIMITED)(other)
    await other.keeper.flush()
    await one.hear()
    clock.advance(31)  # the wait is over, its strike is remembered by both
    fails(FailureKind.RATE_LIMITED)(one)
    await one.keeper.flush()
    clock.advance(1)

    other.policy.record_success("alpha", "pk_1", ())
    await other.keeper.flush()
    await one.hear()
    await other.hear()

    assert key_waits(one.policy)
    assert key_waits(other.policy)


async def test_a_success_closes_the_breaker_in_every_process(pair: tuple[Process, Process], clock: FakeClock) -> None:
    one, other = pair
    fails(FailureKind.CONNECT, FailureScope.PROVIDER, 5)(one)
    await one.keeper.flush()
    await other.hear()
    clock.advance(30)
    assert other.policy.healthy("alpha")  # the probe

    other.policy.record_success("alpha", "pk_1", ())
    await other.keeper.flush()
    await one.hear()

    assert one.policy.unhealthy_until("alpha") is None


async def test_a_probe_that_fails_elsewhere_makes_the_wait_longer_here(
    pair: tuple[Process, Process], clock: FakeClock
) -> None:
    one, other = pair
    fails(FailureKind.CONNECT, FailureScope.PROVIDER, 5)(one)
    await one.keeper.flush()
    await other.hear()
    clock.advance(30)
    fails(FailureKind.CONNECT, FailureScope.PROVIDER)(other)
    await other.keeper.flush()
    await one.hear()

    clock.advance(59)
    assert not one.policy.healthy("alpha")
    clock.advance(1)
    assert one.policy.healthy("alpha")


async def test_a_new_process_takes_up_what_rests(pair: tuple[Process, Process], clock: FakeClock) -> None:
    fails(FailureKind.CONNECT, FailureScope.PROVIDER, 5)(pair[0])
    await pair[0].keeper.flush()

    new = Process(pair[0].store, clock)
    await new.keeper.restore()

    assert not new.policy.healthy("alpha")


async def test_a_process_alone_writes_down_no_rests() -> None:
    store, policy = MemoryStore(), AutomaticAvailability(FakeClock())
    policy.set_aside("alpha", 300)

    await AvailabilityKeeper(store, policy, FakeClock()).flush()

    async with store.read() as unit:
        assert not await unit.availability.load_rests(NOW)
        assert not await unit.config_versions.load()


async def test_a_name_of_a_model_that_no_store_takes_keeps_nothing_else_from_it(pair: tuple[Process, Process]) -> None:
    one, other = pair
    for kind in (FailureKind.RATE_LIMITED, FailureKind.MODEL_ABSENT):
        one.policy.record_failure("alpha", "pk_1", "m" * 5_000, failure(kind, scope=FailureScope.MODEL))
    fails(FailureKind.RATE_LIMITED)(one)

    await one.keeper.flush()
    await other.hear()

    async with one.store.read() as unit:
        assert [state.id for state in await unit.availability.load()] == ["pk_1"]
    assert key_waits(other.policy)
