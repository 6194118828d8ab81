"""A route's `mock` answers without a provider, and is booked at nothing (contract 11)."""

import msgspec
import pytest

from application.configuration.routes import check_policy
from application.inference.calls import CHAT, InferenceCall
from domain.chat import ChatRequest
from domain.errors import ClientRejected, GatewayError, RequestInvalid
from domain.grants import Grants, Patterns
from domain.keys import Principal
from domain.prices import PriceRow, Prices
from domain.providers import ProviderSettings, check_provider_id
from domain.routes import FallbackCause, Mock, Require, Route, RoutePolicy, Target
from domain.savings import settled
from tests.builders import NOW, a_chat_payload, a_provider
from tests.fakes.gateway import ANYONE, FakeGateway
from tests.fakes.providers import FakeChatProvider

GREETING = Target("greeting", mock=Mock("Hello there."))
PRICE = PriceRow("price_a", "a", "m", Prices(1, 2), "admin", NOW)


async def a_gateway(*targets: Target, **fields: object) -> FakeGateway:
    policy = RoutePolicy(targets=targets, **fields)  # type: ignore[arg-type]  # built by name
    return await FakeGateway(
        {"a": FakeChatProvider()},
        providers=[a_provider("a", settings=ProviderSettings(models=("m",)))],
        prices=[PRICE],
        routes=[Route("r", policy, "database", 1, NOW, NOW)],
    ).started()


def a_call(gateway: FakeGateway, principal: Principal = ANYONE, **fields: object) -> InferenceCall[ChatRequest]:
    return gateway.call(a_chat_payload(model="r", **fields), principal)


async def test_nobody_is_asked_and_the_text_is_the_answer() -> None:
    gateway = await a_gateway(GREETING, Target("m", "a"))
    call = a_call(gateway)

    reply = await gateway.pipeline.complete(CHAT, call)

    answer = msgspec.json.decode(reply.body)
    assert answer["choices"][0]["message"]["content"] == "Hello there."
    assert answer["model"] == "greeting"
    assert answer["usage"]["completion_tokens"] > 0
    assert gateway.chats["a"].calls == []
    record = gateway.ledger.last
    assert (record.provider_id, record.model, record.outcome) == ("mock", "greeting", "ok")


async def test_a_stream_says_the_same_word_by_word() -> None:
    gateway = await a_gateway(GREETING)
    reply = await gateway.pipeline.stream(CHAT, a_call(gateway, stream=True, stream_options={"include_usage": True}))

    events = b"".join([block async for block in reply]).split(b"\n\n")
    await reply.aclose()

    chunks = [msgspec.json.decode(event[6:]) for event in events if event.startswith(b"data: {")]
    said = [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"]]
    assert "".join(said) == "Hello there."
    assert len([piece for piece in said if piece]) == 2
    assert chunks[-1]["usage"]["completion_tokens"] > 0
    assert gateway.ledger.last.outcome == "ok"


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_a_status_leads_where_a_providers_would(status: int) -> None:
    gateway = await a_gateway(Target("broken", mock=Mock("no", status=status)), Target("m", "a"))

    await gateway.pipeline.complete(CHAT, a_call(gateway))

    record = gateway.ledger.last
    assert record.outcome == "ok"
    assert [each.provider_id for each in record.attempts][:: len(record.attempts) - 1] == ["mock", "a"]


async def test_a_status_that_is_the_clients_fault_is_told_in_the_mocks_words() -> None:
    gateway = await a_gateway(Target("broken", mock=Mock("no", status=400)), Target("m", "a"))

    with pytest.raises(ClientRejected, match="no"):
        await gateway.pipeline.complete(CHAT, a_call(gateway))

    assert gateway.chats["a"].calls == []


async def test_failures_say_nothing_of_anybodys_health() -> None:
    gateway = await a_gateway(Target("broken", mock=Mock(status=500)))

    for _ in range(30):
        call = a_call(gateway)
        with pytest.raises(GatewayError) as raised:
            await gateway.pipeline.complete(CHAT, call)
        assert raised.value.code == "upstream_error"

    assert len(gateway.ledger.records) == 30
    assert gateway.dispatcher.rates.quiet


async def test_a_mock_keeps_every_require_and_can_do_whatever_is_asked() -> None:
    require = Require(capabilities=("tools",), regions=("eu",), no_training=True)
    gateway = await a_gateway(GREETING, Target("m", "a"), require=require)
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}

    plan = gateway.planned(a_chat_payload(model="r", tools=[tool]).value)

    assert [candidate.provider.id for candidate in plan.candidates] == ["mock"]


async def test_a_mock_behind_a_target_answers_where_that_fails() -> None:
    broken = Target("broken", mock=Mock(status=429))
    gateway = await a_gateway(broken, GREETING, fallback_on=(FallbackCause.RATE_LIMIT,))
    reply = await gateway.pipeline.complete(CHAT, a_call(gateway))

    assert b"Hello there." in reply.body


async def test_a_key_with_lists_needs_the_mock_in_them() -> None:
    gateway = await a_gateway(GREETING)
    allowed, other = (
        Principal("virtual_key", "key_1", "ten_default", grants=Grants(models=(Patterns((pattern,)),)))
        for pattern in ("mock/*", "a/*")
    )

    assert b"Hello" in (await gateway.pipeline.complete(CHAT, a_call(gateway, allowed))).body
    with pytest.raises(GatewayError):
        await gateway.pipeline.complete(CHAT, a_call(gateway, other))
    assert "r" in {model.id for model in gateway.directory.visible_to(allowed, None)}
    assert "r" not in {model.id for model in gateway.directory.visible_to(other, None)}


async def test_a_mock_saves_nothing() -> None:
    gateway = await a_gateway(GREETING, Target("m", "a"))
    await gateway.pipeline.complete(CHAT, a_call(gateway))

    record = settled(gateway.ledger.last, gateway.prices.look_up)

    assert record.savings_nano_usd is None


def test_a_mock_has_no_provider_and_no_provider_its_name() -> None:
    with pytest.raises(RequestInvalid) as raised:
        check_policy(RoutePolicy(targets=(msgspec.structs.replace(GREETING, provider="a"),)), None)
    assert raised.value.param == "targets.0.provider"
    with pytest.raises(RequestInvalid):
        check_provider_id("mock")
