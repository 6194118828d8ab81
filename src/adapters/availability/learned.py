"""What every availability policy learns alike: contract 7's effects, with the waits left to the policy."""

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from typing_extensions import override

from adapters.availability.breaker import Breaker
from adapters.availability.key_states import LONGEST_WAIT_SECONDS, KeyStates
from domain.availability import KeyCondition, KeyState, RateLimitWindow
from domain.errors import UpstreamFailure
from domain.failover import REACTIONS, FailureKind
from domain.ports.policies import AvailabilityPolicy
from domain.ports.runtime import Clock

MODEL_ABSENT_SECONDS = 300.0
MAX_ABSENT_MODELS = 4_096
MAX_PROVIDERS = 4_096
MAX_REASON_LENGTH = 256

_SEVERITY = {
    KeyCondition.AVAILABLE: 0,
    KeyCondition.RATE_LIMITED: 1,
    KeyCondition.EXHAUSTED: 2,
    KeyCondition.INVALID: 3,
}


class LearnedAvailability(AvailabilityPolicy):
    """Keeps key states, absent models and one breaker a provider. A subclass says how long a key waits.

    Invariants: a milder failure never shortens a graver wait (the answer to a call that was already on its
    way must not free an exhausted key); rate limits that arrive while the key waits are one strike, not
    many; a success frees no key that waits, since that call was made before.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._keys = KeyStates(clock)
        self._absent: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._breakers: OrderedDict[str, Breaker] = OrderedDict()

    @abstractmethod
    def wait_after_rate_limit(self, stated_seconds: float | None, strikes: int) -> float | None:
        """Seconds a rate-limited key waits; None: until it is retried. `strikes` counts from 1."""

    @abstractmethod
    def wait_after_exhaustion(self, stated_seconds: float | None) -> float | None:
        """Seconds a key without quota waits; None: until it is retried."""

    @abstractmethod
    def wait_for_windows(self, limits: Sequence[RateLimitWindow]) -> float | None:
        """Seconds a key that was answered should still wait by its provider's own budget, None for none."""

    @override
    def key_state(self, key_id: str) -> KeyState:
        return self._keys.current(key_id)

    @override
    def model_present(self, provider_id: str, model: str) -> bool:
        until = self._absent.get((provider_id, model))
        return until is None or self._clock.monotonic() >= until

    @override
    def healthy(self, provider_id: str) -> bool:
        breaker = self._breakers.get(provider_id)
        return breaker is None or breaker.allow(self._clock.monotonic())

    @override
    def unhealthy_until(self, provider_id: str) -> datetime | None:
        breaker = self._breakers.get(provider_id)
        seconds = breaker.seconds_to_probe(self._clock.monotonic()) if breaker else None
        return None if seconds is None else self._clock.now() + timedelta(seconds=seconds)

    @override
    def record_success(self, provider_id: str, key_id: str, limits: Sequence[RateLimitWindow]) -> None:
        self._breakers.pop(provider_id, None)
        state = self._keys.current(key_id)
        if state.condition is not KeyCondition.AVAILABLE:
            return
        wait = self.wait_for_windows(limits) if limits else None
        if wait is not None:
            spent = " and ".join(sorted({_words(w) for w in limits if w.remaining == 0}))
            self._keys.set(key_id, KeyCondition.RATE_LIMITED, wait, f"The provider reports no {spent} left.")
        elif state.strikes:
            self._keys.clear(key_id)

    @override
    def record_failure(self, provider_id: str, key_id: str, model: str, failure: UpstreamFailure) -> None:
        self._count(provider_id, failure.kind)
        match failure.kind:
            case FailureKind.RATE_LIMITED:
                before = self._keys.current(key_id)
                strikes = before.strikes + (before.condition is KeyCondition.AVAILABLE)
                wait = self.wait_after_rate_limit(_believable(failure.retry_after_seconds), max(strikes, 1))
                self._hold(key_id, KeyCondition.RATE_LIMITED, wait, failure, max(strikes, 1))
            case FailureKind.QUOTA_EXHAUSTED:
                wait = self.wait_after_exhaustion(_believable(failure.retry_after_seconds))
                self._hold(key_id, KeyCondition.EXHAUSTED, wait, failure, self._keys.current(key_id).strikes)
            case FailureKind.INVALID_CREDENTIAL:
                self._hold(key_id, KeyCondition.INVALID, None, failure, 0)
            case FailureKind.MODEL_ABSENT:
                self._mark_absent(provider_id, model)
            case _:
                pass  # the others say nothing of the key

    @override
    def retry_key(self, key_id: str) -> None:
        self._keys.clear(key_id)

    @override
    def retry_provider(self, provider_id: str, key_ids: Sequence[str]) -> None:
        for key_id in key_ids:
            self._keys.clear(key_id)
        self._breakers.pop(provider_id, None)
        for absent in [pair for pair in self._absent if pair[0] == provider_id]:
            del self._absent[absent]

    @override
    def forget_key(self, key_id: str) -> None:
        self._keys.clear(key_id)

    @override
    def restore(self, states: Mapping[str, KeyState]) -> None:
        now = self._clock.now()
        for state in states.values():
            left = self._left_of(state, now)
            if left is None or left > 0 or state.strikes:
                until = None if left is None else now + timedelta(seconds=left)
                self._keys.take_up(msgspec.structs.replace(state, until=until), left)

    @override
    def drain_changes(self) -> Sequence[KeyState]:
        return self._keys.drain_changes()

    def _left_of(self, state: KeyState, now: datetime) -> float | None:
        """Seconds left of a stored wait. A state of the other policy may be without an end where ours has one."""
        if state.condition is KeyCondition.AVAILABLE:
            return 0.0
        if state.until is not None:
            return min(max((state.until - now).total_seconds(), 0.0), LONGEST_WAIT_SECONDS)
        if state.condition is KeyCondition.RATE_LIMITED:
            return self.wait_after_rate_limit(None, max(state.strikes, 1))
        if state.condition is KeyCondition.EXHAUSTED:
            return self.wait_after_exhaustion(None)
        return None

    def _count(self, provider_id: str, kind: FailureKind) -> None:
        breaker = self._breakers.get(provider_id)
        if REACTIONS[kind].counts_for_breaker:
            if breaker is None:
                breaker = self._breakers[provider_id] = Breaker()
                if len(self._breakers) > MAX_PROVIDERS:
                    self._breakers.popitem(last=False)
            breaker.failed(self._clock.monotonic())
        elif breaker is not None:
            breaker.inconclusive()

    def _hold(
        self, key_id: str, condition: KeyCondition, wait: float | None, failure: UpstreamFailure, strikes: int
    ) -> None:
        before = self._keys.current(key_id)
        if before.condition is not KeyCondition.AVAILABLE:
            if _SEVERITY[before.condition] > _SEVERITY[condition]:
                return
            if before.until is None:
                wait = None  # nobody has retried it yet
            elif wait is not None:
                wait = max(wait, (before.until - self._clock.now()).total_seconds())
        self._keys.set(key_id, condition, wait, failure.message[:MAX_REASON_LENGTH], strikes)

    def _mark_absent(self, provider_id: str, model: str) -> None:
        self._absent[provider_id, model] = self._clock.monotonic() + MODEL_ABSENT_SECONDS
        self._absent.move_to_end((provider_id, model))
        if len(self._absent) > MAX_ABSENT_MODELS:
            self._absent.popitem(last=False)


def _believable(seconds: float | None) -> float | None:
    """A stated wait, or None for one that says nothing: zero, negative, or not a number."""
    return seconds if seconds is not None and seconds > 0 else None


def _words(window: RateLimitWindow) -> str:
    return f"{window.dimension} this {window.window}" if window.window else window.dimension
