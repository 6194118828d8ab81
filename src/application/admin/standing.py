"""What to say of a provider and of a key: the policy's facts in the words of `GET /admin/providers`."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from application.inference.dispatch import key_id_of
from application.snapshot import LiveProvider
from domain.availability import KeyCondition, KeyState, ProviderStatus
from domain.ports.policies import AvailabilityPolicy
from domain.ports.runtime import Clock

_WORST_FIRST = (KeyCondition.INVALID, KeyCondition.EXHAUSTED, KeyCondition.RATE_LIMITED)


class Standing(msgspec.Struct, frozen=True):
    """A status, when it ends where that is known, and why it is so."""

    status: ProviderStatus
    available_at: datetime | None = None
    reason: str = ""


def key_ids_of(live: LiveProvider) -> tuple[str, ...]:
    """Every id under which availability is kept for this provider."""
    return (*(key.id for key in live.keys), key_id_of(live.provider.id, None))


def standing_of_key(state: KeyState) -> Standing:
    available_at = None if state.condition is KeyCondition.AVAILABLE else state.until
    return Standing(ProviderStatus(state.condition.value), available_at, state.reason)


def standing_of(live: LiveProvider, availability: AvailabilityPolicy, clock: Clock) -> Standing:
    """Of several troubles the worst is told; `available_at` is when the first key may be asked again."""
    if not live.provider.enabled:
        return Standing(ProviderStatus.DISABLED)
    if live.lease is None:
        return Standing(ProviderStatus.UNHEALTHY, None, live.problem)
    if live.requires_key and not live.keys:
        return Standing(ProviderStatus.NO_KEY, None, "It has no key: add one, or set its environment variable.")
    keys = _standing_of_keys(live, availability)
    probe_at = availability.unhealthy_until(live.provider.id)
    if probe_at is None:
        return keys
    if keys.status is not ProviderStatus.AVAILABLE:
        both = max(probe_at, keys.available_at) if keys.available_at else None
        return Standing(ProviderStatus.UNHEALTHY, both, keys.reason)
    return Standing(ProviderStatus.UNHEALTHY, max(probe_at, clock.now()), "Too many calls in a row failed.")


def _standing_of_keys(live: LiveProvider, availability: AvailabilityPolicy) -> Standing:
    ids = [key.id for key in live.keys] or [key_id_of(live.provider.id, None)]
    states = [availability.key_state(key_id) for key_id in ids]
    if any(state.condition is KeyCondition.AVAILABLE for state in states):
        return Standing(ProviderStatus.AVAILABLE)
    worst = _worst(states)
    ends = [state.until for state in states if state.until is not None]
    return Standing(ProviderStatus(worst.condition.value), min(ends, default=None), worst.reason)


def _worst(states: Sequence[KeyState]) -> KeyState:
    return min(states, key=lambda state: _WORST_FIRST.index(state.condition))
