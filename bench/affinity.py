"""What keeping conversations together saves: `python -m bench.affinity`. The same on every machine.

Three traces in the style of what is recorded: an agent that codes, a chat with pauses, and short requests of support
with a long manual in front. Each is played against the same three deployments under four ways to choose, with caches
that hold a prefix for as long as their provider does. The way under test is the step of `application/routing`, over a
plan of the cheapest first; its costs are those of the price calculation.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from tests.builders import a_provider
from tests.fakes.clock import FakeClock
from tests.fakes.fixed_prices import FixedPriceBook
from tests.fakes.providers import FakeChatProvider, FakeRegistry
from tests.fakes.store import MemoryStore

from adapters.availability.automatic import AutomaticAvailability
from application.routing.affinity import CACHE_SECONDS, USUAL_CACHE_SECONDS, AffinityMemory
from application.routing.affinity_step import WANTED, AffinityStep
from application.snapshot import DeclaredConfig, GatewayState
from domain.attribution import Attribution
from domain.chat import ChatRequest, Message
from domain.ports.routing import RoutingQuestion
from domain.prices import PriceRow, Prices, cost_nano_usd
from domain.providers import Provider
from domain.routing import Candidate, Plan, Policy
from domain.timeouts import Timeouts
from domain.usage import TokenUsage

MILLION = 1_000_000_000
PRICES: Mapping[str, Prices] = {
    "deepseek": Prices(300_000_000, 900_000_000, cache_read=270_000_000),  # cheap, with next to nothing off
    "openai": Prices(500_000_000, 2_000_000_000, cache_read=50_000_000),
    "anthropic": Prices(MILLION, 5 * MILLION, cache_read=100_000_000, cache_write=1_250_000_000),
}
"""Nano-USD per million tokens."""


class Step(NamedTuple):
    """One request: of which conversation, how long after the one before, its tokens, and whether it answers a tool."""

    session: str
    after_seconds: float
    prompt: int
    output: int
    after_tool: bool = False


def coding_agent() -> list[Step]:
    """40 steps of one agent, each with what the tool said behind the last."""
    return [Step("agent", 12.0, 6_000 + step * 1_800, 350, step % 5 != 0) for step in range(40)]


def chat_with_pauses() -> list[Step]:
    """A long chat; of its pauses some are longer than any cache keeps."""
    pauses = [20, 45, 30, 900, 25, 60, 7_500, 40, 30, 20, 15_000, 35, 50, 45]
    return [Step("chat", float(pause), 1_500 + turn * 700, 400) for turn, pause in enumerate(pauses)]


def support_requests() -> list[Step]:
    """60 conversations of three turns behind a manual of 20,000 tokens, several at a time."""
    return [
        Step(f"case {case}", 4.0, 20_000 + turn * 400, 200) for block in range(20) for turn in range(3)
        for case in range(block * 3, block * 3 + 3)
    ]  # fmt: skip


TRACES: Mapping[str, Callable[[], list[Step]]] = {
    "coding agent": coding_agent,
    "chat with pauses": chat_with_pauses,
    "support": support_requests,
}


class Caches:
    """What each provider has cached of each conversation, and since when."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], tuple[int, float]] = {}

    def cost(self, provider_id: str, step: Step, now: float) -> int:
        """What the request costs there; its prompt is cached from then on."""
        tokens, at = self._held.get((provider_id, step.session), (0, 0.0))
        fresh = now - at <= CACHE_SECONDS.get(provider_id, USUAL_CACHE_SECONDS)
        read = min(tokens, step.prompt) if fresh else 0
        self._held[provider_id, step.session] = (step.prompt, now)
        return cost_nano_usd(TokenUsage(step.prompt, step.output, read, step.prompt - read), PRICES[provider_id])


Chooser = Callable[[Step], str]


def played(steps: Sequence[Step], choose: Chooser, clock: FakeClock) -> int:
    """Nano-USD for all of it."""
    caches, spent = Caches(), 0
    for step in steps:
        clock.advance(step.after_seconds)
        spent += caches.cost(choose(step), step, clock.monotonic())
    return spent


def cheapest(step: Step) -> str:
    """By list price, whoever has what cached."""
    return min(PRICES, key=lambda each: cost_nano_usd(TokenUsage(step.prompt, step.output), PRICES[each]))


def round_robin() -> Chooser:
    turn = 0

    def choose(_: Step) -> str:
        nonlocal turn
        turn += 1
        return list(PRICES)[turn % len(PRICES)]

    return choose


def always_sticky() -> Chooser:
    """With whoever was the cheapest at first."""
    first: dict[str, str] = {}
    return lambda step: first.setdefault(step.session, cheapest(step))


class Affinity:
    """The step under test, and what it said."""

    def __init__(self, clock: FakeClock, state: GatewayState, providers: Sequence[Provider]) -> None:
        rows = [
            PriceRow(f"price_{each}", each, "m", prices, "admin", datetime(2026, 1, 1, tzinfo=UTC))
            for each, prices in PRICES.items()
        ]
        self.memory = AffinityMemory(clock)
        availability = AutomaticAvailability(clock)
        self._step = AffinityStep(self.memory, state, FixedPriceBook(rows), availability, clock)
        self._candidates = {each.id: Candidate(each, "m", Timeouts()) for each in providers}
        self.said: list[str] = []

    def choose(self, step: Step) -> str:
        by_price = sorted(PRICES, key=lambda each: cost_nano_usd(TokenUsage(step.prompt, step.output), PRICES[each]))
        messages = [Message("user", "go on")] + ([Message("tool", "done")] if step.after_tool else [])
        request = ChatRequest(model="r", messages=messages)
        question = RoutingQuestion(
            request, "chat.completions", True, attribution=Attribution(session=step.session),
            prompt_tokens=lambda: step.prompt,
        )  # fmt: skip
        plan = Plan([self._candidates[each] for each in by_price], Policy("r", "lowest_cost", affinity=WANTED))
        policy = (plan := self._step.applied(plan, question)).policy
        assert policy is not None
        self.said.append(policy.affinity)
        chosen = plan.candidates[0].provider.id
        self.memory.served(policy.conversation, chosen, (chosen,), "m", step.prompt)
        return chosen


async def affinity(clock: FakeClock) -> Affinity:
    """Over a gateway with these providers, all of them well."""
    providers = [a_provider(each, kind="keyless") for each in PRICES]
    registry = FakeRegistry({each: FakeChatProvider() for each in PRICES})
    state = GatewayState(MemoryStore(), registry, DeclaredConfig(tuple(providers), ()), Timeouts())
    await state.reload()
    return Affinity(clock, state, providers)


async def compared(steps: Sequence[Step]) -> dict[str, float]:
    """USD by the way to choose."""
    found = {}
    for name, chooser in (("always sticky", always_sticky()), ("round robin", round_robin()), ("cheapest", cheapest)):
        found[name] = played(steps, chooser, FakeClock()) / 1e9
    clock = FakeClock()
    found["affinity"] = played(steps, (await affinity(clock)).choose, clock) / 1e9
    return found


def main() -> int:
    import asyncio

    over = False
    for name, trace in TRACES.items():
        costs = asyncio.run(compared(trace()))
        best = min(cost for way, cost in costs.items() if way != "affinity")
        over = over or costs["affinity"] > best
        print(f"{name:18}" + "".join(f"{way}: {cost:.4f} USD   " for way, cost in costs.items()))
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
