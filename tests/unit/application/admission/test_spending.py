"""What a request may cost: held before, extended while it streams, settled once (P-06, R-15, R-16)."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from typing_extensions import override

from application.inference.calls import CHAT, CallTrace, PlainReply
from domain.errors import AllCandidatesFailed, GatewayError, LimitExceeded, PermissionDenied, StreamBroken
from domain.failover import FailureKind
from domain.keys import Principal
from domain.limits import Budget, RateLimits
from domain.ports.budgets import Standing
from domain.prices import PriceRow, Prices, Tier
from domain.providers import ProviderSettings
from domain.subject_limits import Subject, SubjectRules
from domain.usage import TokenUsage
from tests.builders import NOW, a_chat_payload, a_provider
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider, FakeStream, failure

KEY = Subject("key", "key_1")
TEN_OUT = TokenUsage(0, 10)
A_DOLLAR_A_MILLION = 1_000_000_000  # nano-USD: a token of output costs 1,000 nano-USD
TOKEN = 1_000


def a_price(provider: str, model: str = "m", *, output: int = A_DOLLAR_A_MILLION) -> PriceRow:
    return PriceRow(f"price_{provider}_{model}", provider, model, Prices(0, output), "admin", NOW)


def a_caller(tokens: int, *, rpm: int | None = None, **fields: Any) -> Principal:
    """With a budget for so many tokens of output at a dollar a million."""
    budget = Budget(limit_usd=Decimal(tokens) / 1_000_000, **fields)
    return Principal("virtual_key", KEY.id, "ten_default", rules=(SubjectRules(KEY, RateLimits(rpm=rpm), (budget,)),))


async def a_gateway(*script: Any, prices: tuple[PriceRow, ...] | None = None) -> FakeGateway:
    return await FakeGateway({"a": FakeChatProvider(*script)}, prices=prices or (a_price("a"),)).started()


async def ask(gateway: FakeGateway, caller: Principal, **fields: object) -> tuple[PlainReply, CallTrace]:
    call = gateway.call(a_chat_payload(**fields), caller)
    return await gateway.pipeline.complete(CHAT, call), call.trace


async def standing(gateway: FakeGateway, caller: Principal) -> Standing:
    (rule,) = gateway.limits.spending.rules(caller.rules)
    (found,) = await gateway.budgets.standings([rule.term])
    return found


async def spent_tokens(gateway: FakeGateway, caller: Principal) -> int:
    """And nothing is held."""
    found = await standing(gateway, caller)
    assert found.held_nano_usd == 0
    return found.spent_nano_usd // TOKEN


async def test_of_two_hundred_at_once_exactly_as_many_are_asked_as_the_budget_pays_for() -> None:
    gateway = await a_gateway(TEN_OUT)
    caller = a_caller(100)

    results = await asyncio.gather(*(ask(gateway, caller, max_tokens=10) for _ in range(200)), return_exceptions=True)

    assert sum(not isinstance(result, BaseException) for result in results) == 10
    codes = {result.code for result in results if isinstance(result, LimitExceeded)}
    assert codes == {"budget_exceeded"}
    assert len(gateway.chats["a"].calls) == 10
    assert await spent_tokens(gateway, caller) == 100


@pytest.mark.parametrize(
    ("step", "spent"),
    [
        (TEN_OUT, 10),
        (failure(FailureKind.CONNECT), 0),
        (failure(FailureKind.RATE_LIMITED), 0),
        (failure(FailureKind.CLIENT_FAULT), 0),
        (failure(FailureKind.TRUNCATED), 0),  # its prompt is billed, and costs nothing here
    ],
)
async def test_what_is_held_is_given_back_however_the_request_ends(step: Any, spent: int) -> None:
    """R-03."""
    gateway = await a_gateway(step)
    caller = a_caller(1000)

    try:
        await ask(gateway, caller, max_tokens=500)
    except GatewayError:
        assert spent == 0

    assert await spent_tokens(gateway, caller) == spent


async def test_a_call_with_an_unknown_outcome_costs_its_prompt_beside_the_one_that_answers() -> None:
    prices: tuple[PriceRow, ...] = (PriceRow("p", "a", "m", Prices(A_DOLLAR_A_MILLION, 0), "admin", NOW),)
    prices += (PriceRow("p2", "b", "m", Prices(A_DOLLAR_A_MILLION, 0), "admin", NOW),)
    chats = {"a": FakeChatProvider(failure(FailureKind.TIMEOUT)), "b": FakeChatProvider(TokenUsage(8, 1))}
    gateway = await FakeGateway(chats, prices=prices).started()
    caller = a_caller(1000)

    await ask(gateway, caller)

    spent = (await standing(gateway, caller)).spent_nano_usd
    assert spent == sum(attempt.cost_nano_usd or 0 for attempt in gateway.ledger.last.attempts)
    assert spent > 8 * TOKEN
    assert sum(charge.nano_usd for charge in gateway.ledger.last.charges) == spent


async def test_the_record_says_what_each_budget_was_charged_and_who_refused() -> None:
    gateway = await a_gateway(TEN_OUT)
    caller = a_caller(10)
    await ask(gateway, caller, max_tokens=10)
    answered = gateway.ledger.last
    with pytest.raises(LimitExceeded):
        await ask(gateway, caller, max_tokens=10)

    assert [charge.nano_usd for charge in gateway.ledger.starts[0].charges] == [10 * TOKEN]
    assert [charge.nano_usd for charge in answered.charges] == [10 * TOKEN]
    assert gateway.ledger.last.refused_by == "key:key_1"
    assert gateway.ledger.last.attempts == ()


async def test_a_refusal_by_a_budget_takes_nothing_of_a_limit() -> None:
    """R-04."""
    gateway = await a_gateway(TEN_OUT)
    poor = a_caller(5, rpm=1)
    for _ in range(3):
        with pytest.raises(LimitExceeded) as refusal:
            await ask(gateway, poor, max_tokens=10)
        assert refusal.value.code == "budget_exceeded"

    await ask(gateway, a_caller(50, rpm=1), max_tokens=10)


async def test_a_roomy_budget_changes_nothing_of_the_request() -> None:
    gateway = await a_gateway(TEN_OUT)

    await ask(gateway, a_caller(10_000_000), max_tokens=64_000)
    await ask(gateway, a_caller(10_000_000))

    assert [call.payload.value.max_tokens for call in gateway.chats["a"].calls] == [64_000, None]


async def test_agents_with_huge_maxima_do_not_lock_a_budget_that_is_not_spent() -> None:
    """$25, 20 at once with `max_tokens` of 64,000 at $50 a million, each really $0.10."""
    prices = (a_price("a", output=50 * A_DOLLAR_A_MILLION),)
    gateway = await a_gateway(*[Talking(2_000) for _ in range(20)], prices=prices)
    caller = Principal("virtual_key", KEY.id, "t", rules=(SubjectRules(KEY, budgets=(Budget(limit_usd=Decimal(25)),)),))

    results = await asyncio.gather(
        *(ask(gateway, caller, max_tokens=64_000) for _ in range(20)), return_exceptions=True
    )

    assert sum(not isinstance(result, BaseException) for result in results) >= 19
    assert (await standing(gateway, caller)).spent_nano_usd <= 25 * 10**9


async def test_a_prompt_near_a_price_threshold_is_held_at_the_dear_tier_and_settled_at_the_cheap_one() -> None:
    """250,000 tokens below a threshold of 272,000, as far as one can tell, and 32,000 to come."""
    dear = Tier(above_input_tokens=272_000, input=4 * A_DOLLAR_A_MILLION, output=12 * A_DOLLAR_A_MILLION)
    prices = Prices(2 * A_DOLLAR_A_MILLION, 8 * A_DOLLAR_A_MILLION, tiers=(dear,))
    gateway = await a_gateway(TokenUsage(250_000, 32_000), prices=(PriceRow("p", "a", "m", prices, "admin", NOW),))
    caller = a_caller(10_000_000, hold="worst_case")

    await ask(gateway, caller, messages=[{"role": "user", "content": "word" * 250_000}], max_tokens=32_000)

    (held,) = gateway.ledger.starts[0].charges
    assert held.nano_usd >= (250_000 * 4 + 32_000 * 12) * TOKEN
    assert (await standing(gateway, caller)).spent_nano_usd == (250_000 * 2 + 32_000 * 8) * TOKEN


async def test_worst_case_holds_the_whole_maximum() -> None:
    gateway = await a_gateway(TEN_OUT)

    with pytest.raises(LimitExceeded):
        await ask(gateway, a_caller(9_999, hold="worst_case"), max_tokens=10_000)

    await ask(gateway, a_caller(10_000, hold="worst_case"), max_tokens=10_000)


class Talking(FakeStream):
    """Says a word of three bytes a token, for ever, or until `stops_at`."""

    def __init__(self, stops_at: int) -> None:
        super().__init__()
        self.said = 0
        self._stops_at = stops_at

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.said < self._stops_at:
            self.said += 50
            self.output_bytes = 4 * self.said
            self.has_content = True
            yield b'data: {"choices":[{"index":0,"delta":{"content":"word"}}]}\n\n'
        self.usage = TokenUsage(0, self.said)

    @override
    def output_text(self) -> str:
        return "word" * self.said


async def told(gateway: FakeGateway, caller: Principal, **fields: object) -> int:
    call = gateway.call(a_chat_payload(stream=True, **fields), caller)
    reply = await gateway.pipeline.stream(CHAT, call)
    blocks = 0
    try:
        async for _ in reply:
            blocks += 1
    finally:
        await reply.aclose()
    return blocks


async def test_a_stream_holds_more_before_it_passes_on_more() -> None:
    talking = Talking(20_000)
    gateway = await a_gateway(talking)
    caller = a_caller(40_000)

    await told(gateway, caller)

    assert await spent_tokens(gateway, caller) == 20_000


async def test_a_stream_ends_where_its_budget_does() -> None:
    """R-16, P-06."""
    gateway = await a_gateway(Talking(60_000))
    caller = a_caller(6_000)

    with pytest.raises(StreamBroken) as broken:
        await told(gateway, caller)

    assert broken.value.code == "budget_exceeded"
    assert 5_500 <= await spent_tokens(gateway, caller) <= 6_000
    record = gateway.ledger.last
    assert (record.error_code, record.refused_by, record.status) == ("budget_exceeded", "key:key_1", 200)


async def test_many_streams_together_never_pass_the_budget() -> None:
    chats = {"a": FakeChatProvider(*[Talking(8_000) for _ in range(20)])}
    gateway = await FakeGateway(chats, prices=(a_price("a"),)).started()
    caller = a_caller(50_000)

    await asyncio.gather(*(told(gateway, caller) for _ in range(20)), return_exceptions=True)

    assert 40_000 <= await spent_tokens(gateway, caller) <= 50_000


async def test_a_model_without_a_price_is_refused_to_whom_a_budget_holds() -> None:
    gateway = await a_gateway(TEN_OUT, prices=(a_price("another"),))

    with pytest.raises(PermissionDenied) as refusal:
        await ask(gateway, a_caller(100))
    assert refusal.value.code == "model_unpriced"
    assert "a/m" in refusal.value.message

    await ask(gateway, a_caller(100, unpriced="allow"))
    await ask(gateway, a_caller(100, on_exceeded="shadow"))


async def test_a_candidate_without_a_price_is_passed_over_for_one_that_has_one() -> None:
    chats = {"a": FakeChatProvider(TEN_OUT), "b": FakeChatProvider(TEN_OUT)}
    gateway = await FakeGateway(chats, prices=(a_price("b"),)).started()

    _, trace = await ask(gateway, a_caller(10_000, rpm=1), max_tokens=10)

    assert trace.provider_id == "b"


async def test_whom_a_shadow_would_have_refused_is_in_the_record() -> None:
    gateway = await a_gateway(TEN_OUT)
    caller = a_caller(15, on_exceeded="shadow")

    for expected in (), ("key:key_1",):
        await ask(gateway, caller, max_tokens=10)

        assert gateway.ledger.last.would_refuse == expected
        assert gateway.ledger.last.refused_by == ""


async def test_a_model_that_costs_nothing_is_there_when_all_is_spent() -> None:
    gateway = await a_gateway(TEN_OUT, prices=(a_price("a", output=0),))
    caller = a_caller(0)

    await ask(gateway, caller)

    assert await spent_tokens(gateway, caller) == 0


async def test_a_budget_for_some_models_counts_those_alone() -> None:
    settings = ProviderSettings(models=("m", "other"))
    providers = [a_provider("a", settings=settings)]
    chats = {"a": FakeChatProvider(TEN_OUT)}
    gateway = await FakeGateway(chats, providers=providers, prices=(a_price("a"), a_price("a", "other"))).started()
    caller = a_caller(10, models=("a/m",))

    await ask(gateway, caller, model="a/other", max_tokens=1_000)
    await ask(gateway, caller, max_tokens=10)
    with pytest.raises(LimitExceeded):
        await ask(gateway, caller, max_tokens=10)

    assert await spent_tokens(gateway, caller) == 10


async def test_a_warning_lets_pass_and_says_so() -> None:
    gateway = await a_gateway(TEN_OUT)
    caller = a_caller(5, on_exceeded="warn")

    _, trace = await ask(gateway, caller, max_tokens=10)

    assert gateway.ledger.last.would_refuse == ()
    assert trace.limits is not None
    assert trace.limits.spending is not None
    assert [term.on_exceeded for term in trace.limits.spending.exceeded] == ["warn"]
    assert await spent_tokens(gateway, caller) == 10


async def test_a_downgrade_asks_the_other_model_and_no_other_budget_is_passed() -> None:
    settings = ProviderSettings(models=("m", "small"))
    providers = [a_provider("a", settings=settings)]
    chats = {"a": FakeChatProvider(TEN_OUT)}
    prices = (a_price("a"), a_price("a", "small", output=A_DOLLAR_A_MILLION // 10))
    gateway = await FakeGateway(chats, providers=providers, prices=prices).started()
    caller = a_caller(11, on_exceeded="downgrade", downgrade_to="a/small")

    await ask(gateway, caller, max_tokens=10)
    _, trace = await ask(gateway, caller, max_tokens=10)
    with pytest.raises(LimitExceeded):
        await ask(gateway, caller, max_tokens=10)

    assert [call.model for call in chats["a"].calls] == ["m", "small"]
    assert trace.downgraded_from == "m"
    assert await spent_tokens(gateway, caller) == 11


async def test_what_everybody_is_too_busy_for_holds_nothing() -> None:
    gateway = await a_gateway(failure(FailureKind.RATE_LIMITED))
    caller = a_caller(1_000)
    for _ in range(2):
        with pytest.raises(AllCandidatesFailed):
            await ask(gateway, caller, max_tokens=10)

    assert await spent_tokens(gateway, caller) == 0
