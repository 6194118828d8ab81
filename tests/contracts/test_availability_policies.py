"""What every `AvailabilityPolicy` promises, shown on each implementation (contract 7, A4-A6, R-32, R-39, R-43)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from adapters.availability.automatic import AutomaticAvailability
from adapters.availability.manual import ManualAvailability
from domain.availability import KeyCondition, KeyState, RateLimitWindow
from domain.errors import UpstreamFailure
from domain.failover import REACTIONS, FailureKind, FailureScope
from domain.ports.policies import AvailabilityPolicy
from domain.ports.runtime import Clock
from tests.fakes.clock import FakeClock

Make = Callable[[Clock], AvailabilityPolicy]

BREAKER_KINDS = [
    kind
    for kind in FailureKind
    if REACTIONS[kind].counts_for_breaker and kind is not FailureKind.ADDRESS_REFUSED  # one of it is enough
]
HARMLESS_KINDS = [kind for kind in FailureKind if REACTIONS[kind].scope is FailureScope.REQUEST]


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


def open_breaker(policy: AvailabilityPolicy) -> None:
    for _ in range(5):
        fail(policy, FailureKind.SERVER_ERROR)


def test_what_was_never_heard_of_is_available(policy: AvailabilityPolicy) -> None:
    assert policy.key_state("pk_1") == KeyState("pk_1")
    assert policy.model_present("alpha", "m")
    assert policy.healthy("alpha")
    assert policy.unhealthy_until("alpha") is None


def test_a_rate_limited_key_waits_and_says_why_and_since_when(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    policy.record_failure(
        "alpha", "pk_1", "m", UpstreamFailure(FailureKind.RATE_LIMITED, "slow down", retry_after_seconds=10)
    )

    state = policy.key_state("pk_1")

    assert state.condition is KeyCondition.RATE_LIMITED
    assert (state.reason, state.since, state.strikes) == ("slow down", clock.now(), 1)


def test_a_rate_limit_concerns_one_key_only(policy: AvailabilityPolicy) -> None:
    """R-43."""
    fail(policy, FailureKind.RATE_LIMITED, 10)

    assert policy.key_state("pk_2").condition is KeyCondition.AVAILABLE
    assert policy.healthy("alpha")


def test_an_exhausted_key_waits_for_the_reset_its_provider_states(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    fail(policy, FailureKind.QUOTA_EXHAUSTED, 7200)

    assert policy.key_state("pk_1").condition is KeyCondition.EXHAUSTED
    assert policy.key_state("pk_1").until == clock.now() + timedelta(hours=2)
    clock.advance(7200)
    assert policy.key_state("pk_1").condition is KeyCondition.AVAILABLE


def test_a_milder_answer_to_an_earlier_call_does_not_free_a_key(policy: AvailabilityPolicy) -> None:
    fail(policy, FailureKind.INVALID_CREDENTIAL)

    fail(policy, FailureKind.QUOTA_EXHAUSTED, 60)
    fail(policy, FailureKind.RATE_LIMITED, 1)
    policy.record_success("alpha", "pk_1", ())

    assert policy.key_state("pk_1").condition is KeyCondition.INVALID


def test_a_success_of_an_earlier_call_does_not_free_a_limited_key(policy: AvailabilityPolicy) -> None:
    fail(policy, FailureKind.RATE_LIMITED, 30)

    policy.record_success("alpha", "pk_1", ())

    assert policy.key_state("pk_1").condition is KeyCondition.RATE_LIMITED


def test_many_rate_limits_at_once_are_one_strike(policy: AvailabilityPolicy) -> None:
    for _ in range(10):
        fail(policy, FailureKind.RATE_LIMITED)

    assert policy.key_state("pk_1").strikes == 1


@pytest.mark.parametrize(
    "kind", [FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED, FailureKind.INVALID_CREDENTIAL]
)
def test_a_retry_makes_a_key_available_at_once(policy: AvailabilityPolicy, kind: FailureKind) -> None:
    fail(policy, kind)

    policy.retry_key("pk_1")

    assert policy.key_state("pk_1") == KeyState("pk_1")


def test_a_changed_key_is_available_at_once(policy: AvailabilityPolicy) -> None:
    fail(policy, FailureKind.INVALID_CREDENTIAL)

    policy.forget_key("pk_1")

    assert policy.key_state("pk_1") == KeyState("pk_1")


def test_a_retried_provider_has_keys_models_and_health_again(policy: AvailabilityPolicy) -> None:
    fail(policy, FailureKind.RATE_LIMITED)
    fail(policy, FailureKind.INVALID_CREDENTIAL, key_id="pk_2")
    fail(policy, FailureKind.MODEL_ABSENT)
    open_breaker(policy)

    policy.retry_provider("alpha", ["pk_1", "pk_2"])

    assert policy.key_state("pk_1").condition is KeyCondition.AVAILABLE
    assert policy.key_state("pk_2").condition is KeyCondition.AVAILABLE
    assert policy.model_present("alpha", "m")
    assert policy.healthy("alpha")


def test_an_absent_model_is_asked_again_after_five_minutes(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    fail(policy, FailureKind.MODEL_ABSENT)

    clock.advance(299)
    assert not policy.model_present("alpha", "m")
    assert policy.model_present("alpha", "other")
    assert policy.model_present("beta", "m")
    clock.advance(1)
    assert policy.model_present("alpha", "m")


@pytest.mark.parametrize("kind", BREAKER_KINDS)
def test_five_failures_in_a_row_make_a_provider_unhealthy(
    policy: AvailabilityPolicy, clock: FakeClock, kind: FailureKind
) -> None:
    for _ in range(4):
        fail(policy, kind)
    assert policy.healthy("alpha")

    fail(policy, kind)

    assert not policy.healthy("alpha")
    assert policy.unhealthy_until("alpha") == clock.now() + timedelta(seconds=30)
    assert policy.key_state("pk_1").condition is KeyCondition.AVAILABLE


def test_a_success_in_between_starts_the_count_again(policy: AvailabilityPolicy) -> None:
    for _ in range(4):
        fail(policy, FailureKind.TIMEOUT)
    policy.record_success("alpha", "pk_1", ())
    for _ in range(4):
        fail(policy, FailureKind.TIMEOUT)

    assert policy.healthy("alpha")


@pytest.mark.parametrize("kind", HARMLESS_KINDS)
def test_a_clients_own_mistakes_change_nothing(policy: AvailabilityPolicy, kind: FailureKind) -> None:
    """A4, R-39: a client that sends bad requests cannot open the breaker."""
    for _ in range(50):
        fail(policy, kind)

    assert policy.healthy("alpha")
    assert policy.model_present("alpha", "m")
    assert policy.key_state("pk_1") == KeyState("pk_1")
    assert policy.drain_changes() == ()


def test_after_the_wait_one_probe_at_a_time_passes(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    open_breaker(policy)
    clock.advance(30)

    assert [policy.healthy("alpha") for _ in range(3)] == [True, False, False]
    policy.record_success("alpha", "pk_1", ())
    assert [policy.healthy("alpha") for _ in range(3)] == [True, True, True]


def test_looking_at_a_half_open_provider_takes_no_probe(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    open_breaker(policy)
    clock.advance(30)

    assert policy.unhealthy_until("alpha") == clock.now()
    assert policy.healthy("alpha")


def test_a_failed_probe_waits_longer_each_time_up_to_five_minutes(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    open_breaker(policy)
    waits = []
    for _ in range(12):
        until = policy.unhealthy_until("alpha")
        assert until is not None
        waits.append((until - clock.now()).total_seconds())
        clock.advance(waits[-1])
        assert policy.healthy("alpha")
        fail(policy, FailureKind.CONNECT)

    assert waits == [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300]


def test_a_probe_that_never_reports_gives_its_place_up(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    open_breaker(policy)
    clock.advance(30)
    assert policy.healthy("alpha")

    clock.advance(59)
    assert not policy.healthy("alpha")
    clock.advance(1)

    assert policy.healthy("alpha")


def test_a_probe_that_hits_a_rate_limit_lets_the_next_one_pass(policy: AvailabilityPolicy, clock: FakeClock) -> None:
    open_breaker(policy)
    clock.advance(30)
    assert policy.healthy("alpha")

    fail(policy, FailureKind.RATE_LIMITED, 10)

    assert policy.healthy("alpha")


def test_changes_are_drained_once_and_newest_only(policy: AvailabilityPolicy) -> None:
    fail(policy, FailureKind.RATE_LIMITED, 10)
    fail(policy, FailureKind.INVALID_CREDENTIAL)
    fail(policy, FailureKind.RATE_LIMITED, 10, key_id="pk_2")

    drained = {state.key_id: state for state in policy.drain_changes()}

    assert drained == {"pk_1": policy.key_state("pk_1"), "pk_2": policy.key_state("pk_2")}  # replaces nothing stored
    assert policy.drain_changes() == ()


def test_a_retry_is_a_change_for_the_store(policy: AvailabilityPolicy) -> None:
    fail(policy, FailureKind.RATE_LIMITED)
    policy.drain_changes()

    policy.retry_key("pk_1")

    (change,) = policy.drain_changes()
    assert (change.id, change.is_plain) == ("pk_1", True)


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        (FailureKind.RATE_LIMITED, 600.0),
        (FailureKind.QUOTA_EXHAUSTED, 600.0),
        (FailureKind.QUOTA_EXHAUSTED, None),
        (FailureKind.INVALID_CREDENTIAL, None),
    ],
)
def test_a_restart_forgets_nothing(make: Make, clock: FakeClock, kind: FailureKind, seconds: float | None) -> None:
    before = make(clock)
    fail(before, kind, seconds)

    after = make(clock)
    after.restore({state.key_id: state for state in before.drain_changes()})

    assert after.key_state("pk_1") == before.key_state("pk_1")
    assert after.drain_changes() == ()


def test_a_wait_that_passed_during_a_restart_is_over(make: Make, clock: FakeClock) -> None:
    before = make(clock)
    fail(before, FailureKind.QUOTA_EXHAUSTED, 60)
    states = {state.key_id: state for state in before.drain_changes()}
    clock.advance(61)

    after = make(clock)
    after.restore(states)

    assert after.key_state("pk_1").condition is KeyCondition.AVAILABLE


def test_a_jump_of_the_wall_clock_ends_no_wait_and_makes_none_longer(
    policy: AvailabilityPolicy, clock: FakeClock
) -> None:
    """R-21."""
    fail(policy, FailureKind.QUOTA_EXHAUSTED, 60)

    clock.set_wall_clock(clock.now() + timedelta(days=1))
    assert policy.key_state("pk_1").condition is KeyCondition.EXHAUSTED
    clock.set_wall_clock(clock.now() - timedelta(days=2))
    clock.advance(60)

    assert policy.key_state("pk_1").condition is KeyCondition.AVAILABLE


@pytest.mark.parametrize("seconds", [float("inf"), 1e300])
def test_an_absurd_wait_is_not_believed(policy: AvailabilityPolicy, clock: FakeClock, seconds: float) -> None:
    fail(policy, FailureKind.QUOTA_EXHAUSTED, seconds)

    assert policy.key_state("pk_1").until == clock.now() + timedelta(days=31)


def test_memory_stays_bounded_whatever_clients_ask_for(policy: AvailabilityPolicy) -> None:
    """R-32: model names come from clients."""
    failure = UpstreamFailure(FailureKind.MODEL_ABSENT, "no such model")
    for number in range(5_000):
        policy.record_failure("alpha", "pk_1", f"nonsense-{number}", failure)

    remembered = sum(not policy.model_present("alpha", f"nonsense-{number}") for number in range(5_000))

    assert remembered == 4_096
    assert not policy.model_present("alpha", "nonsense-4999")


def test_a_window_without_a_known_reset_changes_nothing(policy: AvailabilityPolicy) -> None:
    policy.record_success("alpha", "pk_1", (RateLimitWindow("requests", "minute", remaining=0),))

    assert policy.key_state("pk_1").condition is KeyCondition.AVAILABLE


KINDS_OF_A_KEY = [kind for kind in BREAKER_KINDS if kind is not FailureKind.CONNECT]


@pytest.mark.parametrize("kind", KINDS_OF_A_KEY)
def test_five_failures_in_a_row_with_one_key_rest_it_whatever_others_answer(
    policy: AvailabilityPolicy, clock: FakeClock, kind: FailureKind
) -> None:
    """R-39: its provider's breaker never opens, as the other keys' answers close it each time."""
    for _ in range(4):
        fail(policy, kind, key_id="pk_bad")
        policy.record_success("alpha", "pk_good", ())
    before = policy.key_unhealthy_until("pk_bad")
    fail(policy, kind, key_id="pk_bad")
    policy.record_success("alpha", "pk_good", ())

    assert before is None
    assert policy.key_unhealthy_until("pk_bad") == clock.now() + timedelta(seconds=30)
    assert policy.key_unhealthy_until("pk_good") is None
    assert policy.healthy("alpha", "m")


def test_a_key_that_failed_is_tried_by_one_at_a_time_once_its_wait_is_over(
    policy: AvailabilityPolicy, clock: FakeClock
) -> None:
    for _ in range(5):
        fail(policy, FailureKind.SERVER_ERROR)
    clock.advance(30)
    first, second = policy.key_may_try("pk_1"), policy.key_may_try("pk_1")
    fail(policy, FailureKind.SERVER_ERROR)
    again = policy.key_unhealthy_until("pk_1")
    clock.advance(60)
    last = policy.key_may_try("pk_1")
    policy.record_success("alpha", "pk_1", ())

    assert (first, second, last) == (True, False, True)
    assert again == clock.now()
    assert policy.key_unhealthy_until("pk_1") is None


@pytest.mark.parametrize("kind", [FailureKind.CONNECT, *HARMLESS_KINDS])
def test_what_says_nothing_of_a_key_does_not_rest_it(policy: AvailabilityPolicy, kind: FailureKind) -> None:
    for _ in range(10):
        fail(policy, kind)

    assert policy.key_unhealthy_until("pk_1") is None


def test_a_retry_ends_the_rest_of_a_key(policy: AvailabilityPolicy) -> None:
    for _ in range(5):
        fail(policy, FailureKind.SERVER_ERROR)

    policy.retry_key("pk_1")

    assert policy.key_unhealthy_until("pk_1") is None
