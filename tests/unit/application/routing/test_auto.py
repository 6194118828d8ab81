"""`auto`: which deployment a request goes to, who is behind it, and what the decision says of both."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from application.inference.calls import CHAT
from application.routing.settings import RoutingSettings
from domain.chat import ChatRequest
from domain.errors import PermissionDenied, RequestInvalid, UpstreamFailure
from domain.failover import FailureKind
from domain.grants import Grants, Patterns
from domain.keys import Principal
from domain.model_facts import ModelFacts
from domain.ports.routing import RoutingQuestion
from domain.prices import PriceRow, Prices, Variant
from domain.providers import ProviderSettings
from domain.routing import Plan, Policy
from domain.tasks import Task
from tests.builders import a_chat_payload, a_provider
from tests.fakes.gateway import ANYONE, FakeGateway
from tests.fakes.providers import FakeChatProvider
from tests.unit.adapters.ingress.test_pictures import FakeImages

CHEAP, MIDDLE, DEAR = "cheap/small", "middle/medium", "dear/large"
NANO = 1_000_000_000
PRICES = {CHEAP: (0.1, 0.4), MIDDLE: (1.0, 5.0), DEAR: (10.0, 50.0)}
QUALITY = {CHEAP: 0.55, MIDDLE: 0.9, DEAR: 0.97}
EASY = {CHEAP: 0.85, MIDDLE: 0.93, DEAR: 0.96}
"""At chat, which nearly all can."""

PROOF = "Prove by induction that 3 divides n^3 - n for every natural n."
GREETING = "Good morning! How are you today?"


def a_price(name: str, **changes: Any) -> PriceRow:
    provider_id, _, model = name.partition("/")
    given, made = PRICES[name]
    prices = Prices(int(given * NANO), int(made * NANO), cache_read=int(given * NANO / 10), **changes)
    return PriceRow(f"price_{model}", provider_id, model, prices, "admin", datetime(2026, 1, 1, tzinfo=UTC))


async def a_gateway(prices: Sequence[PriceRow] | None = None) -> FakeGateway:
    names = [name.partition("/") for name in (CHEAP, MIDDLE, DEAR)]
    gateway = FakeGateway(
        {provider_id: FakeChatProvider() for provider_id, _, _ in names},
        providers=[
            a_provider(provider_id, priority=place, settings=ProviderSettings(models=(model,)))
            for place, (provider_id, _, model) in enumerate(names)
        ],
        prices=[a_price(name) for name in PRICES] if prices is None else prices,
    )
    for name, quality in QUALITY.items():
        provider_id, _, model = name.partition("/")
        strengths = dict.fromkeys(Task, quality) | {"chat": EASY[name]}
        gateway.facts.overrides = {**gateway.facts.overrides, (provider_id, model): ModelFacts(strengths=strengths)}
    return await gateway.started()


def a_request(text: str = GREETING, **fields: Any) -> ChatRequest:
    body = {"model": "auto", "messages": [{"role": "user", "content": text}]} | fields
    return msgspec.convert(body, ChatRequest)


def planned(gateway: FakeGateway, request: ChatRequest, principal: Principal = ANYONE, **changes: Any) -> Plan:
    question = RoutingQuestion(
        request,
        "chat.completions",
        True,
        None,
        principal,
        prompt_tokens=lambda: 100,
    )
    return gateway.router.plan(msgspec.structs.replace(question, **changes))


def names(plan: Plan) -> list[str]:
    return [f"{c.provider.id}/{c.model}" for c in plan.candidates]


def policy(plan: Plan) -> Policy:
    assert plan.policy is not None
    return plan.policy


async def test_small_talk_goes_to_the_cheap_model_and_a_proof_to_a_better_one() -> None:
    gateway = await a_gateway()

    chat, proof = planned(gateway, a_request()), planned(gateway, a_request(PROOF))

    assert names(chat)[0] == CHEAP
    assert names(proof)[0] == MIDDLE
    task = policy(proof).task
    assert task is not None
    assert (task.name, task.source) == (Task.REASONING, "heuristic")


async def test_what_nobody_could_read_is_taken_for_hard() -> None:
    plan = planned(await a_gateway(), a_request("Chest pain, left arm numb. What now?"))

    assert names(plan)[0] == MIDDLE
    task = policy(plan).task
    assert task is not None
    assert task.name is None


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        ({"model": "auto:cost"}, CHEAP),
        ({"model": "auto:quality"}, DEAR),
        ({"priority": "cost"}, CHEAP),
        ({"priority": "quality"}, DEAR),
        ({"model": "auto:quality", "priority": "cost"}, CHEAP),
        ({"task": "chat"}, CHEAP),
        ({"task": "reasoning"}, MIDDLE),
    ],
)
async def test_the_request_says_what_matters(fields: dict[str, Any], first: str) -> None:
    assert names(planned(await a_gateway(), a_request(PROOF, **fields)))[0] == first


@pytest.mark.parametrize("field", ["task", "priority", "latency"])
async def test_a_word_that_is_none_is_refused_by_its_name(field: str) -> None:
    with pytest.raises(RequestInvalid) as refused:
        planned(await a_gateway(), a_request(**{field: "whatever"}))

    assert refused.value.param == field


async def test_the_settings_hold_for_requests_that_say_nothing() -> None:
    gateway = await a_gateway()
    gateway.routing.current = RoutingSettings(priority="quality")

    assert names(planned(gateway, a_request()))[0] == DEAR
    assert names(planned(gateway, a_request(priority="cost")))[0] == CHEAP


async def test_behind_the_best_comes_its_backup_and_then_the_cheapest() -> None:
    plan = planned(await a_gateway(), a_request(PROOF))

    assert names(plan) == [MIDDLE, DEAR, CHEAP]
    assert len(policy(plan).scores) == 3
    assert all(parts is not None and not parts.quality_assumed for _, parts in policy(plan).scores)


async def test_on_failure_the_backup_serves() -> None:
    gateway = await a_gateway()
    plan = planned(gateway, a_request(PROOF))
    for candidate in plan.candidates[:1]:
        failure = UpstreamFailure(FailureKind.MODEL_ABSENT, "gone", status=404)
        gateway.availability.record_failure(candidate.provider.id, "pk_middle", candidate.model, failure)
    again = planned(gateway, a_request(PROOF))

    assert names(again)[0] == DEAR
    assert names(again)[-1] == MIDDLE


async def test_with_one_provider_and_no_prices_it_still_goes_there() -> None:
    settings = ProviderSettings(models=("m",))
    gateway = await FakeGateway({"a": FakeChatProvider()}, providers=[a_provider("a", settings=settings)]).started()

    plan = planned(gateway, a_request())

    assert names(plan) == ["a/m"]
    ((_, parts),) = policy(plan).scores
    assert parts is not None
    assert parts.quality_assumed
    assert parts.cost is None
    assert policy(plan).baseline is None


async def test_without_any_figures_providers_come_in_their_order() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider(), "b": FakeChatProvider()}).started()

    assert names(planned(gateway, a_request())) == ["a/m", "b/m"]


async def test_what_the_key_may_not_use_is_no_candidate_and_no_baseline() -> None:
    principal = msgspec.structs.replace(ANYONE, grants=Grants((Patterns(["*", "!dear/*"]),)))

    plan = planned(await a_gateway(), a_request(PROOF), principal)

    assert DEAR not in names(plan)
    assert [(p.provider_id, p.excluded_by) for p in policy(plan).passed] == [("dear", "not_allowed")]
    assert policy(plan).baseline == MIDDLE


async def test_the_baseline_is_the_dearest_unless_one_is_set() -> None:
    gateway = await a_gateway()
    before = policy(planned(gateway, a_request())).baseline
    gateway.routing.current = RoutingSettings(baseline=MIDDLE)

    assert before == DEAR
    assert policy(planned(gateway, a_request())).baseline == MIDDLE


async def test_requests_are_held_out_by_chance_and_go_to_the_baseline() -> None:
    gateway = await a_gateway()
    gateway.routing.current = RoutingSettings(holdout_share=0.1)
    gateway.draws = [0.05, 0.5]

    held_out, other = planned(gateway, a_request()), planned(gateway, a_request("Tell me a joke about penguins."))

    assert (names(held_out)[0], policy(held_out).holdout) == (DEAR, True)
    assert (names(other)[0], policy(other).holdout) == (CHEAP, False)


async def test_who_can_wait_is_asked_for_in_the_cheaper_tier_and_then_in_the_usual_one() -> None:
    flex = Variant(when="service_tier:flex", input=NANO // 2, output=5 * NANO // 2)
    gateway = await a_gateway([a_price(CHEAP), a_price(MIDDLE, variants=(flex,)), a_price(DEAR)])

    relaxed = planned(gateway, a_request(PROOF, latency="relaxed"))
    usual = planned(gateway, a_request(PROOF))
    own = planned(gateway, a_request(PROOF, latency="relaxed", service_tier="priority"))

    assert [(c.model, c.service_tier) for c in relaxed.candidates[:2]] == [("medium", "flex"), ("medium", "")]
    assert {c.service_tier for c in (*usual.candidates, *own.candidates)} == {""}


async def test_pinned_to_a_provider_it_chooses_there_alone() -> None:
    assert names(planned(await a_gateway(), a_request(PROOF), pinned_provider="cheap")) == [CHEAP]


async def test_the_bodys_provider_and_models_hold_for_it_too() -> None:
    gateway = await a_gateway()

    only = planned(gateway, a_request(PROOF, provider={"only": ["dear", "cheap"]}))
    further = planned(gateway, a_request(PROOF, models=["other/thing", "dear/large"]), pinned_provider="cheap")

    assert MIDDLE not in names(only)
    assert names(further)[0] == CHEAP


@pytest.mark.parametrize("model", ["auto:cost", "auto:latency"])
async def test_for_what_is_no_chat_it_is_refused(model: str) -> None:
    with pytest.raises(RequestInvalid):
        planned(await a_gateway(), a_request(model=model), endpoint="embeddings", auto=False)


async def test_nothing_allowed_is_said_so() -> None:
    gateway = await a_gateway()
    principal = msgspec.structs.replace(ANYONE, grants=Grants((Patterns(["none/*"]),)))
    request = a_request()

    with pytest.raises(PermissionDenied):
        gateway.gate.admit(principal, request, planned(gateway, request, principal))


PAINTING = "Draw a picture of a lighthouse, oil painting style."


async def a_gateway_that_paints() -> tuple[FakeGateway, FakeImages]:
    settings = (ProviderSettings(models=("m",)), ProviderSettings(models=("painter-image",)))
    gateway = FakeGateway(
        {"writes": FakeChatProvider(), "paints": FakeChatProvider()},
        providers=[
            a_provider(name, priority=place, settings=each)
            for place, (name, each) in enumerate(zip(("writes", "paints"), settings, strict=True))
        ],
    )
    gateway.registry.images["paints"] = images = FakeImages({"b64_json": "iVBORw0KGgo="})
    return await gateway.started(), images


async def test_a_chat_that_surely_asks_for_a_picture_is_answered_with_one() -> None:
    gateway, images = await a_gateway_that_paints()
    payload = a_chat_payload(model="auto", messages=[{"role": "user", "content": PAINTING}])

    reply = await gateway.pipeline.complete(CHAT, gateway.call(payload))

    message = json.loads(reply.body)["choices"][0]["message"]
    assert message["images"][0]["image_url"]["url"].startswith("data:image/png;base64,")
    assert images.asked[0].payload.value.prompt == PAINTING
    assert gateway.chats["writes"].calls == []


async def test_a_picture_streams_as_a_chat_does() -> None:
    gateway, _ = await a_gateway_that_paints()
    payload = a_chat_payload(model="auto", stream=True, messages=[{"role": "user", "content": "a cat"}], task="image")

    reply = await gateway.pipeline.stream(CHAT, gateway.call(payload))
    blocks = b"".join([block async for block in reply])
    await reply.aclose()

    assert b'"images":[{"type":"image_url"' in blocks
    assert blocks.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    "fields",
    [{"task": "chat"}, {"tools": [{"type": "function", "function": {"name": "f"}}]}, {"model": "writes/m"}],
)
async def test_no_picture_is_made_for_a_request_that_is_something_else(fields: dict[str, Any]) -> None:
    gateway, images = await a_gateway_that_paints()
    body = {"model": "auto", "messages": [{"role": "user", "content": PAINTING}]} | fields

    await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload(**body)))

    assert images.asked == []


async def test_the_task_that_a_model_read_is_the_one_that_is_routed_by() -> None:
    gateway = await a_gateway()
    gateway.routing.current = RoutingSettings(classifier_model="cheap/small")
    payload = a_chat_payload(model="auto", messages=[{"role": "user", "content": "continue"}])
    call = gateway.call(payload)

    await gateway.pipeline.complete(CHAT, call)

    assert len(gateway.chats["cheap"].calls) == 1  # which says no task in this gateway
    assert call.trace.policy is not None
    assert call.trace.policy.task == call.trace.reading
    assert len(gateway.ledger.records) == 2
