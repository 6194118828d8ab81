"""Prices as an admin sets them: superseded, and asked about where they look mistyped (R-17)."""

import msgspec
import pytest

from application.admin.price_lists import NewPrices
from application.admin.prices import NewPrice
from domain.errors import Conflict, NotFound, RequestInvalid
from domain.ports.prices import CatalogAnswer, CatalogPrice
from domain.prices import ADMIN, Prices
from domain.providers import Provider, ProviderSettings
from tests.builders import a_provider, a_provider_key
from tests.fakes.administration import ACTOR, FakeAdministration

LISTED = "vendor/listed"  # 0.60 and 2.40 USD per million tokens in the catalog


def new(model: str = LISTED, **prices: str) -> NewPrice:
    return NewPrice(
        provider="openrouter",
        model=model,
        prices=msgspec.convert({"input": "0.60", "output": "2.40"} | prices, NewPrices),
    )


@pytest.fixture
async def admin() -> FakeAdministration:
    def provider(name: str, priority: int, *models: str) -> Provider:
        return a_provider(name, owner="environment", priority=priority, settings=ProviderSettings(models=models))

    declared = [provider("openrouter", 2, LISTED, "vendor/other"), provider("groq", 1, "g")]
    keys = [a_provider_key(f"pk_{name}", name) for name in ("openrouter", "groq")]
    return await FakeAdministration(declared=declared, declared_keys=keys).started()


async def test_models_are_listed_in_order_with_the_price_in_force(admin: FakeAdministration) -> None:
    await admin.prices.set_price(ACTOR, new("vendor/secret"))
    listed = [
        (found.provider_id, found.model, found.price.source if found.price else None)
        for found in admin.prices.list_models(None, None)
    ]
    assert listed == [
        ("groq", "g", None),
        ("openrouter", LISTED, "fake-prices 1.2.3"),
        ("openrouter", "vendor/other", None),
        ("openrouter", "vendor/secret", ADMIN),
    ]
    assert [found.model for found in admin.prices.list_models("groq", None)] == ["g"]
    assert [found.provider_id for found in admin.prices.list_models(None, LISTED)] == ["openrouter"]


async def test_a_price_is_in_force_at_once_and_other_processes_are_told(admin: FakeAdministration) -> None:
    before = await admin.config_version()
    found = await admin.prices.set_price(ACTOR, new(input="0.1", cache_read="0.05", output="2.400000001"))

    row = admin.book.find("openrouter", LISTED)
    assert row == found.price
    assert row is not None
    assert row.prices == Prices(100_000_000, 2_400_000_001, cache_read=50_000_000)
    assert (row.id.split("_")[0], row.source, row.effective_from) == ("price", ADMIN, admin.clock.now())
    assert await admin.config_version() == before + 1


async def test_a_new_price_supersedes_and_the_old_row_stays(admin: FakeAdministration) -> None:
    first = (await admin.prices.set_price(ACTOR, new(input="0.61"))).price
    admin.clock.advance(60)
    second = (await admin.prices.set_price(ACTOR, new(input="0.62"))).price
    assert first is not None
    assert second is not None
    async with admin.store.read() as unit:
        old = await unit.prices.get(first.id)
        current = await unit.prices.list_current()
    assert old is not None
    assert (old.prices, old.superseded_at) == (first.prices, admin.clock.now())
    assert list(current) == [second]


async def test_after_the_end_the_catalogs_price_holds_again(admin: FakeAdministration) -> None:
    await admin.prices.set_price(ACTOR, new(input="0.61"))
    await admin.prices.end_price(ACTOR, "openrouter", LISTED)
    row = admin.book.find("openrouter", LISTED)
    assert row is not None
    assert row.source == "fake-prices 1.2.3"
    with pytest.raises(NotFound, match="No price was set"):
        await admin.prices.end_price(ACTOR, "openrouter", LISTED)


@pytest.mark.parametrize("prices", [{"input": "600"}, {"output": "0.23"}, {"input": "0"}, {"reasoning": "24.01"}])
async def test_a_price_far_from_the_one_in_force_is_asked_about(
    admin: FakeAdministration, prices: dict[str, str]
) -> None:
    with pytest.raises(Conflict) as caught:
        await admin.prices.set_price(ACTOR, new(**prices))
    assert caught.value.code == "confirmation_required"
    row = admin.book.find("openrouter", LISTED)
    assert row is not None
    assert row.source != ADMIN

    await admin.prices.set_price(ACTOR, msgspec.structs.replace(new(**prices), confirm=True))
    row = admin.book.find("openrouter", LISTED)
    assert row is not None
    assert row.source == ADMIN


async def test_the_question_says_what_tokens_would_cost(admin: FakeAdministration) -> None:
    """A price per thousand typed as one per million, the mistake behind R-17."""
    with pytest.raises(Conflict) as caught:
        await admin.prices.set_price(ACTOR, new(input="600"))
    assert (
        "1,000 input tokens would cost $0.60 instead of $0.0006, 1,000,000 $600.00 instead of $0.60"
        in caught.value.message
    )
    assert "output" not in caught.value.message


@pytest.mark.parametrize("prices", [{"input": "6", "output": "24"}, {"input": "0.06"}, {"cache_read": "0.003"}])
async def test_up_to_ten_times_is_not_asked_about(admin: FakeAdministration, prices: dict[str, str]) -> None:
    await admin.prices.set_price(ACTOR, new(**prices))


async def test_a_part_is_compared_with_its_own_price_once_it_has_one(admin: FakeAdministration) -> None:
    await admin.prices.set_price(ACTOR, new(cache_read="0.003"))
    await admin.prices.set_price(ACTOR, new(cache_read="0.03"))
    with pytest.raises(Conflict, match="cache read"):
        await admin.prices.set_price(ACTOR, new(cache_read="0.0029"))


async def test_an_hour_in_the_cache_is_compared_with_what_it_cost_until_now(admin: FakeAdministration) -> None:
    await admin.prices.set_price(ACTOR, new(cache_write="0.75"))
    found = await admin.prices.set_price(ACTOR, new(cache_write="0.75", cache_write_1h="1.20"))
    assert found.price is not None
    assert found.price.prices.cache_write_1h == 1_200_000_000
    with pytest.raises(Conflict, match="cache write 1h"):
        await admin.prices.set_price(ACTOR, new(cache_write="0.75", cache_write_1h="12.1"))


async def test_a_first_price_has_nothing_to_be_far_from(admin: FakeAdministration) -> None:
    await admin.prices.set_price(ACTOR, new("vendor/unpriced", input="600", output="0"))


async def test_a_free_model_that_costs_something_is_asked_about(admin: FakeAdministration) -> None:
    admin.catalog.answers["openrouter", "vendor/free"] = CatalogAnswer(CatalogPrice(Prices(0, 0)))
    with pytest.raises(Conflict):
        await admin.prices.set_price(ACTOR, new("vendor/free", input="0.01", output="0"))
    await admin.prices.set_price(ACTOR, new("vendor/free", input="0", output="0"))


@pytest.mark.parametrize("price", ["-1", "x", "1e9", "0.0000000001", "NaN"])
async def test_what_is_no_price_is_refused_with_its_place(admin: FakeAdministration, price: str) -> None:
    with pytest.raises(RequestInvalid, match="decimal strings in USD per million tokens") as caught:
        await admin.prices.set_price(ACTOR, new(cache_read=price))
    assert caught.value.param == "prices.cache_read"


async def test_a_provider_that_is_not_there_is_told(admin: FakeAdministration) -> None:
    with pytest.raises(RequestInvalid, match="no provider 'nobody'") as caught:
        await admin.prices.set_price(ACTOR, NewPrice(provider="nobody", model="m", prices=NewPrices("1", "1")))
    assert caught.value.param == "provider"


async def test_one_model_is_found_where_it_is_offered_or_priced(admin: FakeAdministration) -> None:
    assert admin.prices.get("groq", "g").price is None
    admin.catalog.answers["openrouter", "unlisted"] = CatalogAnswer(CatalogPrice(Prices(1, 1)))
    assert admin.prices.get("openrouter", "unlisted").offered is None
    with pytest.raises(NotFound) as caught:
        admin.prices.get("groq", "unheard-of")
    assert caught.value.code == "model_not_found"


async def test_a_refused_price_leaves_no_trace(admin: FakeAdministration) -> None:
    with pytest.raises(Conflict):
        await admin.prices.set_price(ACTOR, new(input="600"))
    async with admin.store.read() as unit:
        assert await unit.config_versions.load() == {}
        assert list(await unit.prices.list_current()) == []
