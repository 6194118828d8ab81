"""What routing adds to a request: `uv run python -m bench.route_cost`.

Plans are made as the hot path makes them, from what is in memory, over one gateway's composition of fakes for what a
plan does not touch. Printed are microseconds of CPU a plan, of the best of several rounds, and their ratio to a plan of
one plain model name.
"""

import asyncio
import gc
import time
from collections.abc import Callable

from tests.builders import NOW, a_chat_payload, a_provider
from tests.fakes.gateway import ANYONE, FakeGateway
from tests.fakes.providers import FakeChatProvider

from domain.ports.routing import RoutingQuestion
from domain.providers import ProviderSettings
from domain.routes import Route, RoutePolicy, Strategy, Target

DEPLOYMENTS = 200
_ROUNDS, _PLANS = 7, 400
BUDGET_MICROSECONDS = 50.0
"""What routing may add with 200 deployments."""

STRATEGIES: tuple[Strategy, ...] = ("priority", "weighted", "least_latency", "lowest_cost")


async def a_gateway(*, routes: bool) -> FakeGateway:
    """200 providers of one model; with `routes` one route over all of them for each strategy."""
    names = [f"p{number:03}" for number in range(DEPLOYMENTS)]
    providers = [
        a_provider(name, priority=place, settings=ProviderSettings(models=("m", name)))
        for place, name in enumerate(names)
    ]
    targets = tuple(Target("m", name, 1.0 + place % 3) for place, name in enumerate(names))
    found = [
        Route(strategy, RoutePolicy(strategy=strategy, targets=targets), "database", 1, NOW, NOW)
        for strategy in STRATEGIES
    ]
    chats = {name: FakeChatProvider() for name in names}
    return await FakeGateway(chats, providers=providers, routes=found if routes else ()).started()


def microseconds(gateway: FakeGateway, model: str) -> float:
    """CPU of one plan."""
    question = RoutingQuestion(
        a_chat_payload(model=model).value, "chat.completions", True, None, ANYONE, prompt_tokens=lambda: 12
    )
    return best(lambda: gateway.router.plan(question))


def best(plan: Callable[[], object]) -> float:
    plan()
    rounds = []
    for _ in range(_ROUNDS):
        gc.collect()
        began = time.process_time()
        for _ in range(_PLANS):
            plan()
        rounds.append((time.process_time() - began) / _PLANS * 1e6)
    return min(rounds)


async def main() -> None:
    plain = microseconds(await a_gateway(routes=False), "p000/m")
    gateway = await a_gateway(routes=True)
    beside = microseconds(gateway, "p000/m")
    print(f"a plain name, no routes       {plain:7.2f} us")
    print(f"a plain name, beside routes   {beside:7.2f} us   x{beside / plain:.2f}")
    for strategy in STRATEGIES:
        took = microseconds(gateway, strategy)
        verdict = "within" if took - plain <= BUDGET_MICROSECONDS else "ABOVE"
        name = f"{strategy} of {DEPLOYMENTS}"
        print(f"{name:<29} {took:7.2f} us   x{took / plain:.2f}   {verdict} {BUDGET_MICROSECONDS:.0f} us")


if __name__ == "__main__":
    asyncio.run(main())
