"""Names that clients make up and no database takes: what one leaves behind keeps nothing else from being kept."""

from collections.abc import Callable

import pytest

from adapters.availability.automatic import AutomaticAvailability
from application.availability import AvailabilityKeeper
from domain.availability import KeyCondition
from domain.errors import UpstreamFailure
from domain.failover import FailureKind, FailureScope
from domain.ports.repositories import Store
from domain.quotas import QuotaRule
from tests.fakes.clock import FakeClock
from tests.fakes.providers import failure

Trouble = Callable[[AutomaticAvailability, str], None]


def absent(policy: AutomaticAvailability, model: str) -> None:
    policy.record_failure("p", "pk", model, failure(FailureKind.MODEL_ABSENT))


def limited(policy: AutomaticAvailability, model: str) -> None:
    policy.record_failure("p", "pk", model, failure(FailureKind.RATE_LIMITED, scope=FailureScope.MODEL))


def failing(policy: AutomaticAvailability, model: str) -> None:
    for _ in range(5):
        policy.record_failure("p", "pk", model, failure(FailureKind.SERVER_ERROR, scope=FailureScope.DEPLOYMENT))


def counted(policy: AutomaticAvailability, model: str) -> None:
    policy.take_quota("pk", model, lambda: (1, 1))


def told(policy: AutomaticAvailability, model: str) -> None:
    """Providers say again what they were asked for."""
    said = UpstreamFailure(FailureKind.ADDRESS_REFUSED, f"No {model} here.", status=403)
    policy.record_failure("q", "pk_q", "m", said)
    policy.record_failure("p", "pk_2", "m", UpstreamFailure(FailureKind.RATE_LIMITED, f"{model} is busy.", status=429))


TROUBLES: tuple[Trouble, ...] = (absent, limited, failing, counted, told)


@pytest.mark.parametrize("model", ["m\0", "m" * 512, "\U0001f600" * 512], ids=["nul", "long", "long in bytes"])
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_what_a_client_calls_a_model_keeps_no_state_from_being_stored(
    store: Store, trouble: Trouble, model: str
) -> None:
    clock = FakeClock()
    policy = AutomaticAvailability(clock)
    policy.plan_quotas({"pk": [("pk", QuotaRule("requests", 100, "day", "admin", shared=False))]})
    keeper = AvailabilityKeeper(store, policy, clock, shared=True)

    trouble(policy, model)
    policy.record_failure("p", "other", "m", failure(FailureKind.RATE_LIMITED))
    counted(policy, "m")
    await keeper.flush()
    await keeper.flush()

    restarted = AutomaticAvailability(clock)
    restarted.plan_quotas({"pk": [("pk", QuotaRule("requests", 100, "day", "admin", shared=False))]})
    await AvailabilityKeeper(store, restarted, clock, shared=True).restore()
    assert restarted.key_state("other").condition is KeyCondition.RATE_LIMITED
    assert restarted.quota_left("pk", "m") == 0.99
