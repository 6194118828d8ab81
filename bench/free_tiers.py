"""A day of six free tiers: `uv run python -m bench.free_tiers`. How much of each is used, and what is asked in vain.

The whole way of a request runs, from the plan over the attempt loop to the books, on a clock of its own and without a
socket. What stands behind it are accounts that count by themselves, in plain lists, what their provider publishes, and
refuse in its words what is beyond it. `forbidden` are calls that a quota forbade which was known to hold: there must be
none. `trials` found out whether a figure holds of which nobody knew. With `--written` an admin has written every
figure down, and no call at all may be refused.
"""

import argparse
import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec
from tests.builders import a_chat_payload, a_provider, a_provider_key
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider
from typing_extensions import override

from adapters.dialects.gemini.errors import REFUSALS as GOOGLE
from adapters.providers.kinds import ENTRIES
from adapters.tokens.length import LengthTokenCounter
from adapters.wire.errors import RefusalTable, failure_from_answer
from application.inference.calls import CHAT
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.errors import GatewayError
from domain.free_tiers import Quota
from domain.ports.providers import ProviderAnswer, ProviderCall
from domain.providers import ProviderPreset, ProviderSettings
from domain.quotas import SECONDS, Dimension, KeyQuota, QuotaRule, Window, calendar_window
from domain.usage import TokenUsage

MODELS: Final[dict[str, tuple[str, ...]]] = {
    "openrouter": ("deepseek/deepseek-v4:free", "qwen/qwen3.8-27b:free"),
    "gemini": ("gemini-3.8-flash", "gemini-3.5-flash-lite"),
    "groq": ("openai/gpt-oss-120b", "openai/gpt-oss-20b"),
    "mistral": ("mistral-small-latest",),
    "sambanova": ("gpt-oss-120b",),
    "cohere": ("command-a-03-2025",),
}
"""Those that are asked for, of providers in the order in which they are asked."""

TELL: Final = frozenset({"groq", "sambanova"})
"""Providers that tell in headers what is left."""

DAY_SECONDS: Final = 86_400
COUNTED: Final[dict[str, Dimension]] = {
    "requests": "requests",
    "tokens": "tokens",
    "input_tokens": "input_tokens",
}
_WINDOWS: Final[dict[str, Window]] = {name: name for name in SECONDS}


class Account:
    """What one key may use of one provider's free tier: a list of its calls, counted through each time."""

    def __init__(self, preset: ProviderPreset) -> None:
        self.preset = preset
        self.calls: list[tuple[float, str, TokenUsage]] = []

    def spent(self, model: str, now: float, usage: TokenUsage) -> tuple[Quota, int] | None:
        """The first quota that a call does not fit, and what is used of it."""
        for quota in self.quotas(model):
            used = self.used(quota, model, now)
            if used + _amount(quota, usage) > (quota.limit or 0):
                return quota, used
        return None

    def quotas(self, model: str) -> list[Quota]:
        return [each for each in self.preset.free_tier.quotas_of(model) if each.limit and each.dimension in COUNTED]

    def used(self, quota: Quota, model: str, now: float) -> int:
        since = _since(quota, now)
        return sum(
            _amount(quota, usage)
            for at, asked, usage in self.calls
            if at > since and (asked == model or (quota.pool is not None and quota in self.quotas(asked)))
        )

    def windows(self, model: str, now: float) -> tuple[RateLimitWindow, ...]:
        """As its headers would say it."""
        found = []
        for quota in self.quotas(model):
            limit = quota.limit or 0
            left = max(limit - self.used(quota, model, now), 0)
            reset = now - _since(quota, now)
            found.append(RateLimitWindow(quota.dimension, quota.window, limit, left, reset, by_model=True))
        return tuple(found)


class AccountAtProvider(FakeChatProvider):
    """Answers as the provider of an account would at this moment."""

    def __init__(self, account: Account, table: RefusalTable, draws: random.Random) -> None:
        super().__init__()
        self.account = account
        self.served = 0
        self.refused: Counter[str] = Counter()
        self.clock = FakeClock()
        self.gateway: FakeGateway | None = None
        self._counter = LengthTokenCounter()
        self._table = table
        self._draws = draws

    @override
    async def complete(self, call: ProviderCall[ChatRequest]) -> ProviderAnswer:
        await asyncio.sleep(0)  # others come between
        now, model = self.clock.now().timestamp(), call.model
        estimate = self._counter.count("".join(call.payload.value.prompt_texts()))
        prompt = int(estimate * self._draws.uniform(0.85, 1.15))  # no estimate is exact
        found = self.account.spent(model, now, TokenUsage(prompt))
        if found is not None:
            quota, used = found
            self.refused["forbidden" if self._known(quota, model) else "trials"] += 1
            text = (
                f"Rate limit reached for model `{model}` on {quota.dimension} per {quota.window}: "
                f"Limit {quota.limit}, Used {used}."
            )
            body = json.dumps({"error": {"message": text, "code": "rate_limit_exceeded"}}).encode()
            raise failure_from_answer(429, (), body, self._table, secret=None, now=now)
        usage = TokenUsage(prompt, self._draws.randint(40, 600))
        self.account.calls.append((now, model, usage))
        self.served += 1
        limits = self.account.windows(model, now) if self.account.preset.id in TELL else ()
        return ProviderAnswer(b"{}", model, usage, limits=limits)

    def _known(self, quota: Quota, model: str) -> bool:
        """Whether the gateway knew of this quota, and that it holds."""
        if self.gateway is None:
            return False
        key_id = call_key(self.account.preset.id)
        return any(
            each.enforced
            and (each.dimension, each.window, each.pool) == (quota.dimension, quota.window, quota.pool)
            and (each.pool is not None or model in each.models)
            for each in self.gateway.availability.quotas(key_id, key_id)
        )


class Share(msgspec.Struct, frozen=True):
    """What was used of one quota of a day."""

    provider: str
    models: str
    quota: str
    used: int
    limit: int


class Day(msgspec.Struct, frozen=True):
    """What became of a day's requests."""

    requests: int
    served: int
    forbidden: int
    trials: int
    by_provider: dict[str, int]
    shares: tuple[Share, ...]


def call_key(provider_id: str) -> str:
    return f"pk_{provider_id}"


async def a_day(requests: int, seed: int = 1, *, written: bool = False) -> Day:
    """So many requests over a day, most of them by day, some in bursts; each may go to any of the providers."""
    draws = random.Random(seed)
    presets = {entry.id: entry.preset for entry in ENTRIES if entry.id in MODELS}
    tables: dict[str, RefusalTable] = {entry.id: entry.quirks for entry in ENTRIES} | {"gemini": GOOGLE}
    at = {name: AccountAtProvider(Account(presets[name]), tables[name], draws) for name in MODELS}
    providers = [
        a_provider(name, priority=place, settings=ProviderSettings(models=models))
        for place, (name, models) in enumerate(MODELS.items())
    ]
    keys = [
        a_provider_key(call_key(name), name, quota=tuple(_written(at[name].account)) if written else None)
        for name in MODELS
    ]
    gateway = FakeGateway(dict(at), providers=providers, keys=keys, presets=list(presets.values()))
    begins = datetime(2026, 11, 25, tzinfo=UTC)
    gateway.clock.advance((begins - gateway.clock.now()).total_seconds())
    await gateway.started()
    for account in at.values():
        account.clock, account.gateway = gateway.clock, gateway
    served = 0
    moments = sorted(_moments(requests, draws))
    while moments:
        burst = [moments.pop(0)]
        while moments and moments[0] - burst[0] < 1:
            burst.append(moments.pop(0))
        due = begins.timestamp() + burst[0] - gateway.clock.now().timestamp()
        gateway.clock.advance(max(due, 0))
        served += sum(await asyncio.gather(*(_ask(gateway, draws) for _ in burst)))
        await gateway.keeper.flush()
    return Day(
        requests=requests,
        served=served,
        forbidden=sum(each.refused["forbidden"] for each in at.values()),
        trials=sum(each.refused["trials"] for each in at.values()),
        by_provider={name: each.served for name, each in at.items()},
        shares=tuple(_shares(at, gateway.clock.now().timestamp())),
    )


def _written(account: Account) -> Iterable[KeyQuota]:
    """What the provider publishes, as an admin writes it down: pools once, the rest for each model."""
    pools: set[Quota] = set()
    for model in MODELS[account.preset.id]:
        for quota in account.quotas(model):
            if quota.pool is None or quota not in pools:
                yield KeyQuota(
                    dimension=COUNTED[quota.dimension],
                    limit=quota.limit or 0,
                    window=_WINDOWS[quota.window],
                    reset=quota.reset,
                    pool=quota.pool,
                    models=(model,) if quota.pool is None else quota.models,
                )
                pools.add(quota)


def _moments(requests: int, draws: random.Random) -> list[float]:
    """Seconds of the day: two thirds between eight and twenty, every tenth one of a burst."""
    found: list[float] = []
    while len(found) < requests:
        busy = draws.random() < 0.67
        at = draws.uniform(8 * 3600, 20 * 3600) if busy else draws.uniform(0, DAY_SECONDS - 60)
        found += [at + place * 0.05 for place in range(12 if draws.random() < 0.1 else 1)]
    return found[:requests]


async def _ask(gateway: FakeGateway, draws: random.Random) -> bool:
    names = [f"{provider}/{draws.choice(models)}" for provider, models in MODELS.items()]
    text = "word" * draws.randint(20, 1500)
    payload = a_chat_payload(model=names[0], models=names[1:], messages=[{"role": "user", "content": text}])
    try:
        await gateway.pipeline.complete(CHAT, gateway.call(payload))
    except GatewayError:
        return False
    return True


def _shares(at: dict[str, AccountAtProvider], now: float) -> list[Share]:
    found = []
    for name, each in at.items():
        quotas = {
            (quota, "" if quota.pool else model): model
            for model in MODELS[name]
            for quota in each.account.quotas(model)
        }
        for (quota, of_model), model in quotas.items():
            if quota.window in {"day", "month"}:
                used, limit = each.account.used(quota, model, now), quota.limit or 0
                words = f"{quota.dimension} a {quota.window}"
                found.append(Share(name, of_model or quota.pool or "", words, used, limit))
    return found


def _amount(quota: Quota, usage: TokenUsage) -> int:
    amounts = {"requests": 1, "input_tokens": usage.input_tokens, "tokens": usage.input_tokens + usage.output_tokens}
    return amounts[quota.dimension]


def _since(quota: Quota, now: float) -> float:
    """What was used after it counts: back from now, or from when the day began there."""
    if quota.window in {"second", "minute", "hour"} or quota.reset == "provider":
        return now - SECONDS[_WINDOWS[quota.window]]
    rule = QuotaRule("requests", 1, _WINDOWS[quota.window], "registry", quota.reset)
    return calendar_window(rule, datetime.fromtimestamp(now, UTC))[0].timestamp() - 1e-6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--written", action="store_true", help="every figure is written down by an admin")
    args = parser.parse_args()
    day = asyncio.run(a_day(args.requests, args.seed, written=args.written))
    print(f"{day.served:,} of {day.requests:,} requests served; {day.forbidden} calls that a known quota forbids")
    print(f"{day.trials} calls to find out whether a figure holds; served by {day.by_provider}")
    for share in day.shares:
        percent = 100 * share.used / share.limit
        whose = f"{share.provider} {share.models}"
        print(f"{whose:44} {share.quota:22} {share.used:>9,} of {share.limit:>9,}  {percent:5.1f} %")


if __name__ == "__main__":
    main()
