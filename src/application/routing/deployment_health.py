"""Whether a deployment may be asked now, for whoever compares deployments. Asks nothing that has an effect."""

from datetime import datetime

from application.snapshot import LiveProvider
from domain.availability import KeyCondition
from domain.ports.policies import AvailabilityPolicy


def health_of(policy: AvailabilityPolicy, live: LiveProvider, model: str, now: datetime) -> float:
    """1 where it may be asked, a half where one request may try, 0 where none may."""
    provider_id = live.provider.id
    if live.lease is None or not policy.model_present(provider_id, model):
        return 0.0
    if policy.deployment_state(provider_id, model).condition is not KeyCondition.AVAILABLE:
        return 0.0
    if live.keys:
        states = (policy.key_state(key.id, model) for key in live.keys)
        if not any(state.condition is KeyCondition.AVAILABLE for state in states):
            return 0.0
    elif live.requires_key:
        return 0.0
    until = policy.unhealthy_until(provider_id, model)
    if until is None:
        return 1.0
    return 0.0 if until > now else 0.5
