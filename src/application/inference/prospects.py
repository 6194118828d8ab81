"""Whether a later candidate looks usable now: asked after a failure, before a call is spent on what just failed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from application.inference.calls import Operation, key_id_of
from application.snapshot import LiveProvider
from domain.availability import KeyCondition, KeyState
from domain.keys import ProviderKey
from domain.ports.policies import AvailabilityPolicy
from domain.ports.runtime import Clock
from domain.routing import Candidate

P = TypeVar("P")


class Prospects(Generic[P]):
    """Looks at what is known, and asks nothing that has an effect."""

    def __init__(
        self,
        availability: AvailabilityPolicy,
        providers: Mapping[str, LiveProvider],
        operation: Operation[P],
        clock: Clock,
    ) -> None:
        self._availability = availability
        self._providers = providers
        self._operation = operation
        self._now = clock.now()

    def could_serve(self, candidate: Candidate) -> bool:
        if candidate.mock is not None:
            return True
        provider_id, model = candidate.provider.id, candidate.model
        live = self._providers.get(provider_id)
        if live is None or live.lease is None or (live.requires_key and not live.keys):
            return False
        if self._operation.capability(live.lease.client.capabilities) is None:
            return False
        until = self._availability.unhealthy_until(provider_id, model)
        resting = self._availability.deployment_state(provider_id, model)
        if (until is not None and until > self._now) or resting.condition is not KeyCondition.AVAILABLE:
            return False
        keys: Sequence[ProviderKey | None] = live.keys or (None,)
        states = [self._availability.key_state(key_id_of(provider_id, key), model) for key in keys]
        return self._availability.model_present(provider_id, model) and any(
            state.condition is KeyCondition.AVAILABLE or is_due(state, self._now) for state in states
        )


def is_due(state: KeyState, now: datetime) -> bool:
    """Whether a key that was refused may be asked again."""
    over = state.until is not None and state.until <= now
    return state.condition is KeyCondition.INVALID and over


def trusted(keys: list[ProviderKey], availability: AvailabilityPolicy, clock: Clock) -> list[ProviderKey]:
    """The keys without those whose calls keep failing, as long as there are others: else their provider's breaker
    decides."""
    if len(keys) < 2:
        return keys
    now, until = clock.now(), {key.id: availability.key_unhealthy_until(key.id) for key in keys}
    return [key for key in keys if (ends := until[key.id]) is None or ends <= now] or keys


def staying(candidates: Sequence[Candidate], availability: AvailabilityPolicy) -> frozenset[str]:
    """The providers that checks have set aside and that are asked all the same: of a route's living targets, which are
    those that no breaker rests, at least half stay."""
    aside = [c.provider.id for c in candidates if availability.is_aside(c.provider.id)]
    others = sum(availability.unhealthy_until(c.provider.id, c.model) is None for c in candidates)
    return frozenset(aside[: max(0, len(aside) - (len(aside) + others) // 2)])
