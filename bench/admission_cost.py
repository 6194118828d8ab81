"""What admission costs a request: `python -m bench.admission_cost`. CPU in process, by what the key has. Printed.

From the gate to the end of the claims, as the pipeline asks them: admit, approach, hold for START, charges for END,
settle, and the headers of the answer. The prompt's tokens are counted, as they are for a request.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
from typing_extensions import override

from adapters.clock import SystemClock
from adapters.limits.memory import MemoryLimitStore
from adapters.limits.memory_budgets import MemoryBudgetStore
from adapters.tokens.vocabulary import VocabularyTokenCounter
from application.admission.access import Gate
from application.admission.limits import LimitGate
from application.admission.rule_book import RuleBook
from application.inference.metering import Meter
from domain.budget_periods import Bucket
from domain.chat import ChatRequest
from domain.keys import Principal
from domain.limits import Budget, RateLimits
from domain.ports.budgets import BudgetTerm, SpendReader
from domain.ports.prices import PriceBook
from domain.prices import PriceRow, Prices
from domain.providers import Provider, ProviderSettings
from domain.records import AttemptRecord, Charge, RequestRecord
from domain.routing import Candidate, Plan
from domain.subject_limits import Subject, SubjectRules
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from entrypoints.http.limit_headers import limit_headers

REQUESTS = 500
ROUNDS = 60
GOALS = {"no limits": 10.0, "limits and a budget": 60.0}
"""Microseconds of CPU."""

NOW = datetime(2026, 11, 30, tzinfo=UTC)
PRICE = PriceRow("price_1", "openai", "gpt-6-luna", Prices(250_000_000, 2_000_000_000), "admin", NOW)
BODY = {
    "model": "openai/gpt-6-luna",
    "messages": [
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": "Name five primes above ten, and say why each of them is one. " * 4},
    ],
    "max_tokens": 256,
}
LIMITS = RateLimits(rpm=10**9, tpm=10**12, rpd=10**9, parallel=10**6)
BUDGET = Budget(limit_usd=Decimal(10**6), period="month", timezone="Europe/Berlin")
TENANT = SubjectRules(Subject("tenant", "ten_default"), RateLimits(rpm=10**9), (BUDGET,))
KEYS: dict[str, tuple[SubjectRules, ...]] = {
    "no limits": (),
    "rpm": (SubjectRules(Subject("key", "key_1"), RateLimits(rpm=10**9)),),
    "limits": (SubjectRules(Subject("key", "key_1"), LIMITS),),
    "limits and a budget": (SubjectRules(Subject("key", "key_1"), LIMITS, (BUDGET,)),),
    "limits and budgets of key and tenant": (SubjectRules(Subject("key", "key_1"), LIMITS, (BUDGET,)), TENANT),
}


class _NothingSpent(SpendReader):
    @override
    async def spent(self, term: BudgetTerm, bucket: Bucket) -> Mapping[int, int]:
        return {}

    @override
    async def kept(self, account: str) -> Mapping[str, Charge]:
        return {}


class _OnePrice(PriceBook):
    @override
    def find(self, provider_id: str, model: str) -> PriceRow | None:
        return PRICE

    @override
    def look_up(self, provider_id: str, model: str) -> PriceRow | None:
        return PRICE


async def _ready() -> None:
    """Nothing was left behind."""


def a_gate() -> Gate:
    clock, prices, counter = SystemClock(), _OnePrice(), VocabularyTokenCounter()
    budgets = MemoryBudgetStore(clock, _NothingSpent(), _ready)
    meter = Meter(prices, counter)
    return Gate(LimitGate(MemoryLimitStore(clock), budgets, prices, meter.input_tokens, counter.count, RuleBook()))


def a_candidate() -> Candidate:
    provider = Provider("openai", "openai", "OpenAI", "https://a.example/v1", 1, True, ProviderSettings(), "database",
                        1, NOW, NOW)  # fmt: skip
    return Candidate(provider, "gpt-6-luna", Timeouts())


async def one(gate: Gate, principal: Principal, request: ChatRequest, plan: Plan, number: int) -> None:
    """What the pipeline asks of admission for one request."""
    admission = gate.admit(principal, request, plan)
    limits = admission.limits
    usage = TokenUsage(120, 60)
    attempt = AttemptRecord(1, "openai", None, "gpt-6-luna", "ok", 200, 400.0, usage, cost_nano_usd=150_000)
    charges: tuple[Charge, ...] = ()
    if limits is not None:
        if limits.spending is not None:
            limits.spending.hold_id = f"dec_{number}"
            limits.spending.may_gather = True
        await limits.approach(plan.candidates[0], ())
        limits.held()
        charges = limits.charges((attempt,))
        limit_headers(limits, "")
    record = RequestRecord(
        "req_1", "dec_1", NOW, "ten_default", "key_1", "chat.completions", "m", "openai", "gpt-6-luna", 200, "ok", None,
        False, (attempt,), usage, 400.0, None, charges=charges,
    )  # fmt: skip
    admission.settle(record)


class Kind:
    """A key of one kind, and requests of it."""

    def __init__(self, rules: tuple[SubjectRules, ...]) -> None:
        self._gate = a_gate()
        self._plan = Plan((a_candidate(),))
        self._principal = Principal("virtual_key", "key_1", "ten_default", rules=rules)
        self._request = msgspec.json.decode(msgspec.json.encode(BODY), type=ChatRequest)
        self.best = float("inf")

    async def round(self) -> None:
        """Microseconds a request, of the best round: the others were disturbed."""
        began = time.process_time()
        for number in range(REQUESTS):
            await one(self._gate, self._principal, self._request, self._plan, number)
        self.best = min(self.best, (time.process_time() - began) / REQUESTS * 1e6)


async def measure(kinds: list[Kind]) -> None:
    """All kinds in turns: a machine that is busy for a while is so for all of them."""
    for _ in range(ROUNDS):
        for each in kinds:
            await each.round()


def main() -> None:
    gc.freeze()
    kinds = {name: Kind(rules) for name, rules in KEYS.items()}
    asyncio.run(measure(list(kinds.values())))
    for name, kind in kinds.items():
        goal = f", the goal is {GOALS[name]:.0f}" if name in GOALS else ""
        sys.stdout.write(f"{name:38} {kind.best:6.1f} µs a request{goal}\n")


if __name__ == "__main__":
    main()
