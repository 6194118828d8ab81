"""Conversations whose requests go through several processes: each as if there were one."""

import logging
import random
from typing import Any

import msgspec
import pytest

from application.inference.calls import CHAT
from application.routing.prompts import turns_of
from application.routing.shared_places import KEEP_SECONDS, TELL_AGAIN_SECONDS
from domain.chat import ChatRequest
from domain.generate_content import GenerateContentRequest
from domain.inference import InferenceRequest
from domain.messages import MessagesRequest
from domain.ports.routing import RoutingQuestion
from domain.responses import ResponsesRequest
from domain.routes import Route, RoutePolicy, Target
from domain.routing import Plan
from tests.builders import NOW, a_chat_payload
from tests.fakes.conversation_places import MemoryConversationPlaces
from tests.fakes.gateway import ANYONE, FakeGateway
from tests.fakes.providers import FakeChatProvider

TRACES = 200
TOOLS = [{"type": "function", "function": {"name": "f"}}]
CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
RESULT = {"role": "tool", "content": "ok", "tool_call_id": "c1"}
TARGETS = tuple(Target("m", each) for each in "abc")
STRATEGIES = ("weighted", "lowest_cost", "least_latency")


async def processes(places: MemoryConversationPlaces, number: int = 2, **policy: Any) -> list[FakeGateway]:
    """That share what they tell each other, and choose by a chance of their own."""
    draw = random.Random(15)
    usual: dict[str, Any] = {"targets": TARGETS, "strategy": "weighted", "affinity": True}
    route = Route("r", RoutePolicy(**(usual | policy)), "database", 1, NOW, NOW)
    chats = {each: FakeChatProvider() for each in "abcd"}
    made = [FakeGateway(chats, routes=[route], chance=draw.random, shared=places) for _ in range(number)]
    return [await each.started() for each in made]


def a_chat(*messages: dict[str, Any], model: str = "r") -> ChatRequest:
    return msgspec.convert({"model": model, "messages": list(messages), "tools": TOOLS}, ChatRequest)


async def planned(gateway: FakeGateway, request: ChatRequest) -> Plan:
    """As the pipeline asks."""
    question = RoutingQuestion(request, "chat.completions", True, None, ANYONE, prompt_tokens=lambda: 2_000)
    plan = gateway.router.plan(msgspec.structs.replace(question, may_wait=True))
    if not gateway.router.is_settled(plan):
        await gateway.router.settle(plan)
        plan = gateway.router.plan(question)
    return plan


async def served(gateway: FakeGateway, plan: Plan, place: int = 0) -> str:
    policy = plan.policy
    assert policy is not None
    assert policy.loops
    gateway.router.served(policy.conversation, plan.candidates[place], 2_000, policy.turns, tells=policy.tells)
    await gateway.router.told()
    return plan.candidates[place].provider.id


@pytest.mark.parametrize("model", [*STRATEGIES, "auto", "held out"])
async def test_no_agent_is_moved_inside_a_tool_loop_whichever_process_gets_its_requests(model: str) -> None:
    policy: dict[str, Any] = {"strategy": model} if model in STRATEGIES else {}
    if model == "held out":
        policy = {"baseline": "d/m", "holdout_share": 0.5}
    gateways, draw = await processes(MemoryConversationPlaces(), 3, **policy), random.Random(7)
    moved, whys, begun = 0, set[str](), set[str]()

    for number in range(TRACES):
        history: list[dict[str, Any]] = [{"role": "user", "content": f"Task {number}"}]
        at = ""
        for step in range(4):
            gateway = gateways[(number + step) % 3]
            plan = await planned(gateway, a_chat(*history, model="auto" if model == "auto" else "r"))
            assert plan.policy is not None
            if step:
                moved += plan.candidates[0].provider.id != at
                whys.add(plan.policy.affinity)
            at = await served(gateway, plan, 0 if step or model == "held out" else draw.randrange(3))
            begun |= {at} if not step else set()
            history += [CALL, RESULT]

    assert moved == 0
    assert whys == {"stay:tool_loop"}
    assert len(begun) >= 3
    assert "d" in begun or model != "held out"


async def test_who_moved_last_is_believed_by_those_who_knew_it_elsewhere() -> None:
    one, other = await processes(MemoryConversationPlaces())
    begun = a_chat({"role": "user", "content": "hi"})
    at = await served(one, await planned(one, begun))
    going_on = a_chat({"role": "user", "content": "hi"}, CALL, RESULT)
    plan = await planned(other, going_on)
    assert plan.candidates[0].provider.id == at

    moved_to = await served(other, plan, 1)  # the first one failed
    last = await planned(one, a_chat({"role": "user", "content": "hi"}, CALL, RESULT, CALL, RESULT))

    assert last.candidates[0].provider.id == moved_to != at


async def test_who_has_all_requests_of_a_conversation_asks_nobody_and_tells_once_a_minute() -> None:
    places = MemoryConversationPlaces()
    (gateway,) = await processes(places, 1)
    history: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
    for _ in range(20):
        await served(gateway, await planned(gateway, a_chat(*history)))
        history += [CALL, RESULT]
    assert (places.asked, places.told) == (0, 1)

    gateway.clock.advance(TELL_AGAIN_SECONDS + 1)
    await served(gateway, await planned(gateway, a_chat(*history)))

    assert (places.asked, places.told) == (0, 2)


async def test_of_who_asks_once_and_calls_no_tool_nobody_is_told() -> None:
    places = MemoryConversationPlaces()
    one, other = await processes(places)
    history: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
    whys = []
    for gateway in (one, other, one):
        request = msgspec.convert({"model": "r", "messages": list(history)}, ChatRequest)
        plan = await planned(gateway, request)
        assert plan.policy is not None
        whys.append(plan.policy.affinity)
        policy, candidate = plan.policy, plan.candidates[0]
        gateway.router.served(policy.conversation, candidate, 2_000, policy.turns, tells=policy.tells)
        await gateway.router.told()
        history += [{"role": "assistant", "content": "hello"}, {"role": "user", "content": "more"}]
        if gateway is one and len(history) == 3:
            assert places.places == {}

    assert len(places.places) == 1
    assert whys == ["new", "new", "stay:cache"]


async def test_alone_nothing_is_told_or_asked() -> None:
    gateway = await FakeGateway({"a": FakeChatProvider()}).started()
    question = RoutingQuestion(a_chat({"role": "user", "content": "hi"}, CALL, RESULT, model="auto"), "x", True)

    plan = gateway.router.plan(msgspec.structs.replace(question, may_wait=True))

    assert plan.policy is not None
    assert (plan.policy.affinity, plan.policy.loops, plan.policy.turns) == ("new", False, 0)
    assert gateway.router.is_settled(plan)


async def test_others_know_who_called_a_tool_before_the_client_does() -> None:
    places = MemoryConversationPlaces()
    (gateway,) = await processes(places, 1)

    await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload(model="r", tools=TOOLS)))

    (served,) = gateway.ledger.records
    assert [place.provider_id for place in places.places.values()] == [served.attempts[-1].provider_id]


@pytest.mark.parametrize("how", ["away", "hangs"])
async def test_without_the_database_each_goes_by_what_it_knows_and_waits_for_nothing_twice(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    places = MemoryConversationPlaces()
    one, other = await processes(places)
    setattr(places, how, True)
    begun, going_on = a_chat({"role": "user", "content": "hi"}), a_chat({"role": "user", "content": "hi"}, CALL, RESULT)

    with caplog.at_level(logging.WARNING):
        at = await served(one, await planned(one, begun))
        assert (await planned(one, going_on)).candidates[0].provider.id == at
        for _ in range(5):
            assert (await planned(other, going_on)).policy is not None
        assert (places.told, places.asked) == (1, 1)

        setattr(places, how, False)
        for gateway in (one, other):
            gateway.clock.advance(2)
            await gateway.router.told()  # what could not be told before, too
        assert (await planned(other, going_on)).candidates[0].provider.id == at

    assert len([line for line in caplog.records if "kept together" in line.getMessage()]) == 4  # two of each process


async def test_a_model_that_no_database_takes_keeps_nothing_else_from_being_told() -> None:
    places = MemoryConversationPlaces()
    (gateway,) = await processes(places, 1)
    kept = await planned(gateway, a_chat({"role": "user", "content": "hi"}))
    assert kept.policy is not None
    odd = msgspec.structs.replace(kept.candidates[0], model="m\0")

    gateway.router.served("odd", odd, 10, 1, tells=True)
    await served(gateway, kept)

    assert list(places.places) == [kept.policy.conversation]


async def test_what_no_cache_can_hold_any_more_is_forgotten() -> None:
    places = MemoryConversationPlaces()
    (gateway,) = await processes(places, 1)
    await served(gateway, await planned(gateway, a_chat({"role": "user", "content": "hi"})))

    gateway.clock.advance(KEEP_SECONDS - 1)
    await gateway.shared.forget()
    assert len(places.places) == 1
    gateway.clock.advance(2)
    await gateway.shared.forget()

    assert places.places == {}


MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "4"}]},
]
ITEMS: list[dict[str, Any]] = [
    {"role": "user", "content": "hi"},
    {"type": "reasoning", "summary": []},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call", "call_id": "d", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "4"},
    {"type": "function_call_output", "call_id": "d", "output": "4"},
]
CONTENTS: list[dict[str, Any]] = [
    {"role": "user", "parts": [{"text": "hi"}]},
    {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
    {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]},
]


@pytest.mark.parametrize(
    ("request_type", "field", "history", "first"),
    [
        (ChatRequest, "messages", [{"role": "system", "content": "s"}, MESSAGES[0], CALL, RESULT, RESULT], 2),
        (MessagesRequest, "messages", MESSAGES, 1),
        (ResponsesRequest, "input", ITEMS, 1),
        (GenerateContentRequest, "contents", CONTENTS, 1),
    ],
)
def test_the_request_before_is_known_by_its_length_in_every_api(
    request_type: type[InferenceRequest], field: str, history: list[dict[str, Any]], first: int
) -> None:
    def read(items: list[dict[str, Any]]) -> InferenceRequest:
        return msgspec.json.decode(msgspec.json.encode({"model": "m", field: items}), type=request_type)

    begun, going_on = turns_of(read(history[:first])), turns_of(read(history))

    assert (begun.all, begun.before) == (first, 0)
    assert (going_on.all, going_on.before) == (len(history), first)


def test_a_flood_of_messages_is_not_read_to_its_beginning() -> None:
    flood = [{"role": "user", "content": "x"}] * 5_000
    items = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}, *flood]
    request = msgspec.json.decode(msgspec.json.encode({"model": "m", "input": items}), type=ResponsesRequest)

    assert turns_of(request).before == 0
