"""The conditions of provider keys, and absent models, in memory: bounded and timed by the monotonic clock."""

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from domain.availability import KeyCondition, KeyState, change_after
from domain.ports.runtime import Clock

MAX_KEYS = 10_000
LONGEST_WAIT_SECONDS = 31 * 86_400.0
"""The longest window a provider budgets by. What an upstream says beyond it is not believed."""

STRIKES_SECONDS: Final = 3_600.0
"""How long after its wait a key's strikes are remembered: as long as the longest wait that they lead to."""

LOOKS_SECONDS: Final = 1.0
"""How often what is over is looked for at most."""

_Pair = tuple[str, str]


class _Held(msgspec.Struct, frozen=True):
    """A state, and when it ends on the monotonic clock, so that a jump of the wall clock ends none (R-21)."""

    state: KeyState
    ends_at: float | None


class KeyStates:
    """What is known of each key, and of each key with one model, that is not plainly available (R-32).

    A model of `""` is the key itself.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.held: OrderedDict[_Pair, _Held] = OrderedDict()
        self._changed: OrderedDict[_Pair, KeyState] = OrderedDict()
        self._looks_at = math.inf  # when something may be over that is held

    @property
    def empty(self) -> bool:
        """Nothing is held against any key: what is over is forgotten, whether or not anybody asks for that key."""
        if not self.held:
            return True
        now = self._clock.monotonic()
        if now >= self._looks_at:
            for pair in [pair for pair, held in self.held.items() if _forgotten_at(held) <= now]:
                del self.held[pair]
            self._look_from(now)
        return not self.held

    def _look_from(self, now: float) -> None:
        first = min(map(_forgotten_at, self.held.values()), default=math.inf)
        self._looks_at = max(first, now + LOOKS_SECONDS)

    def current(self, key_id: str, model: str = "") -> KeyState:
        """The state now. A wait that has passed reads as available, with its strikes remembered.

        An invalid key stays invalid when its wait has passed: it may be asked again then, by one request.
        """
        held = self.held.get((key_id, model))
        if held is None:
            return KeyState(key_id, model=model)
        if held.state.condition is not KeyCondition.INVALID and self._is_over(held):
            return KeyState(key_id, strikes=held.state.strikes, model=model)
        return held.state

    def worst(self, key_id: str, model: str) -> KeyState:
        """Of the key and of the key with this model: what keeps it from being asked for longest."""
        whole = self.current(key_id)
        if not model or not self.held:
            return whole
        part = self.current(key_id, model)
        if part.condition is KeyCondition.AVAILABLE or whole.condition is KeyCondition.INVALID:
            return whole
        if whole.condition is KeyCondition.AVAILABLE or whole.until is None:
            return part if whole.condition is KeyCondition.AVAILABLE else whole
        return part if part.until is None or part.until > whole.until else whole

    def is_due(self, key_id: str) -> bool:
        """Whether an invalid key has waited long enough to be asked again."""
        held = self.held.get((key_id, ""))
        return held is not None and held.state.condition is KeyCondition.INVALID and self._is_over(held)

    def models_of(self, key_id: str) -> Sequence[str]:
        """The models something is known of with this key."""
        return [model for held_id, model in self.held if held_id == key_id and model]

    def set(
        self,
        key_id: str,
        condition: KeyCondition,
        wait_seconds: float | None,
        reason: str,
        strikes: int = 0,
        model: str = "",
    ) -> None:
        """The key waits from now; `wait_seconds` of None is until someone retries or changes it."""
        now = self._clock.now()
        until = None
        if wait_seconds is not None:
            wait_seconds = min(max(wait_seconds, 0.0), LONGEST_WAIT_SECONDS)
            until = now + timedelta(seconds=wait_seconds)
        self._put(KeyState(key_id, condition, until, now, reason, strikes, model), wait_seconds)

    def clear(self, key_id: str, model: str = "") -> None:
        """What is known is held against it no more."""
        self._note_after(KeyState(key_id, model=model, replaces=self._since(key_id, model)))
        self.held.pop((key_id, model), None)

    def clear_all(self, key_id: str) -> None:
        """Nothing is held against the key nor any model with it, whoever knows of what. Noted as a change even where
        nothing was known, as the store may know.
        """
        for model in ["", *self.models_of(key_id)]:
            self.held.pop((key_id, model), None)
            self._note(KeyState(key_id, model=model, replaces=self._clock.now()))

    def follow(self, known: Sequence[tuple[KeyState, float | None]]) -> None:
        """All that the store has, each with what is left of its wait. What changed here since it was last drained stays
        as it is.
        """
        stored = {(state.key_id, state.model) for state, _ in known}
        for pair in [pair for pair in self.held if pair not in stored and pair not in self._changed]:
            del self.held[pair]
        for state, wait_seconds in known:
            pair = (state.key_id, state.model)
            held = self.held.get(pair)
            if pair not in self._changed and (held is None or held.state != state):
                self.take_up(state, wait_seconds)

    def take_up(self, state: KeyState, wait_seconds: float | None) -> None:
        """A state the store kept, with what is left of its wait; not a change."""
        ends_at = None if wait_seconds is None else self._clock.monotonic() + wait_seconds
        self._remember(state, ends_at)

    def drain_changes(self) -> Sequence[KeyState]:
        changed = tuple(self._changed.values())
        self._changed.clear()
        return changed

    def _is_over(self, held: _Held) -> bool:
        return held.ends_at is not None and self._clock.monotonic() >= held.ends_at

    def _put(self, state: KeyState, wait_seconds: float | None) -> None:
        self._note_after(msgspec.structs.replace(state, replaces=self._since(state.key_id, state.model)))
        self.take_up(state, wait_seconds)

    def _since(self, key_id: str, model: str) -> datetime | None:
        held = self.held.get((key_id, model))
        return held.state.since if held is not None else None

    def _note_after(self, state: KeyState) -> None:
        self._note(change_after(self._changed.get((state.key_id, state.model)), state))

    def _remember(self, state: KeyState, ends_at: float | None) -> None:
        pair = (state.key_id, state.model)
        self.held[pair] = held = _Held(state, ends_at)
        self._looks_at = min(self._looks_at, max(_forgotten_at(held), self._clock.monotonic() + LOOKS_SECONDS))
        self.held.move_to_end(pair)
        if len(self.held) > MAX_KEYS:
            self.held.popitem(last=False)

    def _note(self, state: KeyState) -> None:
        """`state.replaces` is when that had begun which was known."""
        pair = (state.key_id, state.model)
        self._changed[pair] = state
        self._changed.move_to_end(pair)
        if len(self._changed) > MAX_KEYS:
            self._changed.popitem(last=False)


def _forgotten_at(held: _Held) -> float:
    """A key that was refused stays so until it is asked; strikes are remembered for a while."""
    if held.ends_at is None or held.state.condition is KeyCondition.INVALID:
        return math.inf
    return held.ends_at + (STRIKES_SECONDS if held.state.strikes else 0.0)


MODEL_ABSENT_SECONDS = 300.0
MAX_ABSENT_MODELS = 4_096


class AbsentModels:
    """By owner, which is a provider or one of its keys, and model. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self.until: OrderedDict[_Pair, float] = OrderedDict()
        self._changed: set[_Pair] = set()
        self._last = 0.0  # until when any of them is absent

    def any(self, now: float) -> bool:
        """Whether one is absent; once none is any more, all are forgotten."""
        if self.until and now >= self._last:
            self.until.clear()
        return bool(self.until)

    def present(self, owner_id: str, model: str, now: float) -> bool:
        until = self.until.get((owner_id, model))
        return until is None or now >= until

    def mark(self, owner_id: str, model: str, now: float, seconds: float | None) -> None:
        """Absent for `seconds`, five minutes where the provider said nothing more exact. Never shortened."""
        until = now + (MODEL_ABSENT_SECONDS if seconds is None else seconds)
        pair = (owner_id, model)
        self.until[pair] = until = max(until, self.until.get(pair, until))
        self._last = max(self._last, until)
        self.until.move_to_end(pair)
        self._changed.add(pair)
        if len(self.until) > MAX_ABSENT_MODELS:
            self._changed.discard(self.until.popitem(last=False)[0])

    def forget(self, owner_id: str) -> None:
        for pair in [pair for pair in self.until if pair[0] == owner_id]:
            del self.until[pair]
            self._changed.add(pair)

    def follow(self, known: Mapping[_Pair, float]) -> None:
        """All that the store has; what changed here since it was last drained stays as it is."""
        for pair in [pair for pair in self.until if pair not in known and pair not in self._changed]:
            del self.until[pair]
        self.until.update({pair: until for pair, until in known.items() if pair not in self._changed})
        self._last = max(self.until.values(), default=0.0)

    def drain(self) -> Sequence[tuple[str, str, float | None]]:
        """What changed since the last call: owner, model, until when; None where it is no more."""
        changed = [(*pair, self.until.get(pair)) for pair in sorted(self._changed)]
        self._changed.clear()
        return changed
