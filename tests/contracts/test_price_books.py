"""What every price catalog and price book promises, the fakes included."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from adapters.prices.catalog import GenaiPricesCatalog
from domain.ports.prices import CatalogAnswer, PriceBook, PriceCatalog
from domain.prices import PriceRow, Prices
from tests.builders import NOW
from tests.fakes.administration import FakeAdministration
from tests.fakes.fixed_prices import FixedPriceBook
from tests.fakes.prices import FakeCatalog

KNOWN = ("openai", "gpt-4o")


def _fake() -> PriceCatalog:
    return FakeCatalog({KNOWN: Prices(2_500_000_000, 10_000_000_000)})


@pytest.mark.parametrize("make", [GenaiPricesCatalog, _fake])
def test_a_catalog_answers_alike_before_and_after_it_was_loaded(make: Callable[[], PriceCatalog]) -> None:
    catalog = make()
    before = catalog.find(*KNOWN, NOW)
    catalog.load()

    assert before.price is not None
    assert before.price.prices.input
    assert catalog.find(*KNOWN, NOW) == before
    assert catalog.find("openai", "no-such-model", NOW) == CatalogAnswer(None)
    assert catalog.find("no-such-provider", "gpt-4o", datetime(2026, 1, 1, tzinfo=UTC)).price is None
    assert len(catalog.source.split()) == 2


ROW = PriceRow("price_1", "openrouter", "vendor/m", Prices(0, 2_000), "admin", NOW)


async def _live() -> PriceBook:
    fakes = await FakeAdministration().started()
    async with fakes.store.write() as unit:
        await unit.prices.supersede(ROW)
    await fakes.state.reload()
    return fakes.book


async def _fixed() -> PriceBook:
    return FixedPriceBook([ROW])


@pytest.mark.parametrize("make", [_live, _fixed])
async def test_a_book_finds_the_price_of_a_model_at_its_provider_alone(make: Callable[[], object]) -> None:
    book = await make()  # type: ignore[misc]  # both are coroutines of a book

    assert book.find("openrouter", "vendor/m") == book.look_up("openrouter", "vendor/m") == ROW
    assert book.find("openrouter", "vendor/other") is None
    assert book.find("alpha", "vendor/m") is None
