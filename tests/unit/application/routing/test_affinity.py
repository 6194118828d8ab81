"""Conversations that stay together: what is remembered, when one moves, and what that saves."""

import random
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from bench.affinity import TRACES, affinity, compared

from application.routing.affinity import AffinityMemory, Held, Turn, switch_pays
from application.routing.prompts import conversation_of, prompt_of
from domain.attribution import Attribution
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.inference import InferenceRequest
from domain.messages import MessagesRequest
from domain.ports.routing import RoutingQuestion
from domain.responses import ResponsesRequest
from domain.routing import Plan
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import ANYONE, FakeGateway
from tests.fakes.providers import FakeChatProvider

AGENTS = 1_000


async def a_gateway() -> FakeGateway:
    return await FakeGateway({"a": FakeChatProvider(), "b": FakeChatProvider(), "c": FakeChatProvider()}).started()


def a_chat(*messages: dict[str, Any], **fields: Any) -> ChatRequest:
    return msgspec.convert({"model": "auto", "messages": list(messages)} | fields, ChatRequest)


def asked(request: InferenceRequest, **changes: Any) -> RoutingQuestion:
    question = RoutingQuestion(request, "chat.completions", True, None, ANYONE, prompt_tokens=lambda: 2_000)
    return msgspec.structs.replace(question, **changes)


def said(role: str, content: str, **fields: Any) -> dict[str, Any]:
    return {"role": role, "content": content} | fields


USER = said("user", "Fix the failing test.")
CALL = said(
    "assistant", "", tool_calls=[{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
)
RESULT = said("tool", "ok", tool_call_id="c1")
TOOLS = [{"type": "function", "function": {"name": "f"}}]


def first(plan: Plan) -> str:
    return plan.candidates[0].provider.id


def why(plan: Plan) -> str:
    assert plan.policy is not None
    return plan.policy.affinity


def serve(gateway: FakeGateway, plan: Plan, place: int = 0) -> None:
    assert plan.policy is not None
    gateway.router.served(plan.policy.conversation, plan.candidates[place], 2_000)


def down(gateway: FakeGateway, provider_id: str) -> None:
    failure = UpstreamFailure(FailureKind.MODEL_ABSENT, "gone", status=404)
    gateway.availability.record_failure(provider_id, f"pk_{provider_id}", "m", failure)


async def test_a_conversation_goes_on_where_it_was_served() -> None:
    gateway = await a_gateway()
    begun = gateway.router.plan(asked(a_chat(USER)))
    serve(gateway, begun, place=1)

    going_on = gateway.router.plan(asked(a_chat(USER, said("assistant", "done"), said("user", "and now?"))))
    other = gateway.router.plan(asked(a_chat(said("user", "Another talk."))))

    assert (why(begun), first(going_on), why(going_on)) == ("new", "b", "stay:best")
    assert (first(other), why(other)) == ("a", "new")


async def test_no_conversation_is_taken_for_that_of_another_key() -> None:
    gateway = await a_gateway()
    serve(gateway, gateway.router.plan(asked(a_chat(USER))), place=1)
    other_key = msgspec.structs.replace(ANYONE, key_id="key_2")
    other_tenant = msgspec.structs.replace(ANYONE, tenant_id="ten_2")

    assert why(gateway.router.plan(asked(a_chat(USER), principal=other_key))) == "new"
    assert why(gateway.router.plan(asked(a_chat(USER), principal=other_tenant))) == "new"


async def test_a_session_of_the_client_is_one_conversation_whatever_it_says() -> None:
    gateway = await a_gateway()
    session = Attribution(session="s1")
    serve(gateway, gateway.router.plan(asked(a_chat(USER), attribution=session)), place=2)

    going_on = gateway.router.plan(asked(a_chat(said("user", "something else")), attribution=session))

    assert (first(going_on), why(going_on)) == ("c", "stay:best")


async def test_when_the_cache_is_gone_the_conversation_is_free() -> None:
    gateway = await a_gateway()
    serve(gateway, gateway.router.plan(asked(a_chat(USER))), place=1)
    gateway.clock.advance(1_900)

    plan = gateway.router.plan(asked(a_chat(USER)))

    assert (first(plan), why(plan)) == ("a", "free:expired")


async def test_between_a_call_and_its_result_it_stays_even_when_the_cache_is_gone() -> None:
    gateway = await a_gateway()
    serve(gateway, gateway.router.plan(asked(a_chat(USER, tools=TOOLS))), place=1)
    gateway.clock.advance(1_900)

    plan = gateway.router.plan(asked(a_chat(USER, CALL, RESULT, tools=TOOLS)))

    assert (first(plan), why(plan)) == ("b", "stay:tool_loop")


@pytest.mark.parametrize(
    "history",
    [
        b'[{"role":"assistant","thinking_blocks":[{"type":"thinking","signature":"x"}]}]',
        b'[{"role":"assistant","reasoning_details":[{"type":"reasoning.encrypted","data":"x"}]}]',
        b'[{"role":"assistant","tool_calls":[{"id":"c","extra_content":{"google":{}}}]}]',
        b'[{"role":"assistant","content":[{"type":"redacted_thinking","data":"x"}]}]',
    ],
)
async def test_with_signed_thinking_in_its_history_it_stays(history: bytes) -> None:
    gateway = await a_gateway()
    serve(gateway, gateway.router.plan(asked(a_chat(USER))), place=1)
    gateway.clock.advance(1_900)
    fields = {"messages": msgspec.Raw(history)}

    plan = gateway.router.plan(asked(a_chat(USER, said("assistant", "hm"), said("user", "go on")), fields=fields))

    assert (first(plan), why(plan)) == ("b", "stay:reasoning")


async def test_a_text_that_speaks_of_signatures_is_none() -> None:
    question = asked(a_chat(USER), fields={"messages": msgspec.Raw(rb'[{"content":"say \"signature\""}]')})

    assert not conversation_of(question).signed


async def test_unless_that_deployment_is_down() -> None:
    gateway = await a_gateway()
    serve(gateway, gateway.router.plan(asked(a_chat(USER, tools=TOOLS))), place=1)
    down(gateway, "b")

    plan = gateway.router.plan(asked(a_chat(USER, CALL, RESULT, tools=TOOLS)))

    assert (first(plan), why(plan)) == ("a", "switch:down")


async def test_the_beginning_is_what_a_conversation_is_known_by_in_every_api() -> None:
    messages = [{"role": "user", "content": "hi"}]
    longer = [*messages, {"role": "assistant", "content": "hello"}, {"role": "user", "content": "more"}]
    pairs: list[tuple[InferenceRequest, InferenceRequest]] = [
        (
            msgspec.convert({"model": "auto", "system": "s", "messages": messages}, MessagesRequest),
            msgspec.convert({"model": "auto", "system": "s", "messages": longer}, MessagesRequest),
        ),
        (
            msgspec.json.decode(b'{"model":"auto","input":[{"role":"user","content":"hi"}]}', type=ResponsesRequest),
            msgspec.json.decode(
                b'{"model":"auto","input":[{"role":"user","content":"hi"},{"role":"user","content":"x"}]}',
                type=ResponsesRequest,
            ),
        ),
    ]

    for begun, going_on in pairs:
        assert conversation_of(asked(begun)).id == conversation_of(asked(going_on)).id


def test_a_tools_result_is_known_in_every_api() -> None:
    messages = b'{"model":"m","messages":[{"role":"user","content":[{"type":"tool_result","content":"4"}]}]}'
    responses = b'{"model":"m","input":[{"type":"function_call_output","call_id":"c","output":"4"}]}'

    assert prompt_of(a_chat(USER, CALL, RESULT)).after_tool
    assert prompt_of(msgspec.json.decode(messages, type=MessagesRequest)).after_tool
    assert prompt_of(msgspec.json.decode(responses, type=ResponsesRequest)).after_tool
    assert not prompt_of(a_chat(USER)).after_tool


def test_the_memory_is_bounded_and_forgets_who_was_seen_longest_ago() -> None:
    memory = AffinityMemory(FakeClock(), most=3)
    for name in "abcd":
        memory.served(name, "p", (), "m", 10)

    assert len(memory) == 3
    assert memory.holder("a") is None
    assert memory.holder("d") == Held("p", "m", 10, 0, fresh=True)


def test_a_switch_pays_once_staying_has_cost_as_much_more_as_it_costs_to_re_read() -> None:
    stay, switch = Turn(100, 100), Turn(350, 50)

    assert not switch_pays(200, stay, switch)
    assert switch_pays(250, stay, switch)
    assert not switch_pays(10_000, stay, Turn(350, 100))


async def test_of_a_thousand_agents_none_is_moved_inside_a_tool_loop() -> None:
    """Their deployments change in score, price and speed all the time."""
    gateway = await a_gateway()
    draw, moved, loops = random.Random(15), 0, 0
    for number in range(AGENTS):
        history: list[dict[str, Any]] = [said("user", f"Task {number}: find the bug and fix it.")]
        served = ""
        for step in range(draw.randint(2, 6)):
            request = a_chat(*history, tools=TOOLS)
            plan = gateway.router.plan(asked(request))
            if step and served:
                loops += 1
                moved += first(plan) != served
            place = 0 if step else draw.randrange(3)
            serve(gateway, plan, place)
            served = plan.candidates[place].provider.id
            history += [CALL, RESULT]
            gateway.clock.advance(draw.choice((1.0, 20.0, 2_000.0)))

    assert loops > AGENTS
    assert moved == 0


@pytest.mark.parametrize("trace", TRACES)
async def test_staying_together_costs_no_more_than_the_best_of_the_simple_ways(trace: str) -> None:
    costs = await compared(TRACES[trace]())

    assert costs["affinity"] <= min(cost for way, cost in costs.items() if way != "affinity")


async def test_a_route_by_cost_moves_where_that_pays_and_never_inside_a_tool_loop() -> None:
    clock = FakeClock()
    step = await affinity(clock)
    chosen = []
    for each in TRACES["coding agent"]():
        clock.advance(each.after_seconds)
        chosen.append((each.after_tool, step.choose(each)))

    moves = [after_tool for (_, before), (after_tool, now) in pairwise(chosen) if before != now]
    assert moves == [False]
    assert set(step.said) == {"new", "stay:tool_loop", "switch:pays", "stay:cache"}
