"""The conditions of provider keys in memory: bounded, timed by the monotonic clock, and noting what changed."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from domain.availability import KeyCondition, KeyState
from domain.ports.runtime import Clock

MAX_KEYS = 10_000
LONGEST_WAIT_SECONDS = 31 * 86_400.0
"""The longest window a provider budgets by. What an upstream says beyond it is not believed."""


class _Held(msgspec.Struct, frozen=True):
    """A state, and when it ends on the monotonic clock, so that a jump of the wall clock ends none (R-21)."""

    state: KeyState
    ends_at: float | None


class KeyStates:
    """What is known of each key that is not plainly available. Others take no room (R-32)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._changed: OrderedDict[str, KeyState] = OrderedDict()

    def current(self, key_id: str) -> KeyState:
        """The state now. A wait that has passed reads as available, with its strikes remembered."""
        held = self._held.get(key_id)
        if held is None:
            return KeyState(key_id)
        if held.ends_at is not None and self._clock.monotonic() >= held.ends_at:
            return KeyState(key_id, strikes=held.state.strikes)
        return held.state

    def set(
        self, key_id: str, condition: KeyCondition, wait_seconds: float | None, reason: str, strikes: int = 0
    ) -> None:
        """The key waits from now; `wait_seconds` of None is until someone retries or changes it."""
        now = self._clock.now()
        until = None
        if wait_seconds is not None:
            wait_seconds = min(max(wait_seconds, 0.0), LONGEST_WAIT_SECONDS)
            until = now + timedelta(seconds=wait_seconds)
        self._put(KeyState(key_id, condition, until, now, reason, strikes), wait_seconds)

    def clear(self, key_id: str) -> None:
        """Nothing is held against the key. Noted as a change even where nothing was known, as the store may know."""
        self._held.pop(key_id, None)
        self._note(KeyState(key_id))

    def take_up(self, state: KeyState, wait_seconds: float | None) -> None:
        """A state the store kept, with what is left of its wait; not a change."""
        ends_at = None if wait_seconds is None else self._clock.monotonic() + wait_seconds
        self._remember(state, ends_at)

    def drain_changes(self) -> Sequence[KeyState]:
        changed = tuple(self._changed.values())
        self._changed.clear()
        return changed

    def _put(self, state: KeyState, wait_seconds: float | None) -> None:
        self.take_up(state, wait_seconds)
        self._note(state)

    def _remember(self, state: KeyState, ends_at: float | None) -> None:
        self._held[state.key_id] = _Held(state, ends_at)
        self._held.move_to_end(state.key_id)
        if len(self._held) > MAX_KEYS:
            self._held.popitem(last=False)

    def _note(self, state: KeyState) -> None:
        self._changed[state.key_id] = state
        self._changed.move_to_end(state.key_id)
        if len(self._changed) > MAX_KEYS:
            self._changed.popitem(last=False)
