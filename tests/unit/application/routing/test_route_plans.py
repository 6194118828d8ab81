"""A route's alias comes first, and its targets are asked as its strategy says (contract 4 and 11)."""

import pytest

from domain.errors import AllCandidatesFailed
from domain.grants import Grants, Patterns
from domain.keys import Principal
from domain.providers import ProviderSettings
from domain.routes import USUAL_CAUSES, Route, RoutePolicy, Target
from domain.routing import Passed, Plan
from tests.builders import NOW, a_chat_payload, a_provider
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider


def a_route(alias: str, *targets: Target | str, **fields: object) -> Route:
    """Targets as `provider/model`, or written out."""
    policy = {"targets": tuple(t if isinstance(t, Target) else _target(t) for t in targets), **fields}
    return Route(alias, RoutePolicy(**policy), "database", 3, NOW, NOW)  # type: ignore[arg-type]  # built by name


def _target(text: str) -> Target:
    provider, slash, model = text.partition("/")
    return Target(model, provider) if slash else Target(text)


async def a_gateway(*routes: Route) -> FakeGateway:
    settings = ProviderSettings(models=("m", "n"))
    providers = [a_provider(name, priority=place, settings=settings) for place, name in enumerate("abc")]
    gateway = FakeGateway({p.id: FakeChatProvider() for p in providers}, providers=providers, routes=routes)
    return await gateway.started()


def a_plan(gateway: FakeGateway, model: str, pinned: str | None = None, **fields: object) -> Plan:
    return gateway.planned(a_chat_payload(model=model, **fields).value, pinned, auto=True)


def names(plan: Plan) -> list[str]:
    return [f"{c.provider.id}/{c.model}" for c in plan.candidates]


async def test_an_alias_comes_before_a_model_of_its_name() -> None:
    plan = a_plan(await a_gateway(a_route("m", "c/n", "a/n")), "m")

    assert names(plan) == ["c/n", "a/n"]
    assert plan.policy is not None
    assert (plan.policy.route, plan.policy.strategy, plan.policy.version) == ("m", "priority", 3)
    assert plan.policy.fallback_on == USUAL_CAUSES


async def test_a_target_without_a_provider_is_whatever_its_model_means() -> None:
    assert names(a_plan(await a_gateway(a_route("fast", "c/m", "n")), "fast")) == ["c/m", "a/n", "b/n", "c/n"]


async def test_a_target_that_is_not_there_is_passed_over_and_told() -> None:
    plan = a_plan(await a_gateway(a_route("fast", "gone/m", "b/m")), "fast")

    assert names(plan) == ["b/m"]
    assert plan.policy is not None
    assert plan.policy.passed == (Passed("gone", "m", "not_there"),)


async def test_a_route_without_a_target_left_is_503() -> None:
    gateway = await a_gateway(a_route("fast", "gone/m"))

    with pytest.raises(AllCandidatesFailed) as raised:
        a_plan(gateway, "fast")

    assert raised.value.code == "no_provider_available"


async def test_a_pinned_provider_leaves_the_routes_other_targets_out() -> None:
    assert names(a_plan(await a_gateway(a_route("fast", "a/m", "b/m", "b/n")), "fast", "b")) == ["b/m", "b/n"]


async def test_no_plan_without_a_route_has_a_policy() -> None:
    assert a_plan(await a_gateway(a_route("fast", "a/m")), "m").policy is None


def granting(*models: str) -> Principal:
    return Principal("virtual_key", "key_1", "ten_default", grants=Grants(models=(Patterns(models),)))


async def test_routes_are_listed_where_the_key_may_use_one_of_their_targets() -> None:
    gateway = await a_gateway(a_route("fast", "a/m"), a_route("slow", "b/n"))
    listed = gateway.directory.visible_to(granting("b/*"), None)

    assert [(m.id, m.owned_by) for m in listed if m.owned_by == "route"] == [("slow", "route")]
    assert "fast" not in {model.id for model in listed}
