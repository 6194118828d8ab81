"""Keeps what was learned of provider keys across restarts."""

from domain.availability import KeyState
from domain.ports.policies import AvailabilityPolicy
from domain.ports.repositories import Store


class AvailabilityKeeper:
    """Carries key states between the policy, which decides in memory, and the store."""

    def __init__(self, store: Store, policy: AvailabilityPolicy) -> None:
        self._store = store
        self._policy = policy
        self._unsaved: dict[str, KeyState] = {}

    async def restore(self) -> None:
        """Take up the stored states, before the first request."""
        async with self._store.read() as unit:
            states = await unit.availability.load()
        self._policy.restore({state.key_id: state for state in states})

    async def flush(self) -> None:
        """Store the states that changed. Those a failed write could not store are tried again with the next."""
        self._unsaved |= {state.key_id: state for state in self._policy.drain_changes()}
        if not self._unsaved:
            return
        saving = dict(self._unsaved)
        async with self._store.write() as unit:
            await unit.availability.save(tuple(saving.values()))
        self._unsaved = {key_id: state for key_id, state in self._unsaved.items() if saving.get(key_id) is not state}
