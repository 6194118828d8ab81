"""Repeats are a tenth of a provider's calls, and a deployment that fails often comes behind the others (R-09, R-39)."""

import random
from collections.abc import Callable

import pytest
from typing_extensions import override

from application.inference.calls import CHAT, CallTrace
from application.inference.live_rates import FREE_REPEATS, MAX_DEPLOYMENTS, LiveRates
from domain.chat import ChatRequest
from domain.errors import GatewayError
from domain.failover import FailureKind
from domain.ports.providers import ProviderAnswer, ProviderCall
from domain.providers import ProviderSettings
from domain.routes import Route, RoutePolicy, Strategy, Target
from domain.usage import TokenUsage
from tests.builders import NOW, a_chat_payload, a_provider
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider, failure

OK = TokenUsage(3, 5)
DEAD = failure(FailureKind.OVERLOADED, status=503)


def test_a_tenth_of_a_providers_calls_may_be_repeats_beside_a_few() -> None:
    rates = LiveRates()
    rates.calls["a", "m"] = 0
    rates.failed(("a", "m"), 0.0)
    rates.calls["a", "m"] += 1_000

    assert sum(rates.may_repeat("a", 1.0) for _ in range(500)) == 100 + FREE_REPEATS
    assert rates.may_repeat("b", 1.0)


def test_a_deployment_is_troubled_by_its_share_of_failures_and_for_a_while() -> None:
    rates = LiveRates()
    for number in range(20):
        rates.calls["a", "m"] += 1
        if number % 2:
            rates.failed(("a", "m"), 1.0)

    assert rates.troubled(("a", "m"), 2.0)
    assert not rates.troubled(("b", "m"), 2.0)
    assert rates.troubled(("a", "m"), 15.0)
    assert not rates.troubled(("a", "m"), 40.0)


class Flaky(FakeChatProvider):
    """Fails the share of its calls that it is told."""

    def __init__(self, share: float, seed: int) -> None:
        super().__init__(OK)
        self._share, self._chance = share, random.Random(seed)

    @override
    async def complete(self, call: ProviderCall[ChatRequest]) -> ProviderAnswer:
        self.calls.append(call)
        if self._chance.random() < self._share:
            raise failure(FailureKind.SERVER_ERROR, status=500)
        return ProviderAnswer(b'{"object":"chat.completion"}', "m", OK)


async def a_gateway(chats: dict[str, FakeChatProvider], strategy: Strategy) -> FakeGateway:
    settings = ProviderSettings(models=("m",))
    providers = [a_provider(name, priority=place, settings=settings) for place, name in enumerate(chats)]
    policy = RoutePolicy(strategy=strategy, targets=tuple(Target("m", name) for name in chats))
    routes = [Route("r", policy, "database", 1, NOW, NOW)]
    return await FakeGateway(chats, providers=providers, routes=routes).started()


async def served(gateway: FakeGateway, model: str) -> bool:
    call = gateway.call(a_chat_payload(model=model))
    try:
        await gateway.pipeline.complete(CHAT, call)
    except GatewayError:
        return False
    return isinstance(call.trace, CallTrace)


SICK: dict[str, Callable[[int], FakeChatProvider]] = {
    "half of their calls fail": lambda seed: Flaky(0.5, seed),
    "dead": lambda _: FakeChatProvider(failure(FailureKind.CONNECT)),
    "503 to all": lambda _: FakeChatProvider(DEAD),
}


@pytest.mark.parametrize("strategy", ["priority", "weighted"])
@pytest.mark.parametrize("how", SICK)
async def test_with_one_healthy_target_left_999_of_1000_are_served_after_two_seconds(
    how: str, strategy: Strategy
) -> None:
    """100 requests a second, of four targets one is well."""
    chats: dict[str, FakeChatProvider] = {name: SICK[how](seed) for seed, name in enumerate("abc")}
    gateway = await a_gateway(chats | {"d": FakeChatProvider(OK)}, strategy)
    outcomes = []
    for _ in range(2_200):
        outcomes.append(await served(gateway, "r"))
        gateway.clock.advance(0.01)

    assert sum(outcomes[200:]) >= 0.999 * 2_000


async def test_calls_upstream_stay_within_a_tenth_more_than_requests_where_one_answers_503_to_all() -> None:
    sick = FakeChatProvider(DEAD)
    gateway = await a_gateway({"a": sick, "b": FakeChatProvider(OK)}, "priority")
    after_a_second = 0
    for number in range(1_000):
        await served(gateway, "m")
        gateway.clock.advance(0.01)
        if number == 99:
            after_a_second = len(sick.calls) + len(gateway.chats["b"].calls)

    assert len(sick.calls) + len(gateway.chats["b"].calls) - after_a_second <= 1.1 * 900


def test_calls_are_counted_of_so_many_models_at_most_however_many_names_clients_think_of() -> None:
    rates = LiveRates()

    for number in range(MAX_DEPLOYMENTS + 10):
        rates.calls["p", f"m{number}"] += 1

    assert len(rates.calls) <= MAX_DEPLOYMENTS
    assert rates.calls["p", f"m{MAX_DEPLOYMENTS + 9}"] == 1
