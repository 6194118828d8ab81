"""Key states survive a restart, and a store that is away for a while."""

import pytest

from adapters.availability.manual import ManualAvailability
from application.availability import AvailabilityKeeper
from domain.availability import KeyCondition
from domain.errors import StoreUnavailable
from domain.failover import FailureKind
from tests.fakes.clock import FakeClock
from tests.fakes.providers import failure
from tests.fakes.store import MemoryStore


def limited(policy: ManualAvailability, key_id: str) -> None:
    policy.record_failure("alpha", key_id, "m", failure(FailureKind.RATE_LIMITED))


async def condition_after_restart(store: MemoryStore, key_id: str) -> KeyCondition:
    policy = ManualAvailability(FakeClock())
    await AvailabilityKeeper(store, policy).restore()
    return policy.key_state(key_id).condition


async def test_what_was_learned_is_known_after_a_restart() -> None:
    store, policy = MemoryStore(), ManualAvailability(FakeClock())
    limited(policy, "pk_1")

    await AvailabilityKeeper(store, policy).flush()

    assert await condition_after_restart(store, "pk_1") is KeyCondition.RATE_LIMITED
    assert await condition_after_restart(store, "pk_2") is KeyCondition.AVAILABLE


async def test_states_that_could_not_be_stored_are_stored_with_the_next() -> None:
    store, policy = MemoryStore(), ManualAvailability(FakeClock())
    keeper = AvailabilityKeeper(store, policy)
    limited(policy, "pk_1")
    store.broken = True
    with pytest.raises(StoreUnavailable):
        await keeper.flush()

    store.broken = False
    limited(policy, "pk_2")
    await keeper.flush()

    assert await condition_after_restart(store, "pk_1") is KeyCondition.RATE_LIMITED
    assert await condition_after_restart(store, "pk_2") is KeyCondition.RATE_LIMITED
