"""What each class of limit rests, and for how long, shown on each `AvailabilityPolicy` (contract 7)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from adapters.availability.automatic import AutomaticAvailability
from adapters.availability.manual import ManualAvailability
from domain.availability import KeyCondition
from domain.errors import UpstreamFailure
from domain.failover import FailureKind, FailureScope
from domain.ports.policies import AvailabilityPolicy
from domain.ports.runtime import Clock
from domain.provider_limits import LimitClass, LimitFact
from domain.quotas import KeyQuota, rule_of
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


def limited(
    policy: AvailabilityPolicy,
    scope: FailureScope,
    seconds: float | None = 60,
    kind: FailureKind = FailureKind.RATE_LIMITED,
    limit: LimitFact | None = None,
) -> None:
    failure = UpstreamFailure(kind, "no", retry_after_seconds=seconds, scope=scope, limit=limit)
    policy.record_failure("alpha", "pk_1", "m", failure)


def resting(policy: AvailabilityPolicy) -> set[tuple[str, str]]:
    """Of two keys and two models of a provider, those pairs that are not asked."""
    return {
        (key_id, model)
        for key_id in ("pk_1", "pk_2")
        for model in ("m", "n")
        if policy.deployment_state("alpha", model).condition is not KeyCondition.AVAILABLE
        or policy.key_state(key_id, model).condition is not KeyCondition.AVAILABLE
    }


@pytest.mark.parametrize(
    ("scope", "rests"),
    [
        (FailureScope.MODEL, {("pk_1", "m")}),
        (FailureScope.KEY, {("pk_1", "m"), ("pk_1", "n")}),
        (FailureScope.ACCOUNT, {("pk_1", "m"), ("pk_1", "n")}),
        (FailureScope.DEPLOYMENT, {("pk_1", "m"), ("pk_2", "m")}),
        (FailureScope.PROVIDER, {("pk_1", "m"), ("pk_1", "n"), ("pk_2", "m"), ("pk_2", "n")}),
    ],
)
def test_a_limit_rests_what_it_concerns_and_nothing_else(
    policy: AvailabilityPolicy, scope: FailureScope, rests: set[tuple[str, str]]
) -> None:
    limited(policy, scope)

    assert resting(policy) == rests
    policy.retry_provider("alpha", ["pk_1", "pk_2"])
    assert resting(policy) == set()


@pytest.mark.parametrize("scope", [FailureScope.DEPLOYMENT, FailureScope.PROVIDER])
def test_what_every_key_meets_is_known_after_a_restart(make: Make, clock: FakeClock, scope: FailureScope) -> None:
    before, after = make(clock), make(clock)
    limited(before, scope, 600, FailureKind.QUOTA_EXHAUSTED)

    after.restore({state.id: state for state in before.drain_changes()})

    assert resting(after) == resting(before)


@pytest.mark.parametrize(
    ("cause", "seconds"),
    [
        (LimitClass.MINUTE, 30),
        (LimitClass.ACCOUNT, 30),
        (LimitClass.ADDRESS, 30),
        (LimitClass.CONCURRENCY, 2),
        (LimitClass.POOL, 15),
        (LimitClass.SPEND_RATE, 600),
    ],
)
def test_a_limit_that_names_no_wait_rests_as_long_as_its_sort_usually_takes(
    clock: FakeClock, cause: LimitClass, seconds: float
) -> None:
    policy = AutomaticAvailability(clock)
    limited(policy, FailureScope.KEY, None, limit=LimitFact(cause))

    assert policy.key_state("pk_1").until == clock.now() + timedelta(seconds=seconds)


def test_a_model_without_any_quota_here_is_not_asked_for_a_day(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    limited(policy, FailureScope.MODEL, None, FailureKind.MODEL_BLOCKED, LimitFact(LimitClass.MODEL_GONE))

    clock.advance(86_399)
    assert not policy.model_present("pk_1", "m")
    clock.advance(1)
    assert policy.model_present("pk_1", "m")


def test_a_model_that_is_overloaded_rests_and_the_others_of_its_provider_go_on(
    policy: AvailabilityPolicy, clock: FakeClock
) -> None:
    for _ in range(5):
        limited(policy, FailureScope.DEPLOYMENT, None, FailureKind.OVERLOADED)

    assert not policy.healthy("alpha", "m")
    assert policy.unhealthy_until("alpha", "m") == clock.now() + timedelta(seconds=30)
    assert policy.healthy("alpha", "n")
    assert policy.unhealthy_until("alpha") is None
    policy.record_success("alpha", "pk_2", (), "m")
    assert policy.healthy("alpha", "m")


def test_a_provider_that_serves_nobody_here_rests_at_once_and_says_why_and_no_key_is_held_invalid(
    policy: AvailabilityPolicy, clock: FakeClock
) -> None:
    failure = UpstreamFailure(FailureKind.ADDRESS_REFUSED, "Country, region, or territory not supported")
    policy.record_failure("alpha", "pk_1", "m", failure)

    assert not policy.healthy("alpha", "m")
    assert policy.unhealthy_until("alpha") == clock.now() + timedelta(seconds=30)
    assert policy.unhealthy_reason("alpha") == "Country, region, or territory not supported"
    assert policy.key_state("pk_1").condition is KeyCondition.AVAILABLE
    clock.advance(30)
    assert [policy.healthy("alpha", "m") for _ in range(2)] == [True, False]
    policy.record_success("alpha", "pk_1", (), "m")
    assert policy.healthy("alpha", "m")


def test_a_spent_pool_rests_every_model_in_it(policy: AvailabilityPolicy) -> None:
    """A refusal that names one model of a pool saves the calls for all the others."""
    quota = KeyQuota(dimension="requests", limit=50, window="day", pool="free models", models=("m", "n"))
    policy.plan_quotas({"pk_1": [("pk_1", rule_of(quota))]})
    fact = LimitFact(LimitClass.DAY, "requests", "day", 50)

    limited(policy, FailureScope.MODEL, 3600, FailureKind.QUOTA_EXHAUSTED, fact)

    assert resting(policy) == {("pk_1", "m"), ("pk_1", "n")}
    assert policy.key_state("pk_1", "other").condition is KeyCondition.AVAILABLE
