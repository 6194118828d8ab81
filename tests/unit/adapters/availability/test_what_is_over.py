"""What is held against keys, models and providers ends by itself: whether or not anybody asks for them again (R-32)."""

from collections.abc import Callable

import pytest

from adapters.availability.automatic import AutomaticAvailability
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.failover import FailureKind, FailureScope
from tests.fakes.clock import FakeClock

Trouble = Callable[[AutomaticAvailability], None]

HOURS = 2


def troubled(policy: AutomaticAvailability) -> bool:
    return not policy.untroubled


def failed(kind: FailureKind, scope: FailureScope | None = None, wait: float | None = None) -> Trouble:
    def trouble(policy: AutomaticAvailability) -> None:
        failure = UpstreamFailure(kind, "no", status=500, retry_after_seconds=wait)
        if scope is not None:
            failure.scope = scope
        policy.record_failure("p", "key", "m", failure)

    return trouble


def spent(policy: AutomaticAvailability) -> None:
    policy.record_success("p", "key", [RateLimitWindow("requests", "minute", 10, 0, 20.0)], "m")


TROUBLES: dict[str, Trouble] = {
    "a model that is absent": failed(FailureKind.MODEL_ABSENT),
    "a model that a key may not use": failed(FailureKind.MODEL_BLOCKED, wait=60),
    "a limit": failed(FailureKind.RATE_LIMITED),
    "a limit of a model": failed(FailureKind.RATE_LIMITED, FailureScope.MODEL, 30),
    "a limit of a deployment": failed(FailureKind.RATE_LIMITED, FailureScope.DEPLOYMENT, 30),
    "no quota": failed(FailureKind.QUOTA_EXHAUSTED, wait=3_600),
    "a window that is spent": spent,
    "a key whose calls fail": failed(FailureKind.SERVER_ERROR),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_after_any_trouble_that_passed_the_gateway_is_untroubled_though_nobody_asked_again(trouble: Trouble) -> None:
    clock = FakeClock()
    policy = AutomaticAvailability(clock)
    assert not troubled(policy)

    trouble(policy)
    assert troubled(policy)
    clock.advance(HOURS * 3_600)

    assert not troubled(policy)


def test_one_of_two_that_is_over_is_forgotten_and_the_other_holds() -> None:
    clock = FakeClock()
    policy = AutomaticAvailability(clock)
    failed(FailureKind.MODEL_ABSENT, wait=600)(policy)
    policy.record_success("p", "key", [RateLimitWindow("requests", "minute", 10, 0, 20.0)], "m")

    clock.advance(30)
    assert troubled(policy)
    assert not policy.model_present("p", "m")
    clock.advance(580)

    assert not troubled(policy)
    assert policy.model_present("p", "m")


def test_strikes_are_remembered_for_an_hour_after_their_wait() -> None:
    clock = FakeClock()
    policy = AutomaticAvailability(clock)
    for _ in range(3):
        failed(FailureKind.RATE_LIMITED)(policy)
        clock.advance(200)
        assert troubled(policy)

    assert policy.key_state("key").strikes == 3
    clock.advance(3_600)

    assert not troubled(policy)
    assert policy.key_state("key").strikes == 0


def test_a_key_that_was_refused_stays_so_until_it_is_asked() -> None:
    clock = FakeClock()
    policy = AutomaticAvailability(clock)
    failed(FailureKind.INVALID_CREDENTIAL)(policy)

    clock.advance(100 * 3_600)

    assert troubled(policy)
    assert policy.take_probe("key")


def test_what_checks_set_aside_is_told_to_be_back_when_its_time_has_passed() -> None:
    clock = FakeClock()
    policy = AutomaticAvailability(clock)
    policy.set_aside("p", 300)
    policy.drain_rests()

    clock.advance(301)

    assert not policy.has_aside
    assert [(rest.owner_id, rest.until) for rest in policy.drain_rests()] == [("p", None)]


def test_a_model_that_was_absent_and_is_retried_is_still_told_to_others_when_another_is_over() -> None:
    clock = FakeClock()
    policy = AutomaticAvailability(clock)
    policy.record_failure("p", "key", "m", UpstreamFailure(FailureKind.MODEL_ABSENT, "no", status=404))
    policy.record_failure("q", "key2", "m", UpstreamFailure(FailureKind.MODEL_ABSENT, "no", status=404))
    policy.drain_rests()
    policy.retry_provider("p", ["key"])
    clock.advance(1_000)
    assert not troubled(policy)

    assert [(rest.owner_id, rest.until) for rest in policy.drain_rests()] == [("p", None)]
