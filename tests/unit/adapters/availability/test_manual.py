"""Under the manual policy only a person brings a limited key back (A5)."""

import pytest

from adapters.availability.manual import ManualAvailability
from domain.availability import KeyCondition, RateLimitWindow
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.fakes.clock import FakeClock


@pytest.mark.parametrize("kind", [FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED])
def test_a_limited_key_stays_aside_until_someone_retries_it_even_across_a_restart(kind: FailureKind) -> None:
    clock = FakeClock()
    before = ManualAvailability(clock)
    stated = 10 if kind is FailureKind.RATE_LIMITED else None
    before.record_failure("alpha", "pk_1", "m", UpstreamFailure(kind, "slow down", retry_after_seconds=stated))
    states = {state.key_id: state for state in before.drain_changes()}
    clock.advance(40 * 86_400)

    after = ManualAvailability(clock)
    after.restore(states)
    kept = after.key_state("pk_1")
    after.retry_key("pk_1")

    assert before.key_state("pk_1").condition is not KeyCondition.AVAILABLE
    assert kept.condition is not KeyCondition.AVAILABLE
    assert kept.until is None
    assert after.key_state("pk_1").condition is KeyCondition.AVAILABLE


def test_an_exhaustion_with_an_end_does_not_end_a_wait_for_a_person() -> None:
    clock = FakeClock()
    policy = ManualAvailability(clock)
    policy.record_failure("alpha", "pk_1", "m", UpstreamFailure(FailureKind.RATE_LIMITED, "slow down"))
    policy.record_failure(
        "alpha", "pk_1", "m", UpstreamFailure(FailureKind.QUOTA_EXHAUSTED, "used up", retry_after_seconds=60)
    )

    clock.advance(61)

    assert policy.key_state("pk_1").condition is KeyCondition.EXHAUSTED


def test_budgets_in_headers_are_left_to_the_person() -> None:
    policy = ManualAvailability(FakeClock())

    policy.record_success("alpha", "pk_1", (RateLimitWindow("requests", "minute", 30, 0, 60),))

    assert policy.key_state("pk_1").condition is KeyCondition.AVAILABLE
