"""`model` is understood as contract section 4 says."""

from datetime import timedelta

import msgspec
import pytest

from domain.configuration import Section
from domain.errors import NotFound, RequestInvalid
from domain.images import ImageRequest
from domain.providers import Offering, ProviderSettings
from domain.timeouts import TimeoutOverrides
from tests.builders import NOW, a_chat_payload, a_provider
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider


async def a_gateway() -> FakeGateway:
    """`a` surely offers `m`, `b` lists `m` and `v/x`, `c` was never asked for its list."""
    providers = [
        a_provider("a", priority=1, settings=ProviderSettings(models=("m",), default_model="m")),
        a_provider("b", priority=2, settings=ProviderSettings(default_model="v/x")),
        a_provider("c", priority=0),
        a_provider("off", enabled=False),
    ]
    gateway = FakeGateway({p.id: FakeChatProvider() for p in providers}, providers=providers)
    async with gateway.store.write() as unit:
        await unit.offerings.replace("b", NOW, [Offering("m"), Offering("v/x")])
    await gateway.directory.load()
    return await gateway.started()


def names(gateway: FakeGateway, pinned: str | None = None, **fields: object) -> list[str]:
    plan = gateway.plan(a_chat_payload(**fields).value, pinned, "chat.completions", auto=True)
    return [f"{c.provider.id}:{c.model}" for c in plan]


async def test_a_bare_id_goes_to_who_offers_it_by_priority_then_to_who_might() -> None:
    assert names(await a_gateway(), model="m") == ["a:m", "b:m", "c:m"]


async def test_provider_slash_model_pins_the_provider_and_needs_no_list() -> None:
    gateway = await a_gateway()
    assert names(gateway, model="a/never-heard-of") == ["a:never-heard-of"]
    assert names(gateway, model="b/v/x") == ["b:v/x"]


async def test_an_id_with_a_slash_of_no_provider_is_a_bare_id() -> None:
    assert names(await a_gateway(), model="v/x") == ["b:v/x", "c:v/x", "a:v/x"]


async def test_auto_asks_each_provider_for_its_default_model() -> None:
    assert names(await a_gateway(), model="auto") == ["a:m", "b:v/x"]


def pictured(gateway: FakeGateway, pinned: str | None = None, **fields: object) -> list[str]:
    request = msgspec.convert({"prompt": "a lighthouse", **fields}, ImageRequest)
    plan = gateway.plan(request, pinned, "images.generations", auto=False)
    return [f"{c.provider.id}:{c.model}" for c in plan]


async def test_pictures_without_a_model_are_asked_of_each_providers_own_then_of_openais() -> None:
    gateway = await a_gateway()
    async with gateway.store.write() as unit:
        await unit.offerings.replace("a", NOW, [Offering("m"), Offering("dall-e-9"), Offering("gpt-image-9")])
        later = NOW + timedelta(seconds=1)
        await unit.offerings.replace("b", later, [Offering("m"), Offering("painter", capabilities=("images",))])
    await gateway.directory.load()

    assert pictured(gateway) == ["a:dall-e-9", "b:painter", "c:gpt-image-2"]
    assert pictured(gateway, "b") == ["b:painter", "b:gpt-image-2"]
    assert pictured(gateway, model="auto", models=["b/m"]) == ["a:dall-e-9", "b:painter", "c:gpt-image-2", "b:m"]
    assert pictured(gateway, model="a/m") == ["a:m"]


async def test_pictures_without_a_model_are_asked_of_whoever_may_have_openais() -> None:
    assert pictured(await a_gateway()) == ["c:gpt-image-2", "a:gpt-image-2"]


async def test_further_models_follow_without_repeats() -> None:
    assert names(await a_gateway(), model="a/m", models=["b/v/x", "a/m", "m"]) == ["a:m", "b:v/x", "b:m", "c:m"]


async def test_preferences_order_narrow_and_forbid_fallbacks() -> None:
    gateway = await a_gateway()
    assert names(gateway, provider={"order": ["b"]}) == ["b:m", "a:m", "c:m"]
    assert names(gateway, provider={"only": ["b", "c"]}) == ["b:m", "c:m"]
    assert names(gateway, provider={"ignore": ["a"], "allow_fallbacks": False}) == ["b:m"]


async def test_a_pinned_provider_takes_the_model_with_or_without_its_name() -> None:
    gateway = await a_gateway()
    assert names(gateway, "b", model="anything") == ["b:anything"]
    assert names(gateway, "b", model="b/m") == ["b:m"]
    assert names(gateway, "b", model="auto") == ["b:v/x"]


async def test_what_cannot_be_routed_says_why() -> None:
    gateway = await a_gateway()
    with pytest.raises(NotFound, match="disabled"):
        names(gateway, model="off/m")
    with pytest.raises(NotFound) as caught:
        names(gateway, "nowhere", model="m")
    assert caught.value.code == "provider_not_found"
    with pytest.raises(NotFound, match="does not exist") as unknown:
        names(gateway, model="m", provider={"only": ["nobody"]})
    assert unknown.value.param == "model"
    with pytest.raises(NotFound, match="No provider is enabled yet"):
        names(await FakeGateway({}).started(), model="m")
    with pytest.raises(RequestInvalid):
        names(gateway, models=["m"] * 17)


async def test_deadlines_of_provider_and_model_override_the_settings() -> None:
    settings = ProviderSettings(
        models=("m", "slow"),
        timeouts=TimeoutOverrides(idle=7.0),
        model_timeouts={"slow": TimeoutOverrides(first_content=200.0)},
    )
    gateway = FakeGateway({"a": FakeChatProvider()}, providers=[a_provider("a", settings=settings)])
    await gateway.started()

    (slow,) = gateway.plan(a_chat_payload(model="slow").value, None, "chat.completions", auto=True)
    (quick,) = gateway.plan(a_chat_payload(model="m").value, None, "chat.completions", auto=True)

    assert (slow.timeouts.idle, slow.timeouts.first_content) == (7.0, 200.0)
    assert (quick.timeouts.idle, quick.timeouts.first_content) == (7.0, 120.0)


async def test_a_plan_is_made_anew_when_the_configuration_changes() -> None:
    gateway = await a_gateway()
    before = names(gateway, model="m")
    async with gateway.store.write() as unit:
        await unit.providers.add(a_provider("z", priority=0, settings=ProviderSettings(models=("m",))))
        await unit.config_versions.bump(Section.PROVIDERS)
    await gateway.state.reload_if_changed()

    assert names(gateway, model="m") == ["z:m", *before]
