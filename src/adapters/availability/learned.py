"""What every availability policy learns alike: contract 7's effects, with the waits left to the policy."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from typing_extensions import override

from adapters.availability.breaker import PROBE_LEASE_SECONDS
from adapters.availability.key_health import KeyHealth
from adapters.availability.key_states import LONGEST_WAIT_SECONDS, STRIKES_SECONDS, AbsentModels, KeyStates
from adapters.availability.provider_health import MAX_REASON_LENGTH, ProviderHealth
from adapters.availability.quotas import QuotaPlanner
from domain.availability import KeyCondition, KeyState, ProviderRest, RateLimitWindow, provider_state_id, severity
from domain.errors import UpstreamFailure
from domain.failover import FailureKind, FailureScope
from domain.ports.policies import AvailabilityPolicy, CallTokens, QuotaHold
from domain.ports.runtime import Clock
from domain.provider_limits import MODEL_GONE_SECONDS, UNSTATED_WAIT_SECONDS, LimitClass
from domain.quotas import QuotaChanges, QuotaCount, QuotaFinding, QuotaRule, QuotaStanding

PROBES_AFTER_SECONDS = (60.0, 300.0, 1_800.0, 3_600.0)
"""When a key that was refused is asked again; the last for every further time."""

_NOTHING = KeyState("")


class LearnedAvailability(AvailabilityPolicy):
    """Keeps key states, quotas, absent models and a breaker a provider, a model of one where that alone fails, and a
    key. A subclass says how long a key waits.

    Invariants: a milder failure never shortens a graver wait (the answer to a call that was already on its
    way must not free an exhausted key); rate limits that arrive while the key waits are one strike, not
    many; a success frees no key that waits, since that call was made before. The one exception is the
    request that holds an invalid key's probe: its answer is newer than the refusal.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._keys = KeyStates(clock)
        self._absent = AbsentModels()
        self._planner = QuotaPlanner(clock)
        self._planned: frozenset[str] = frozenset()  # keys under a quota; the planner is not asked about others
        self._reported = False  # whether any answer told of limits
        self._health = ProviderHealth(clock)
        self._key_health = KeyHealth(clock)
        self._probes: dict[str, float] = {}  # key -> when its probe gives its place up

    @abstractmethod
    def wait_after_rate_limit(
        self, stated_seconds: float | None, strikes: int, first_seconds: float | None = None
    ) -> float | None:
        """Seconds a rate-limited key waits; None: until it is retried. `strikes` counts from 1.

        `first_seconds` is what the first wait is that nobody stated, where it is not the usual one.
        """

    @abstractmethod
    def wait_after_exhaustion(self, stated_seconds: float | None) -> float | None:
        """Seconds a key without quota waits; None: until it is retried."""

    @abstractmethod
    def wait_for_windows(self, limits: Sequence[RateLimitWindow]) -> float | None:
        """Seconds a key that was answered should still wait by its provider's own budget, None for none."""

    @override
    def key_state(self, key_id: str, model: str = "") -> KeyState:
        state = self._keys.worst(key_id, model)
        if key_id not in self._planned or state.condition is KeyCondition.INVALID:
            return state
        spent = self._planner.state(key_id, model)
        return state if spent is None else _longer(state, spent)

    @property
    @override
    def untroubled(self) -> bool:
        if self._absent.until and self._absent.any(self._clock.monotonic()):
            return False
        return self._keys.empty and not self._planned and self._key_health.quiet

    @override
    def deployment_state(self, provider_id: str, model: str) -> KeyState:
        return _NOTHING if self._keys.empty else self._keys.worst(provider_state_id(provider_id), model)

    @override
    def resting_models(self, key_id: str) -> Sequence[KeyState]:
        states = {model: self._keys.current(key_id, model) for model in self._keys.models_of(key_id)}
        resting = {model: state for model, state in states.items() if state.condition is not KeyCondition.AVAILABLE}
        for state in self._planner.resting_models(key_id) if key_id in self._planned else ():
            resting[state.model] = _longer(resting.get(state.model, KeyState(key_id)), state)
        return list(resting.values())

    @override
    def plan_quotas(self, plans: Mapping[str, Sequence[tuple[str, QuotaRule]]]) -> None:
        if plans or self._planned:
            self._planner.plan(plans)
        self._planned = frozenset(key_id for key_id, plan in plans.items() if plan)

    @override
    def take_quota(self, key_id: str, model: str, tokens: CallTokens) -> QuotaHold | None:
        return self._planner.take(key_id, model, tokens) if key_id in self._planned else None

    @override
    def quota_left(self, key_id: str, model: str) -> float | None:
        return self._planner.share_left(key_id, model) if key_id in self._planned else None

    @override
    def quotas(self, key_id: str, owner_id: str) -> Sequence[QuotaStanding]:
        known = self._reported or key_id in self._planned
        return self._planner.standings(key_id, owner_id) if known else ()

    @override
    def take_probe(self, key_id: str) -> bool:
        if not self._keys.is_due(key_id) or self._probing(key_id):
            return False
        self._probes[key_id] = self._clock.monotonic() + PROBE_LEASE_SECONDS
        return True

    @override
    def model_present(self, owner_id: str, model: str) -> bool:
        return self._absent.present(owner_id, model, self._clock.monotonic())

    @override
    def healthy(self, provider_id: str, model: str = "", *, despite_checks: bool = False) -> bool:
        health = self._health
        if not health.breakers and not health.aside:
            return True
        return health.healthy(provider_id, model, despite_checks=despite_checks)

    @override
    def set_aside(self, provider_id: str, seconds: float) -> None:
        self._health.set_aside(provider_id, seconds)

    @override
    def take_back(self, provider_id: str) -> None:
        self._health.take_back(provider_id)

    @override
    def is_aside(self, provider_id: str) -> bool:
        return self._health.is_aside(provider_id)

    @property
    @override
    def has_aside(self) -> bool:
        return self._health.has_aside

    @override
    def unhealthy_until(self, provider_id: str, model: str = "") -> datetime | None:
        return self._health.unhealthy_until(provider_id, model)

    @override
    def unhealthy_reason(self, provider_id: str) -> str:
        return self._health.reason(provider_id)

    @override
    def key_unhealthy_until(self, key_id: str) -> datetime | None:
        return self._key_health.unhealthy_until(key_id) if self._key_health.breakers else None

    @override
    def key_may_try(self, key_id: str) -> bool:
        return not self._key_health.breakers or self._key_health.may_try(key_id)

    @override
    def record_success(self, provider_id: str, key_id: str, limits: Sequence[RateLimitWindow], model: str = "") -> None:
        if self._health.breakers or self._health.aside:
            self._health.succeeded(provider_id, model)
        if self._key_health.breakers:
            self._key_health.succeeded(key_id)
        if limits:
            self._reported = True
        if limits or key_id in self._planned:
            self._planner.answered(key_id, model, limits)
        if self._probes and self._probing(key_id):
            del self._probes[key_id]
            self._keys.clear(key_id)
        if not limits:
            if not self._keys.empty:
                self._rest_by_windows(key_id, "", ())
                self._rest_by_windows(key_id, model, ())
            return
        self._rest_by_windows(key_id, "", [window for window in limits if not window.by_model])
        self._rest_by_windows(key_id, model, [window for window in limits if window.by_model])

    @override
    def record_failure(self, provider_id: str, key_id: str, model: str, failure: UpstreamFailure) -> None:
        self._health.failed(provider_id, model, failure)
        self._key_health.failed(key_id, failure)
        probing = self._probes.pop(key_id, None) is not None
        stated = _believable(failure.retry_after_seconds)
        match failure.kind:
            case FailureKind.RATE_LIMITED | FailureKind.QUOTA_EXHAUSTED:
                if probing:
                    self._keys.clear(key_id)  # whose limit is counted is known
                held_id, part = _rests(provider_id, key_id, model, failure.scope)
                self._limited(held_id, part, failure, stated)
                if key_id in self._planned:
                    self._planner.refused(key_id, model, failure, self._keys.current(held_id, part).until)
            case FailureKind.INVALID_CREDENTIAL:
                self._refused(key_id, failure, probing)
            case FailureKind.MODEL_ABSENT:
                self._absent.mark(provider_id, model, self._clock.monotonic(), stated)
            case FailureKind.MODEL_BLOCKED:
                gone = failure.limit is not None and failure.limit.cause is LimitClass.MODEL_GONE
                seconds = MODEL_GONE_SECONDS if gone and stated is None else stated
                self._absent.mark(key_id, model, self._clock.monotonic(), seconds)
            case _:
                pass  # the others say nothing of the key

    @override
    def retry_key(self, key_id: str) -> None:
        self._keys.clear_all(key_id)
        self._planner.retry(key_id)
        self._probes.pop(key_id, None)
        self._key_health.succeeded(key_id)
        self._absent.forget(key_id)

    @override
    def key_accepted(self, key_id: str, siblings: Sequence[str]) -> None:
        self.retry_key(key_id)
        for sibling in siblings:
            state = self._keys.current(sibling)
            if sibling != key_id and state.condition is KeyCondition.INVALID:
                self._keys.set(sibling, KeyCondition.INVALID, 0.0, state.reason, state.strikes)

    @override
    def retry_provider(self, provider_id: str, key_ids: Sequence[str]) -> None:
        for key_id in key_ids:
            self.retry_key(key_id)
        self._keys.clear_all(provider_state_id(provider_id))
        self._health.forget(provider_id)
        self._absent.forget(provider_id)

    @override
    def forget_key(self, key_id: str) -> None:
        self.retry_key(key_id)
        self._planner.forget(key_id)

    @override
    def restore(self, states: Mapping[str, KeyState]) -> None:
        for state, left in self._still_known(states):
            self._keys.take_up(state, left)

    @override
    def follow(self, states: Mapping[str, KeyState], rests: Sequence[ProviderRest]) -> None:
        self._keys.follow(self._still_known(states))
        self._health.follow([rest for rest in rests if rest.cause != "absent"])
        wall, now = self._clock.now(), self._clock.monotonic()
        self._absent.follow(
            {
                (rest.owner_id, rest.model): now + (rest.until - wall).total_seconds()
                for rest in rests
                if rest.cause == "absent" and rest.until is not None
            }
        )

    @override
    def drain_rests(self) -> Sequence[ProviderRest]:
        wall, now = self._clock.now(), self._clock.monotonic()
        absent = [
            ProviderRest(
                "absent", owner_id, model, None if until is None else wall + timedelta(seconds=until - now), wall
            )
            for owner_id, model, until in self._absent.drain()
        ]
        return (*self._health.drain(), *absent)

    @override
    def drain_changes(self) -> Sequence[KeyState]:
        return self._keys.drain_changes()

    @property
    @override
    def has_quotas(self) -> bool:
        return bool(self._planned)

    @override
    def restore_quotas(self, counts: Sequence[QuotaCount], findings: Sequence[QuotaFinding]) -> None:
        self._planner.take_up(counts, findings)

    @override
    def drain_quotas(self) -> QuotaChanges:
        return self._planner.drain()

    def _still_known(self, states: Mapping[str, KeyState]) -> list[tuple[KeyState, float | None]]:
        """Those of stored states that still say something, with what is left of their waits."""
        now = self._clock.now()
        known: list[tuple[KeyState, float | None]] = []
        for state in states.values():
            left = self._left_of(state, now)
            strikes = state.strikes and (state.until is None or (now - state.until).total_seconds() < STRIKES_SECONDS)
            if left is None or left > 0 or strikes or state.condition is KeyCondition.INVALID:
                until = state.until
                if left is not None and (until is None or (until - now).total_seconds() > left):
                    until = now + timedelta(seconds=left)
                known.append((msgspec.structs.replace(state, until=until), left))
        return known

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
        return 0.0  # an invalid key of a version that never asked again

    def _rest_by_windows(self, key_id: str, model: str, limits: Sequence[RateLimitWindow]) -> None:
        """After an answer: wait where its own budget has nothing left, else forget the strikes."""
        state = self._keys.current(key_id, model)
        if state.condition is not KeyCondition.AVAILABLE:
            return
        wait = self.wait_for_windows(limits) if limits else None
        if wait is not None:
            spent = " and ".join(sorted({_words(w) for w in limits if w.remaining == 0}))
            reason = f"The provider reports no {spent} left."
            self._keys.set(key_id, KeyCondition.RATE_LIMITED, wait, reason, model=model)
        elif state.strikes:
            self._keys.clear(key_id, model)

    def _limited(self, key_id: str, model: str, failure: UpstreamFailure, stated: float | None) -> None:
        before = self._keys.current(key_id, model)
        if failure.kind is FailureKind.QUOTA_EXHAUSTED:
            wait = self.wait_after_exhaustion(stated)
            self._hold(key_id, model, KeyCondition.EXHAUSTED, wait, failure, before.strikes)
            return
        strikes = max(before.strikes + (before.condition is KeyCondition.AVAILABLE), 1)
        first = UNSTATED_WAIT_SECONDS.get(failure.limit.cause) if failure.limit is not None else None
        wait = self.wait_after_rate_limit(stated, strikes, first)
        self._hold(key_id, model, KeyCondition.RATE_LIMITED, wait, failure, strikes)

    def _refused(self, key_id: str, failure: UpstreamFailure, probing: bool) -> None:
        """Many refusals at once are one; only a refused probe waits longer."""
        before = self._keys.current(key_id)
        if before.condition is KeyCondition.INVALID and not probing:
            return
        strikes = before.strikes + 1 if before.condition is KeyCondition.INVALID else 1
        wait = PROBES_AFTER_SECONDS[min(strikes, len(PROBES_AFTER_SECONDS)) - 1]
        self._keys.set(key_id, KeyCondition.INVALID, wait, failure.message[:MAX_REASON_LENGTH], strikes)

    def _probing(self, key_id: str) -> bool:
        until = self._probes.get(key_id)
        return until is not None and self._clock.monotonic() < until

    def _hold(
        self,
        key_id: str,
        model: str,
        condition: KeyCondition,
        wait: float | None,
        failure: UpstreamFailure,
        strikes: int,
    ) -> None:
        before = self._keys.current(key_id, model)
        if before.condition is not KeyCondition.AVAILABLE:
            if severity(before.condition) > severity(condition):
                return
            if before.until is None:
                wait = None  # nobody has retried it yet
            elif wait is not None:
                wait = max(wait, (before.until - self._clock.now()).total_seconds())
        self._keys.set(key_id, condition, wait, failure.message[:MAX_REASON_LENGTH], strikes, model)


def _rests(provider_id: str, key_id: str, model: str, scope: FailureScope) -> tuple[str, str]:
    """Whose state a limit is, and which model's."""
    if scope is FailureScope.PROVIDER:
        return provider_state_id(provider_id), ""
    if scope is FailureScope.DEPLOYMENT:
        return provider_state_id(provider_id), model
    return key_id, model if scope is FailureScope.MODEL else ""


def _longer(one: KeyState, other: KeyState) -> KeyState:
    """The state that lasts longer; one that is available lasts not at all."""
    if one.condition is KeyCondition.AVAILABLE:
        return other
    if one.until is None or other.until is None:
        return one if one.until is None else other
    return one if one.until >= other.until else other


def _believable(seconds: float | None) -> float | None:
    """A stated wait, or None for one that says nothing: zero, negative, or not a number."""
    return seconds if seconds is not None and seconds > 0 else None


def _words(window: RateLimitWindow) -> str:
    return f"{window.dimension} this {window.window}" if window.window else window.dimension
