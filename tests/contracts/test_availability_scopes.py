"""How far a refusal reaches, and how a refused key comes back, shown on each `AvailabilityPolicy` (contract 7)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from adapters.availability.automatic import AutomaticAvailability
from adapters.availability.manual import ManualAvailability
from domain.availability import KeyCondition, KeyState
from domain.errors import UpstreamFailure
from domain.failover import REACTIONS, FailureKind, FailureScope
from domain.ports.policies import AvailabilityPolicy
from domain.ports.runtime import Clock
from tests.fakes.clock import FakeClock

Make = Callable[[Clock], AvailabilityPolicy]


@pytest.fixture(params=[AutomaticAvailability, ManualAvailability])
def make(request: pytest.FixtureRequest) -> Make:
    factory: Make = request.param
    return factory


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def policy(make: Make, clock: FakeClock) -> AvailabilityPolicy:
    return make(clock)


def fail(policy: AvailabilityPolicy, kind: FailureKind, seconds: float | None = None, key_id: str = "pk_1") -> None:
    policy.record_failure("alpha", key_id, "m", UpstreamFailure(kind, "no", retry_after_seconds=seconds))


def fail_model(policy: AvailabilityPolicy, kind: FailureKind, model: str, seconds: float | None = None) -> None:
    failure = UpstreamFailure(kind, "no", retry_after_seconds=seconds, scope=FailureScope.MODEL)
    policy.record_failure("alpha", "pk_1", model, failure)


def test_an_invalid_key_is_asked_again_after_1_5_30_and_every_60_minutes(
    policy: AvailabilityPolicy, clock: FakeClock
) -> None:
    fail(policy, FailureKind.INVALID_CREDENTIAL)
    waits = []
    for _ in range(5):
        until = policy.key_state("pk_1").until
        assert until is not None
        waits.append((until - clock.now()).total_seconds() / 60)
        clock.advance(waits[-1] * 60 - 1)
        assert not policy.take_probe("pk_1")
        clock.advance(1)
        assert policy.take_probe("pk_1")
        fail(policy, FailureKind.INVALID_CREDENTIAL)

    assert waits == [1, 5, 30, 60, 60]
    assert policy.key_state("pk_1").condition is KeyCondition.INVALID


def test_an_invalid_key_is_asked_by_one_request_at_a_time(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    fail(policy, FailureKind.INVALID_CREDENTIAL)
    clock.advance(60)

    assert [policy.take_probe("pk_1") for _ in range(3)] == [True, False, False]
    policy.record_success("alpha", "pk_1", (), "m")

    assert policy.key_state("pk_1") == KeyState("pk_1")


def test_a_probe_that_never_reports_lets_another_request_ask(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    fail(policy, FailureKind.INVALID_CREDENTIAL)
    clock.advance(60)
    assert policy.take_probe("pk_1")

    clock.advance(59)
    assert not policy.take_probe("pk_1")
    clock.advance(1)

    assert policy.take_probe("pk_1")


def test_a_limit_told_to_a_probe_says_that_the_key_is_good(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    fail(policy, FailureKind.INVALID_CREDENTIAL)
    clock.advance(60)
    assert policy.take_probe("pk_1")

    fail(policy, FailureKind.RATE_LIMITED, 10)

    assert policy.key_state("pk_1").condition is KeyCondition.RATE_LIMITED


def test_many_refusals_at_once_are_one(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    for _ in range(20):
        fail(policy, FailureKind.INVALID_CREDENTIAL)

    assert policy.key_state("pk_1").until == clock.now() + timedelta(seconds=60)


def test_a_good_test_frees_its_key_and_has_its_invalid_siblings_asked_at_once(policy: AvailabilityPolicy) -> None:
    for key_id in ("pk_1", "pk_2"):
        fail(policy, FailureKind.INVALID_CREDENTIAL, key_id=key_id)
    fail(policy, FailureKind.RATE_LIMITED, 30, key_id="pk_3")

    policy.key_accepted("pk_1", ["pk_1", "pk_2", "pk_3"])

    assert policy.key_state("pk_1") == KeyState("pk_1")
    assert policy.take_probe("pk_2")
    assert policy.key_state("pk_3").condition is KeyCondition.RATE_LIMITED


LIMITS = [FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED]


@pytest.mark.parametrize("kind", LIMITS)
def test_a_limit_of_one_model_leaves_the_keys_other_models(policy: AvailabilityPolicy, kind: FailureKind) -> None:
    fail_model(policy, kind, "m", 600)

    assert policy.key_state("pk_1").condition is KeyCondition.AVAILABLE
    assert policy.key_state("pk_1", "other").condition is KeyCondition.AVAILABLE
    assert policy.key_state("pk_2", "m").condition is KeyCondition.AVAILABLE
    assert policy.key_state("pk_1", "m").condition is not KeyCondition.AVAILABLE
    assert [state.model for state in policy.resting_models("pk_1")] == ["m"]


@pytest.mark.parametrize("kind", LIMITS)
def test_a_limit_of_the_key_holds_for_every_model(policy: AvailabilityPolicy, kind: FailureKind) -> None:
    fail(policy, kind, 600)

    assert policy.key_state("pk_1", "m").condition is policy.key_state("pk_1", "other").condition
    assert policy.key_state("pk_1", "m").condition is not KeyCondition.AVAILABLE


def test_of_a_key_and_a_model_the_longer_wait_is_told(policy: AvailabilityPolicy) -> None:
    fail_model(policy, FailureKind.QUOTA_EXHAUSTED, "m", 7200)
    fail(policy, FailureKind.QUOTA_EXHAUSTED, 60)

    assert policy.key_state("pk_1", "m").model == "m"
    assert policy.key_state("pk_1", "other").model == ""


def test_a_retry_frees_a_keys_models_too(policy: AvailabilityPolicy) -> None:
    fail_model(policy, FailureKind.RATE_LIMITED, "m", 600)
    policy.record_failure("alpha", "pk_1", "n", UpstreamFailure(FailureKind.MODEL_BLOCKED, "no"))

    policy.retry_key("pk_1")

    assert policy.key_state("pk_1", "m").condition is KeyCondition.AVAILABLE
    assert policy.model_present("pk_1", "n")


def test_a_rest_of_one_model_survives_a_restart(make: Make, clock: FakeClock) -> None:
    before = make(clock)
    fail_model(before, FailureKind.QUOTA_EXHAUSTED, "m", 600)

    after = make(clock)
    after.restore({state.id: state for state in before.drain_changes()})

    assert after.key_state("pk_1", "m") == before.key_state("pk_1", "m")
    assert after.key_state("pk_1").condition is KeyCondition.AVAILABLE


def test_a_model_that_was_taken_away_is_absent_for_a_day(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    fail(policy, FailureKind.MODEL_ABSENT, 86_400)

    clock.advance(86_399)
    assert not policy.model_present("alpha", "m")
    clock.advance(1)
    assert policy.model_present("alpha", "m")


def test_a_blocked_model_is_blocked_for_its_key_alone(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    fail(policy, FailureKind.MODEL_BLOCKED)

    assert not policy.model_present("pk_1", "m")
    assert policy.model_present("pk_1", "other")
    assert policy.model_present("pk_2", "m")
    assert policy.model_present("alpha", "m")
    assert policy.key_state("pk_1").condition is KeyCondition.AVAILABLE
    clock.advance(300)
    assert policy.model_present("pk_1", "m")


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_failure_rests_no_more_than_its_row_says(policy: AvailabilityPolicy, kind: FailureKind) -> None:
    for _ in range(10):
        fail(policy, kind, 60)

    rests_key = kind in {FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED, FailureKind.INVALID_CREDENTIAL}
    assert (policy.key_state("pk_1", "m").condition is not KeyCondition.AVAILABLE) == rests_key
    assert policy.healthy("alpha") is not REACTIONS[kind].counts_for_breaker
    assert policy.model_present("alpha", "m") is (kind is not FailureKind.MODEL_ABSENT)
    assert policy.key_state("pk_2").condition is KeyCondition.AVAILABLE
