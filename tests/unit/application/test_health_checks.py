"""Providers are checked by free calls; three failures of the last five set one aside."""

from collections.abc import Sequence

import pytest

from application.availability import AvailabilityKeeper
from application.health_checks import HealthChecks, HealthCheckSettings
from application.inference.calls import CHAT
from domain.failover import FailureKind
from domain.providers import ProviderSettings
from domain.routes import Route, RoutePolicy, Target
from domain.usage import TokenUsage
from tests.builders import NOW, a_chat_payload, a_provider
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider, FakeLister, failure

DEAD = failure(FailureKind.CONNECT)


async def a_gateway(*names: str) -> tuple[FakeGateway, dict[str, FakeLister]]:
    providers = [a_provider(name, priority=p, settings=ProviderSettings(models=("m",))) for p, name in enumerate(names)]
    route = Route("r", RoutePolicy(targets=tuple(Target("m", name) for name in names)), "database", 1, NOW, NOW)
    chats = {name: FakeChatProvider(TokenUsage(1, 1)) for name in names}
    gateway = FakeGateway(chats, providers=providers, routes=[route])
    listers = {name: FakeLister(["m"]) for name in names}
    gateway.registry.listers |= listers
    return await gateway.started(), listers


def checks_of(gateway: FakeGateway) -> HealthChecks:
    return HealthChecks(gateway.state, gateway.availability, HealthCheckSettings())


async def turns(checks: HealthChecks, gateway: FakeGateway, lister: FakeLister, *outcomes: bool) -> None:
    for well in outcomes:
        lister.models = ["m"] if well else DEAD
        gateway.clock.advance(60)
        await checks.turn()


@pytest.mark.parametrize(
    ("outcomes", "healthy"),
    [
        ((False, False), True),
        ((False, True, False, True, False), False),
        ((False, False, True, True, True, False), True),
        ((False, False, False), False),
        ((False, False, False, True), True),
    ],
)
async def test_three_failures_of_the_last_five_checks_set_a_provider_aside(
    outcomes: Sequence[bool], healthy: bool
) -> None:
    gateway, listers = await a_gateway("a", "b")
    await turns(checks_of(gateway), gateway, listers["a"], *outcomes)

    assert gateway.availability.healthy("a", "m") is healthy
    assert gateway.availability.healthy("b", "m")


async def test_five_minutes_or_a_live_success_end_it() -> None:
    for cure in ("time", "success"):
        gateway, listers = await a_gateway("a", "b")
        await turns(checks_of(gateway), gateway, listers["a"], False, False, False)
        assert not gateway.availability.healthy("a", "m")
        if cure == "time":
            gateway.clock.advance(299)
            assert not gateway.availability.healthy("a", "m")
            gateway.clock.advance(2)
        else:
            gateway.availability.record_success("a", "pk_a", (), "m")
        assert gateway.availability.healthy("a", "m")


@pytest.mark.parametrize("kind", [FailureKind.INVALID_CREDENTIAL, FailureKind.RATE_LIMITED, FailureKind.CLIENT_FAULT])
async def test_what_says_nothing_of_a_providers_health_does_not_count(kind: FailureKind) -> None:
    gateway, listers = await a_gateway("a")
    listers["a"].models = failure(kind)
    checks = checks_of(gateway)
    for _ in range(5):
        await checks.turn()

    assert gateway.availability.healthy("a", "m")


async def asked(gateway: FakeGateway) -> str | None:
    call = gateway.call(a_chat_payload(model="r"))
    await gateway.pipeline.complete(CHAT, call)
    return call.trace.provider_id


async def test_at_least_half_of_a_routes_living_targets_stay() -> None:
    gateway, listers = await a_gateway("a", "b", "c")
    checks = checks_of(gateway)
    for name in "abc":
        await turns(checks, gateway, listers[name], False, False, False)
    assert [gateway.availability.healthy(name, "m") for name in "abc"] == [False] * 3

    assert await asked(gateway) == "a"
    assert gateway.availability.healthy("a", "m")  # it answered


async def test_one_target_set_aside_of_two_is_passed_over_and_one_alone_stays() -> None:
    gateway, listers = await a_gateway("a", "b")
    await turns(checks_of(gateway), gateway, listers["a"], False, False, False)
    assert await asked(gateway) == "b"

    gateway, listers = await a_gateway("a")
    await turns(checks_of(gateway), gateway, listers["a"], False, False, False)
    assert await asked(gateway) == "a"


async def test_one_process_checks_and_the_others_take_up_what_it_found() -> None:
    gateway, listers = await a_gateway("a", "b")
    other = type(gateway.availability)(gateway.clock)
    ours = AvailabilityKeeper(gateway.store, gateway.availability, gateway.clock, shared=True)
    theirs = AvailabilityKeeper(gateway.store, other, gateway.clock, shared=True)
    checks = checks_of(gateway)
    for outcomes, healthy in (((False, False, False), False), ((True,), True)):
        await turns(checks, gateway, listers["a"], *outcomes)
        await ours.flush()
        async with gateway.store.read() as unit:
            await theirs.take_up(unit)
        assert other.healthy("a", "m") is healthy
