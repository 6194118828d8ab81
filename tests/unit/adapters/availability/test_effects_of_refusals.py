"""What every row of the table of refusals does to availability: no more than its scope says (contract 7)."""

from datetime import datetime, timedelta

import pytest

from adapters.availability.automatic import AutomaticAvailability
from domain.availability import KeyCondition
from domain.failover import REACTIONS, FailureKind, FailureScope
from tests.fakes.clock import FakeClock
from tests.unit.adapters.wire.refusals import REFUSALS, Refusal

LIMITS = {FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED}
OF_A_MODEL = {FailureScope.MODEL, FailureScope.DEPLOYMENT}
RESTS = {
    FailureScope.MODEL: {("pk_1", "m")},
    FailureScope.DEPLOYMENT: {("pk_1", "m"), ("pk_2", "m")},
    FailureScope.KEY: {("pk_1", "m"), ("pk_1", "other")},
    FailureScope.ACCOUNT: {("pk_1", "m"), ("pk_1", "other")},
}
"""Of two keys and two models, what a limit of this scope keeps from being asked."""


@pytest.mark.parametrize("in_stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.name)
def test_a_refusal_rests_no_more_than_it_speaks_of(row: Refusal, in_stream: bool) -> None:
    clock = FakeClock()
    policy = AutomaticAvailability(clock)
    failure = row.in_stream() if in_stream else row.answered()

    for _ in range(5):
        policy.record_failure("alpha", "pk_1", "m", failure)

    limited = failure.kind in LIMITS
    refused = failure.kind is FailureKind.INVALID_CREDENTIAL
    whole = {("pk_1", "m"), ("pk_1", "other"), ("pk_2", "m"), ("pk_2", "other")}
    rests: set[tuple[str, str]] = RESTS.get(failure.scope, whole) if limited or refused else set()
    assert {pair for pair in whole if _until(policy, *pair) is not None} == rests
    counts = REACTIONS[failure.kind].counts_for_breaker
    assert policy.healthy("alpha", "m") is not counts
    assert policy.healthy("alpha", "other") is not (counts and failure.scope not in OF_A_MODEL)
    assert policy.model_present("alpha", "m") is (failure.kind is not FailureKind.MODEL_ABSENT)
    assert policy.model_present("pk_1", "m") is (failure.kind is not FailureKind.MODEL_BLOCKED)
    assert policy.model_present("alpha", "other")
    if limited and failure.retry_after_seconds:
        assert _until(policy, "pk_1", "m") == clock.now() + timedelta(seconds=failure.retry_after_seconds)
        clock.advance(failure.retry_after_seconds)
        assert _until(policy, "pk_1", "m") is None


def _until(policy: AutomaticAvailability, key_id: str, model: str) -> datetime | None:
    """When a key may be asked for a model again, None where it may be now."""
    states = (policy.key_state(key_id, model), policy.deployment_state("alpha", model))
    ends = [state.until for state in states if state.condition is not KeyCondition.AVAILABLE]
    return max((end for end in ends if end is not None), default=None)
