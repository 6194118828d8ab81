"""How long keys wait under the automatic policy."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.availability.automatic import AutomaticAvailability
from domain.availability import KeyCondition, KeyState, RateLimitWindow
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 11, 21, 22, 30, tzinfo=UTC))


@pytest.fixture
def policy(clock: FakeClock) -> AutomaticAvailability:
    return AutomaticAvailability(clock)


def limit(policy: AutomaticAvailability, seconds: float | None = None) -> None:
    failure = UpstreamFailure(FailureKind.RATE_LIMITED, "slow down", retry_after_seconds=seconds)
    policy.record_failure("alpha", "pk_1", "m", failure)


def seconds_left(policy: AutomaticAvailability, clock: FakeClock) -> float:
    until = policy.key_state("pk_1").until
    assert until is not None
    return (until - clock.now()).total_seconds()


def test_a_stated_wait_is_kept_to_the_second(policy: AutomaticAvailability, clock: FakeClock) -> None:
    """R-43."""
    limit(policy, 10)

    clock.advance(9.9)
    assert policy.key_state("pk_1").condition is KeyCondition.RATE_LIMITED
    clock.advance(0.1)
    assert policy.key_state("pk_1").condition is KeyCondition.AVAILABLE


def test_without_a_stated_wait_pauses_double_up_to_an_hour(policy: AutomaticAvailability, clock: FakeClock) -> None:
    waits = []
    for _ in range(9):
        limit(policy)
        waits.append(seconds_left(policy, clock))
        clock.advance(waits[-1])

    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_a_success_after_the_wait_starts_the_pauses_over(policy: AutomaticAvailability, clock: FakeClock) -> None:
    limit(policy)
    clock.advance(30)
    policy.record_success("alpha", "pk_1", ())
    clock.advance(1)

    limit(policy)

    assert seconds_left(policy, clock) == 30


@pytest.mark.parametrize("seconds", [0.0, -5.0, float("nan")])
def test_a_stated_wait_that_says_nothing_is_ignored(
    policy: AutomaticAvailability, clock: FakeClock, seconds: float
) -> None:
    limit(policy, seconds)

    assert seconds_left(policy, clock) == 30


def test_the_longer_of_two_waits_holds(policy: AutomaticAvailability, clock: FakeClock) -> None:
    limit(policy, 60)
    limit(policy, 5)
    assert seconds_left(policy, clock) == 60

    limit(policy, 90)

    assert seconds_left(policy, clock) == 90


def test_an_exhausted_key_without_a_stated_reset_comes_back_at_midnight_utc(
    policy: AutomaticAvailability, clock: FakeClock
) -> None:
    """A6."""
    policy.record_failure("alpha", "pk_1", "m", UpstreamFailure(FailureKind.QUOTA_EXHAUSTED, "quota used up"))

    assert policy.key_state("pk_1").until == datetime(2026, 11, 22, tzinfo=UTC)


def test_a_window_with_nothing_left_is_waited_for(policy: AutomaticAvailability, clock: FakeClock) -> None:
    policy.record_success(
        "alpha",
        "pk_1",
        (
            RateLimitWindow("requests", "minute", limit=30, remaining=0, reset_seconds=12.5),
            RateLimitWindow("tokens", "minute", limit=6000, remaining=0, reset_seconds=2),
            RateLimitWindow("requests", "day", limit=1000, remaining=7, reset_seconds=5000),
        ),
    )

    state = policy.key_state("pk_1")

    assert state.condition is KeyCondition.RATE_LIMITED
    assert state.until == clock.now() + timedelta(seconds=12.5)
    assert "requests this minute" in state.reason
    clock.advance(12.5)
    assert policy.key_state("pk_1").condition is KeyCondition.AVAILABLE


def test_a_window_whose_limit_is_zero_is_no_window(policy: AutomaticAvailability) -> None:
    policy.record_success("alpha", "pk_1", (RateLimitWindow("tokens", "", limit=0, remaining=0, reset_seconds=60),))

    assert policy.key_state("pk_1").condition is KeyCondition.AVAILABLE


def test_states_kept_by_the_manual_policy_get_an_end(policy: AutomaticAvailability, clock: FakeClock) -> None:
    policy.restore(
        {
            "pk_1": KeyState("pk_1", KeyCondition.RATE_LIMITED, strikes=1),
            "pk_2": KeyState("pk_2", KeyCondition.EXHAUSTED),
            "pk_3": KeyState("pk_3", KeyCondition.INVALID),
        }
    )

    assert policy.key_state("pk_1").until == clock.now() + timedelta(seconds=30)
    assert policy.key_state("pk_2").until == datetime(2026, 11, 22, tzinfo=UTC)
    assert policy.key_state("pk_3").until == clock.now()  # it is asked again at once


def test_what_headers_count_by_model_rests_that_model_alone(policy: AutomaticAvailability, clock: FakeClock) -> None:
    day = RateLimitWindow("requests", "day", 1000, 0, 25_920.0, by_model=True)

    policy.record_success("alpha", "pk_1", (day,), "big")

    assert policy.key_state("pk_1", "big").until == clock.now() + timedelta(seconds=25_920)
    assert policy.key_state("pk_1", "small").condition is KeyCondition.AVAILABLE
    assert policy.key_state("pk_1").condition is KeyCondition.AVAILABLE
