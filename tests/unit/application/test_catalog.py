"""The directory knows what providers offer, and shows each key what it may use."""

from datetime import timedelta

import pytest

from domain.errors import NotFound
from domain.failover import FailureKind
from domain.keys import Principal
from domain.prices import ADMIN, PriceRow, Prices
from domain.providers import ProviderSettings
from tests.builders import NOW, a_provider
from tests.fakes.gateway import ANYONE, FakeGateway
from tests.fakes.providers import FakeChatProvider, FakeLister, failure


async def a_gateway(**listers: FakeLister) -> FakeGateway:
    settings = ProviderSettings(models=("m",))
    providers = [a_provider(name, priority=n, settings=settings) for n, name in enumerate(("a", "b"))]
    gateway = FakeGateway({"a": FakeChatProvider(), "b": FakeChatProvider()}, providers=providers)
    gateway.registry.listers.update(listers)
    return await gateway.started()


async def test_lists_are_asked_for_once_and_kept_across_a_restart() -> None:
    lister = FakeLister(["m", "x/y"])
    gateway = await a_gateway(a=lister)
    await gateway.directory.refresh_stale()
    await gateway.directory.refresh_stale()
    assert lister.calls == 1

    restarted = FakeGateway(gateway.chats, providers=[a_provider("a")])
    restarted.directory._store = gateway.store
    await restarted.directory.load()
    await restarted.started()
    live = restarted.state.current.by_id["a"]
    assert restarted.directory.offers(live, "x/y") is True
    assert restarted.directory.offers(live, "z") is False


async def test_a_list_is_read_again_when_it_is_old() -> None:
    lister = FakeLister(["m"])
    gateway = await a_gateway(a=lister)
    await gateway.directory.refresh_stale()
    gateway.clock.advance(timedelta(hours=7).total_seconds())
    await gateway.directory.refresh_stale()
    assert lister.calls == 2


async def test_a_provider_that_cannot_list_is_asked_again_after_a_while_only() -> None:
    lister = FakeLister(failure(FailureKind.CONNECT))
    gateway = await a_gateway(a=lister)
    for _ in range(3):
        await gateway.directory.refresh_stale()
    assert lister.calls == 1
    assert gateway.directory.offers(gateway.state.current.by_id["a"], "unheard") is None


async def test_models_are_listed_bare_once_and_by_provider() -> None:
    gateway = await a_gateway(b=FakeLister(["m", "v/x"]))
    await gateway.directory.refresh("b")

    ids = [model.id for model in gateway.directory.visible_to(ANYONE, None)]

    assert ids == ["auto", "m", "v/x", "a/m", "b/m", "b/v/x"]
    assert [m.id for m in gateway.directory.visible_to(ANYONE, "b")] == ["m", "v/x"]
    assert gateway.directory.find(ANYONE, "m", None).provider == "a"


async def test_a_key_sees_only_what_it_may_use() -> None:
    gateway = await a_gateway()
    only_b = Principal("virtual_key", "key_2", "ten_default", frozenset({"b/*"}))

    assert [m.id for m in gateway.directory.visible_to(only_b, None)] == ["auto", "m", "b/m"]
    with pytest.raises(NotFound):
        gateway.directory.find(only_b, "a/m", None)


async def test_refreshing_a_provider_that_does_not_exist_says_so() -> None:
    with pytest.raises(NotFound):
        await (await a_gateway()).directory.refresh("nowhere")


async def test_models_are_shown_with_what_they_cost() -> None:
    row = PriceRow("price_1", "b", "m", Prices(600_000_000, 2_400_000_000, cache_read=0), ADMIN, NOW)
    gateway = FakeGateway({"a": FakeChatProvider(), "b": FakeChatProvider()}, prices=[row])
    await gateway.started()
    pricing = {model.id: model.pricing for model in gateway.directory.visible_to(ANYONE, None)}
    assert pricing == {
        "auto": None,
        "m": None,
        "a/m": None,
        "b/m": {"input": "0.60", "output": "2.40", "cache_read": "0.00"},
    }
