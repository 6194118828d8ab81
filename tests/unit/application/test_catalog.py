"""The directory knows what providers offer, and shows each key what it may use."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from typing_extensions import override

from domain.errors import NotFound
from domain.failover import FailureKind
from domain.grants import Grants, Patterns
from domain.keys import Principal, ProviderKey
from domain.lifecycle import Retirement
from domain.prices import ADMIN, PriceRow, Prices
from domain.providers import Offering, ProviderPreset, ProviderSettings
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
    only_b = Principal("virtual_key", "key_2", "ten_default", Grants(models=(Patterns(["b/*"]),)))

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


GROQ = ProviderPreset(
    "a", "openai", "A", "https://x.example", (), 1, default_model="old-default", models=("old-default", "old", "kept")
)


async def a_preset_provider(lister: FakeLister) -> FakeGateway:
    gateway = FakeGateway({"a": FakeChatProvider()}, providers=[a_provider("a")], presets=[GROQ])
    gateway.registry.listers["a"] = lister
    return await gateway.started()


def listed(gateway: FakeGateway) -> list[str]:
    return [model.id for model in gateway.directory.visible_to(ANYONE, "a")]


# each row: the provider's own list, and what `auto` asks for then
DEFAULTS = [
    (["old-default", "new"], "old-default"),
    (["new", "kept"], "kept"),
    (["new-model"], "new-model"),
    (["text-embedding-3", "whisper-large", "new-chat", "newer-chat"], "new-chat"),
    (["text-embedding-3", "whisper-large"], None),
]


@pytest.mark.parametrize(("own", "default"), DEFAULTS)
async def test_a_providers_own_list_outranks_its_preset_in_the_list_and_for_auto(
    own: list[str], default: str | None
) -> None:
    gateway = await a_preset_provider(FakeLister(own))
    assert listed(gateway) == ["old-default", "old", "kept"]

    await gateway.directory.refresh("a")

    live = gateway.state.current.by_id["a"]
    assert listed(gateway) == own
    assert gateway.directory.default_model(live) == default
    assert gateway.directory.offers(live, "old") is False


@pytest.mark.parametrize("own", [FakeLister([]), FakeLister(failure(FailureKind.CONNECT))], ids=["empty", "failed"])
async def test_a_list_that_is_empty_or_cannot_be_read_says_nothing_of_the_preset(own: FakeLister) -> None:
    gateway = await a_preset_provider(own)

    await gateway.directory.refresh_stale()

    assert listed(gateway) == ["old-default", "old", "kept"]
    assert gateway.directory.offers(gateway.state.current.by_id["a"], "other") is None


async def test_what_an_operator_set_stays_whatever_the_list_says() -> None:
    settings = ProviderSettings(models=("mine",), default_model="my-default")
    gateway = FakeGateway({"a": FakeChatProvider()}, providers=[a_provider("a", settings=settings)])
    gateway.registry.listers["a"] = FakeLister(["m"])
    await gateway.started()

    await gateway.directory.refresh_stale()

    assert listed(gateway) == ["mine", "my-default", "m"]
    assert gateway.directory.default_model(gateway.state.current.by_id["a"]) == "my-default"


@pytest.mark.parametrize(("last_day", "stage"), [(date(2026, 11, 20), "retired"), (date(2026, 12, 11), "deprecated")])
async def test_a_model_says_when_its_provider_ends_it_and_what_to_take_then(last_day: date, stage: str) -> None:
    gateway = await a_preset_provider(FakeLister(["old", "kept"]))
    gateway.ends["a", "old"] = Retirement(last_day, "https://a.example/deprecations", "kept", date(2026, 6, 1))
    await gateway.directory.refresh("a")

    old, kept = gateway.directory.visible_to(ANYONE, "a")

    assert (old.lifecycle, old.retired_at, old.successor) == (stage, last_day.isoformat(), "kept")
    assert old.deprecated_at == "2026-06-01"
    assert (kept.lifecycle, kept.retired_at, kept.deprecated_at, kept.successor) == ("active", None, None, None)


class SlowLister(FakeLister):
    """Answers when it is let."""

    def __init__(self, models: Sequence[str]) -> None:
        super().__init__(models)
        self.gate = asyncio.Event()

    @override
    async def list_models(self, key: ProviderKey | None) -> Sequence[Offering]:
        self.calls += 1
        await self.gate.wait()
        return [Offering("m")]


async def test_many_that_wait_for_a_new_list_share_one_question() -> None:
    lister = SlowLister(["m"])
    gateway = await a_gateway(a=lister)
    waiting = [asyncio.ensure_future(gateway.directory.read_awaited()) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    lister.gate.set()

    await asyncio.gather(*waiting[1:])

    assert lister.calls == 1
    assert not gateway.directory.awaits_list(gateway.state.current.by_id["a"])


async def test_nobody_waits_for_ever_for_a_list_or_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.catalog.FIRST_READ_SECONDS", 0.01)
    lister = SlowLister(["m"])
    gateway = await a_gateway(a=lister)

    await gateway.directory.read_awaited()
    await gateway.directory.read_awaited()

    assert lister.calls == 1


async def test_a_list_that_came_too_late_for_who_waited_is_known_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.catalog.FIRST_READ_SECONDS", 0.01)
    lister = SlowLister(["m"])
    gateway = await a_gateway(a=lister)
    live = gateway.state.current.by_id["a"]
    await gateway.directory.read_awaited()
    assert not gateway.directory.awaits_any()

    lister.gate.set()
    for _ in range(50):  # the list goes by a few tasks
        await asyncio.sleep(0)

    assert gateway.directory.offers(live, "another") is False
