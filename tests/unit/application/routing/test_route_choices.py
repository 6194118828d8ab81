"""What a route chooses: strategies, conditions, rules that never relax, and models that can do what is asked."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.configuration.routes import NewRoute, check_policy, route_of
from domain.attribution import Attribution
from domain.errors import AllCandidatesFailed, RequestInvalid
from domain.keys import Principal
from domain.measurements import RecentSpeed
from domain.model_facts import DataPolicy, ModelFacts, StoredModelFacts
from domain.prices import PriceRow, Prices, Tier
from domain.providers import Offering, ProviderSettings
from domain.routes import Require, Route, RoutePolicy, Target, When
from domain.routing import Plan
from domain.tasks import Task
from tests.builders import NOW, a_chat_payload, a_provider
from tests.fakes.gateway import ANYONE, FakeGateway
from tests.fakes.providers import FakeChatProvider

Facts = dict[str, ModelFacts]


async def a_gateway(
    policy: RoutePolicy,
    *,
    facts: Facts | None = None,
    prices: Sequence[PriceRow] = (),
    windows: dict[str, int] | None = None,
    chance: Callable[[], float] = lambda: 0.5,
) -> FakeGateway:
    """The route `r`, over providers `a` to `d` which all have `m`."""
    providers = [
        a_provider(name, priority=place, settings=ProviderSettings(models=("m",))) for place, name in enumerate("abcd")
    ]
    gateway = FakeGateway(
        {p.id: FakeChatProvider() for p in providers},
        providers=providers,
        prices=prices,
        routes=[Route("r", policy, "database", 1, NOW, NOW)],
        chance=chance,
    )
    async with gateway.store.write() as unit:
        for provider_id, known in (facts or {}).items():
            await unit.model_facts.put(StoredModelFacts(provider_id, "m", known))
        for provider_id, window in (windows or {}).items():
            await unit.offerings.replace(provider_id, NOW, [Offering("m", context_window=window)])
        await gateway.facts.reload(unit)
    await gateway.directory.load()
    return await gateway.started()


def targets(*ids: str, **fields: object) -> RoutePolicy:
    found = {"targets": tuple(Target("m", each) for each in ids), **fields}
    return RoutePolicy(**found)  # type: ignore[arg-type]  # built by name


def a_plan(
    gateway: FakeGateway,
    model: str = "r",
    principal: Principal = ANYONE,
    tags: tuple[str, ...] = (),
    **fields: object,
) -> Plan:
    request = a_chat_payload(model=model, **fields).value
    return gateway.planned(request, principal=principal, attribution=Attribution(tags=tags))


def ids(plan: Plan) -> str:
    return "".join(candidate.provider.id for candidate in plan.candidates)


def passed(plan: Plan) -> dict[str, str]:
    return {p.provider_id: p.excluded_by for p in plan.policy.passed} if plan.policy is not None else {}


async def test_weights_share_turns_smoothly_and_a_weight_of_nothing_comes_last() -> None:
    policy = RoutePolicy(
        strategy="weighted", targets=(Target("m", "a", 5), Target("m", "b"), Target("m", "c"), Target("m", "d", 0))
    )
    gateway = await a_gateway(policy)
    turns = [ids(a_plan(gateway)) for _ in range(70)]

    assert "".join(turn[0] for turn in turns[:7]) == "aabacaa"
    assert Counter(turn[0] for turn in turns) == {"a": 50, "b": 10, "c": 10}
    assert {turn[-1] for turn in turns} == {"d"}


def measured(gateway: FakeGateway, speeds: dict[str, RecentSpeed], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        gateway.measurements, "recent", lambda provider_id, model: speeds.get(provider_id, RecentSpeed())
    )


async def test_the_quickest_by_first_token_and_speed_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = await a_gateway(targets("a", "b", "c", strategy="least_latency"))
    speeds = {
        "a": RecentSpeed(latency_ms=900.0),
        "b": RecentSpeed(ttft_ms=400.0, tokens_per_second=2_000.0),
        "c": RecentSpeed(ttft_ms=100.0, tokens_per_second=100.0),
    }
    measured(gateway, speeds, monkeypatch)

    assert ids(a_plan(gateway)) == "bac"
    speeds["b"] = RecentSpeed(ttft_ms=40_000.0, tokens_per_second=2_000.0)
    gateway.clock.advance(1)
    assert ids(a_plan(gateway)) == "acb"


async def test_one_that_was_never_measured_has_a_share_of_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([0.05, 0.0, 0.5, 0.05, 0.9])
    gateway = await a_gateway(targets("a", "b", "c", strategy="least_latency"), chance=lambda: next(draws))
    measured(gateway, {"a": RecentSpeed(latency_ms=900.0), "b": RecentSpeed(latency_ms=100.0)}, monkeypatch)

    assert ids(a_plan(gateway)) == "cba"  # drawn
    assert ids(a_plan(gateway)) == "bac"  # not drawn
    measured(gateway, {each: RecentSpeed(latency_ms=ord(each)) for each in "abc"}, monkeypatch)
    gateway.clock.advance(1)
    assert ids(a_plan(gateway)) == "cab"  # all are measured: any other one


def a_price(provider_id: str, prices: Prices) -> PriceRow:
    return PriceRow(f"price_{provider_id}", provider_id, "m", prices, "admin", NOW)


async def test_the_cheapest_for_this_request_comes_first_and_what_has_no_price_last() -> None:
    prices = [
        a_price("b", Prices(2_000, 2_000)),
        a_price("c", Prices(1_000, 1_000, tiers=(Tier(input=9_000, output=9_000, above_input_tokens=1_000),))),
        a_price("d", Prices(1_500, 1_500)),
    ]
    gateway = await a_gateway(targets("a", "b", "c", "d", strategy="lowest_cost"), prices=prices)
    long = [{"role": "user", "content": "word " * 4_000}]

    assert ids(a_plan(gateway)) == "cdba"
    assert ids(a_plan(gateway, messages=long)) == "dbca"


WHEN = {
    "tenants": (When(tenants=("ten_default",)), When(tenants=("ten_other",))),
    "keys": (When(keys=("key_1",)), When(keys=("key_2",))),
    "tags": (When(tags=("x", "batch")), When(tags=("x",))),
    "tasks": (When(tasks=(Task.CODING,)), When(tasks=(Task.TRANSLATION,))),
    "min_input_tokens": (When(min_input_tokens=1), When(min_input_tokens=100_000)),
    "max_input_tokens": (When(max_input_tokens=100_000), When(max_input_tokens=1)),
    "hours": (When(hours="11:00-13:00"), When(hours=("13:00-24:00", "0-12"))),
}


@pytest.mark.parametrize("part", WHEN)
async def test_a_target_is_there_only_when_its_condition_holds(part: str) -> None:
    for when, first in zip(WHEN[part], "ab", strict=True):
        policy = RoutePolicy(targets=(Target("m", "a", when=when), Target("m", "b")))
        gateway = await a_gateway(policy)  # its clock says 12:00 UTC
        plan = a_plan(gateway, tags=("batch",), task="coding")

        assert ids(plan) == ("ab" if first == "a" else "b")
        assert passed(plan) == ({} if first == "a" else {"a": f"when:{part}"})


async def test_a_task_that_a_condition_has_read_is_told_with_the_plan_and_none_where_nobody_asked() -> None:
    """So that a decision says what its order was made of, and a backtest can hold the same condition against it."""
    for_coding = RoutePolicy(targets=(Target("m", "a", when=When(tasks=(Task.CODING,))), Target("m", "b")))
    prompt = [{"role": "user", "content": "Write a Python function that sorts a list, and fix the TypeError in it."}]

    plans = [
        a_plan(await a_gateway(for_coding), messages=prompt),
        a_plan(await a_gateway(for_coding), task="coding"),
        a_plan(await a_gateway(targets("a", "b")), messages=prompt),
    ]

    readings = [plan.policy.task if plan.policy is not None else None for plan in plans]
    assert [(each.name, each.source) if each is not None else None for each in readings] == [
        (Task.CODING, "heuristic"),
        (Task.CODING, "request"),
        None,
    ]


@pytest.mark.parametrize(
    ("hours", "timezone", "at", "open_"),
    [
        ("22:00-06:00", "UTC", "23:30", True),
        ("22:00-06:00", "UTC", "05:59", True),
        ("22:00-06:00", "UTC", "06:00", False),
        ("8-18", "Europe/Berlin", "07:30", True),
        ("8-18", "Europe/Berlin", "17:30", False),
        ("0-24", "UTC", "00:00", True),
    ],
)
async def test_hours_are_of_a_named_zone_and_may_go_over_midnight(
    hours: str, timezone: str, at: str, open_: bool
) -> None:
    when = When(hours=hours, timezone=timezone)
    gateway = await a_gateway(RoutePolicy(targets=(Target("m", "a", when=when), Target("m", "b"))))
    now = datetime.fromisoformat(f"2026-11-21T{at}:00").replace(tzinfo=UTC)
    gateway.clock.advance((now - gateway.clock.now()) / timedelta(seconds=1) % 86_400)

    assert ids(a_plan(gateway)) == ("ab" if open_ else "b")


EUROPE = ModelFacts(data_policy=DataPolicy(regions=("eu",), trains=False), capabilities=("tools",))
ELSEWHERE = ModelFacts(data_policy=DataPolicy(regions=("eu", "us"), trains=True), capabilities=("chat",))
RULES = {
    "require.capabilities": Require(capabilities=("function_calling",)),
    "require.regions": Require(regions=("eu", "ch")),
    "require.no_training": Require(no_training=True),
}


@pytest.mark.parametrize("rule", RULES)
async def test_what_a_route_requires_must_be_known_of_a_target_and_is_never_relaxed(rule: str) -> None:
    facts = {"a": EUROPE, "b": ELSEWHERE}  # of `c` nothing is known
    gateway = await a_gateway(targets("a", "b", "c", require=RULES[rule]), facts=facts)
    assert ids(a_plan(gateway)) == "a"
    assert set(passed(a_plan(gateway))) == {"b", "c"}

    gateway = await a_gateway(targets("b", "c", require=RULES[rule]), facts=facts)
    with pytest.raises(RequestInvalid, match=rule):
        a_plan(gateway)


TOOLS = [{"type": "function", "function": {"name": "f"}}]
PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.example/p.png"}}]}]
SOUND = [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]}]
NEEDS: dict[str, Any] = {
    "tools": {"tools": TOOLS},
    "vision": {"messages": PICTURE},
    "audio": {"messages": SOUND},
    "json_schema": {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}},
    "reasoning": {"reasoning_effort": "high"},
}


@pytest.mark.parametrize("need", NEEDS)
@pytest.mark.parametrize("model", ["r", "m"])
async def test_a_request_goes_to_models_that_can_then_to_those_that_may(need: str, model: str) -> None:
    """By a route and by a plain name: `a` cannot, of `b` and `d` nobody knows, `c` can."""
    facts = {"a": ModelFacts(capabilities=("chat",)), "c": ModelFacts(capabilities=(need,))}
    gateway = await a_gateway(targets("a", "b", "c", "d"), facts=facts)

    assert ids(a_plan(gateway, model)) == "abcd"
    plan = a_plan(gateway, model, **NEEDS[need])
    assert ids(plan) == "cbd"
    assert passed(plan) == {"a": f"capability:{need}"}


@pytest.mark.parametrize("model", ["r", "m"])
async def test_a_prompt_goes_only_where_it_fits_as_far_as_windows_are_known(model: str) -> None:
    gateway = await a_gateway(targets("a", "b", "c"), windows={"a": 100, "b": 100_000})
    long = [{"role": "user", "content": "word " * 1_000}]

    assert ids(a_plan(gateway, model)).startswith("abc")
    plan = a_plan(gateway, model, messages=long)
    assert ids(plan).startswith("bc")
    assert passed(plan) == {"a": "context_window"}


async def test_a_name_that_only_unable_models_have_is_asked_all_the_same_and_a_route_is_not() -> None:
    facts = {each: ModelFacts(capabilities=("chat",)) for each in "abcd"}
    gateway = await a_gateway(targets("a", "b"), facts=facts)

    assert ids(a_plan(gateway, "m", tools=TOOLS)) == "abcd"
    with pytest.raises(AllCandidatesFailed, match="capability:tools"):
        a_plan(gateway, tools=TOOLS)


async def test_a_model_that_has_ended_is_left_out_and_its_successor_comes_only_where_a_target_says_so() -> None:
    ended = ModelFacts(retired_at=(NOW - timedelta(days=1)).date(), successor="n")
    gateway = await a_gateway(targets("a", "b"), facts={"a": ended})
    assert passed(a_plan(gateway)) == {"a": "retired"}

    following = RoutePolicy(targets=(Target("m", "a", successor=True), Target("m", "b")))
    plan = a_plan(await a_gateway(following, facts={"a": ended}))
    assert [f"{c.provider.id}/{c.model}" for c in plan.candidates] == ["a/n", "b/m"]


async def test_the_held_out_share_goes_to_the_baseline_first() -> None:
    policy = targets("a", "b", baseline="d/m", holdout_share=0.25)
    for drawn, expected in ((0.2, ("dab", True)), (0.3, ("ab", False))):
        plan = a_plan(await a_gateway(policy, chance=lambda drawn=drawn: drawn))  # type: ignore[misc]  # bound now
        assert plan.policy is not None
        assert (ids(plan), plan.policy.holdout) == expected
        assert plan.policy.baseline == "d/m"


WRONG: dict[str, Any] = {
    "alias": {"alias": "a/b"},
    "targets.0.provider": {"targets": (Target("m", "nobody"),)},
    "targets.0.weight": {"targets": (Target("m", weight=0),)},
    "targets.0.when.hours": {"targets": (Target("m", when=When(hours="always")),)},
    "targets.0.when.timezone": {"targets": (Target("m", when=When(timezone="Mars/Base")),)},
    "targets.0.when.max_input_tokens": {
        "targets": (Target("m", when=When(min_input_tokens=9, max_input_tokens=8)),)
    },
    "baseline": {"baseline": "gpt"},
}  # fmt: skip


@pytest.mark.parametrize("param", WRONG)
def test_what_could_never_be_served_is_refused_with_its_place(param: str) -> None:
    fields = {"alias": "r", "targets": (Target("m"),), **WRONG[param]}
    with pytest.raises(RequestInvalid) as raised:
        check_policy(route_of(NewRoute(**fields), "database", NOW).policy, {"a"})

    assert raised.value.param == param


async def test_a_bodys_models_come_behind_a_routes_targets_and_its_provider_field_narrows_them() -> None:
    gateway = await a_gateway(targets("a", "b"))

    assert ids(a_plan(gateway, models=["d/m"])) == "abd"
    assert ids(a_plan(gateway, provider={"order": ["b"]})) == "ba"
    assert ids(a_plan(gateway, models=["c/m"], provider={"ignore": ["a"]})) == "bc"
    with pytest.raises(AllCandidatesFailed):
        a_plan(gateway, provider={"only": ["d"]})
