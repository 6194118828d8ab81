"""Each cause of fallback leads to a route's next target, and no other does (contract 11): real bodies of providers."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import pytest

from application.inference.calls import CHAT, CallTrace
from application.inference.fallbacks import cause_of, refuses
from domain.errors import AllCandidatesFailed, ClientRejected, GatewayError, UpstreamFailure
from domain.failover import FailureKind
from domain.limits import Budget, RateLimits
from domain.ports.providers import ProviderAnswer
from domain.prices import PriceRow, Prices
from domain.providers import ProviderSettings
from domain.routes import CAUSES, USUAL_CAUSES, FallbackCause, Route, RoutePolicy, Target
from domain.subject_limits import StoredRule, Subject
from domain.usage import TokenUsage
from tests.builders import NOW, a_chat_payload, a_provider
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider, FakeStream, failure
from tests.unit.adapters.wire.refusals import REFUSALS, Refusal

OK = TokenUsage(3, 5)
ALL = tuple(FallbackCause)
OF_A_CALL = [cause for cause in FallbackCause if cause is not FallbackCause.REFUSAL]


def bodies(cause: FallbackCause) -> Iterator[Refusal]:
    """One body of each of the first six providers that have one."""
    seen: set[str] = set()
    for row in REFUSALS:
        if row.provider not in seen and len(seen) < 6 and cause_of(row.answered()) is cause:
            seen.add(row.provider)
            yield row


EACH = [(cause, row) for cause in OF_A_CALL for row in bodies(cause)]


async def a_gateway(
    first: FakeChatProvider, fallback_on: tuple[FallbackCause, ...] | None, prices: Sequence[PriceRow] = ()
) -> FakeGateway:
    """A route to `m` at two providers, the second of which answers, and knows a larger window."""
    settings = ProviderSettings(models=("m",))
    providers = [a_provider(name, priority=place, settings=settings) for place, name in enumerate("ab")]
    policy = RoutePolicy(targets=(Target("m", "a"), Target("m", "b")), fallback_on=fallback_on)
    route = Route("r", policy, "database", 1, NOW, NOW)
    chats = {"a": first, "b": FakeChatProvider(OK)}
    return await FakeGateway(chats, providers=providers, routes=[route], prices=prices).started()


async def asked(gateway: FakeGateway) -> CallTrace | GatewayError:
    call = gateway.call(a_chat_payload(model="r"))
    try:
        await gateway.pipeline.complete(CHAT, call)
    except GatewayError as error:
        return error
    return call.trace


async def went_on(given: UpstreamFailure, fallback_on: tuple[FallbackCause, ...] | None) -> bool:
    gateway = await a_gateway(FakeChatProvider(given), fallback_on)
    await asked(gateway)
    return bool(gateway.chats["b"].calls)


def test_every_cause_has_bodies_of_six_providers() -> None:
    assert {cause: len({row.provider for row in bodies(cause)}) for cause in OF_A_CALL} == dict.fromkeys(OF_A_CALL, 6)


@pytest.mark.parametrize(("cause", "row"), EACH, ids=[f"{cause}-{row.provider}" for cause, row in EACH])
async def test_a_cause_leads_to_the_next_target_where_it_is_named_and_only_there(
    cause: FallbackCause, row: Refusal
) -> None:
    given = row.answered()

    assert await went_on(given, (cause,))
    assert not await went_on(given, tuple(other for other in ALL if other is not cause))
    assert await went_on(given, None) is (cause in USUAL_CAUSES)


def test_every_kind_of_failure_counts_as_a_cause_or_as_none() -> None:
    assert set(CAUSES) == set(FailureKind)


async def test_a_clients_own_fault_goes_nowhere_whatever_is_named() -> None:
    gateway = await a_gateway(FakeChatProvider(failure(FailureKind.CLIENT_FAULT)), ALL)

    assert isinstance(await asked(gateway), ClientRejected)
    assert gateway.chats["b"].calls == []


async def test_a_target_that_rests_by_a_cause_that_is_not_named_is_not_followed_either() -> None:
    """Else the breaker would lead where the failure may not."""
    limited = FakeChatProvider(failure(FailureKind.RATE_LIMITED, retry_after_seconds=60))
    gateway = await a_gateway(limited, (FallbackCause.ERROR,))
    for _ in range(2):
        error = await asked(gateway)
        assert isinstance(error, AllCandidatesFailed)
        assert error.code == "rate_limit_exceeded"

    assert len(limited.calls) == 1
    assert gateway.chats["b"].calls == []


ANSWERS = {
    "openai-filter": b'{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}',
    "openai-refusal": b'{"choices":[{"message":{"content":null,"refusal":"I cannot."},"finish_reason":"stop"}]}',
    "azure-filter": b'{"choices":[{"content_filter_results":{"hate":{}},"finish_reason":"content_filter"}]}',
    "anthropic": b'{"type":"message","content":[],"stop_reason":"refusal","usage":{"input_tokens":5}}',
    "gemini-prompt": b'{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":5}}',
    "gemini-answer": b'{"candidates":[{"finishReason":"SAFETY","index":0}],"modelVersion":"gemini-3"}',
    "responses-part": b'{"output":[{"type":"message","content":[{"type":"refusal","refusal":"No."}]}]}',
    "responses-filter": b'{"status":"incomplete","incomplete_details":{"reason":"content_filter"},"output":[]}',
}  # fmt: skip
PLAIN = {
    "stop": b'{"choices":[{"message":{"content":"I cannot help with that.","refusal":null},"finish_reason":"stop"}]}',
    "length": b'{"stop_reason":"max_tokens","content":[{"type":"text","text":"refusal"}]}',
    "gemini": b'{"candidates":[{"finishReason":"STOP","content":{"parts":[{"text":"SAFETY"}]}}]}',
    "no json": b"\xff\x00audio",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_refuses_by_its_reason(name: str) -> None:
    assert refuses(ProviderAnswer(ANSWERS[name], "m", OK))


@pytest.mark.parametrize("name", PLAIN)
def test_no_answer_refuses_by_its_words(name: str) -> None:
    assert not refuses(ProviderAnswer(PLAIN[name], "m", OK))


REFUSED = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}\n\n'
SPOKEN = b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'


async def streamed(fallback_on: tuple[FallbackCause, ...] | None, *second: object) -> tuple[FakeGateway, bytes]:
    first = FakeStream(REFUSED, usage=TokenUsage(7, 1))
    gateway = await a_gateway(FakeChatProvider(first), fallback_on)
    gateway.chats["b"].script = list(second) or [FakeStream(SPOKEN, usage=OK)]  # type: ignore[arg-type]  # test data
    reply = await gateway.pipeline.stream(CHAT, gateway.call(a_chat_payload(model="r", stream=True)))
    sent = b"".join([block async for block in reply])
    await reply.aclose()
    assert first.closed
    return gateway, sent


async def test_a_stream_that_refuses_before_its_content_is_asked_of_the_next_target_and_paid_for() -> None:
    gateway, sent = await streamed((FallbackCause.REFUSAL,))
    attempts = gateway.ledger.last.attempts

    assert b"Hello" in sent
    assert b"content_filter" not in sent
    assert [(a.provider_id, a.outcome) for a in attempts] == [("a", "refusal"), ("b", "ok")]
    assert attempts[0].usage == TokenUsage(7, 1)


async def test_a_refusal_goes_nowhere_unless_it_is_asked_for() -> None:
    for fallback_on in (None, tuple(cause for cause in ALL if cause is not FallbackCause.REFUSAL)):
        gateway, sent = await streamed(fallback_on)
        assert b"content_filter" in sent
        assert gateway.chats["b"].calls == []


async def test_a_refusal_is_passed_on_where_nobody_else_answers() -> None:
    gateway, sent = await streamed((FallbackCause.REFUSAL, FallbackCause.ERROR), failure(FailureKind.OVERLOADED))

    assert b"content_filter" in sent
    assert gateway.chats["b"].calls
    assert gateway.ledger.last.outcome == "ok"


CAPS = {
    FallbackCause.SPEND_CAP: StoredRule(
        "bud_1", Subject("provider", "a"), RateLimits(), Budget(limit_usd=Decimal("0.000001"), period="day"), NOW, NOW
    ),
    FallbackCause.RATE_LIMIT: StoredRule("lim_1", Subject("provider", "a"), RateLimits(rpm=0), None, NOW, NOW),
}


@pytest.mark.parametrize("cause", CAPS)
async def test_caps_and_limits_of_our_own_count_as_their_cause(cause: FallbackCause) -> None:
    for fallback_on, served in (((cause,), "b"), (tuple(other for other in ALL if other is not cause), None)):
        prices = [PriceRow(f"price_{each}", each, "m", Prices(10**9, 10**9), "admin", NOW) for each in "ab"]
        gateway = await a_gateway(FakeChatProvider(OK), fallback_on, prices)
        gateway.rules.take([CAPS[cause]])
        trace = await asked(gateway)

        assert (trace.provider_id if isinstance(trace, CallTrace) else None) == served
        assert gateway.chats["a"].calls == []
