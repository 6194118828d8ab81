"""The price book: an admin's price, else the catalog's; in memory, and written down once it was used (R-17)."""

from datetime import timedelta

import msgspec
import pytest

from application.pricing.book import MAX_ID_LENGTH, MAX_RESOLVED, LivePriceBook
from application.snapshot import DeclaredConfig, GatewayState
from domain.configuration import Section
from domain.ports.prices import CatalogAnswer, CatalogPrice
from domain.prices import ADMIN, ALWAYS, PriceRow, Prices, booked
from domain.providers import ProviderPreset, ProviderSettings
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from tests.builders import NOW, a_provider
from tests.fakes.clock import FakeClock
from tests.fakes.prices import FakeCatalog
from tests.fakes.providers import FakeRegistry
from tests.fakes.store import MemoryStore

LISTED = Prices(600_000_000, 2_400_000_000)
SET = Prices(1, 2)
PRESET = ProviderPreset("alpha", "openai", "Alpha", "https://alpha.example/v1", (), 1)
SET_ROW = PriceRow("price_1", "alpha", "m", SET, ADMIN, NOW)


class Books:
    """A book over a store in memory. `alpha` has a preset, `local` has none."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.catalog = FakeCatalog({("alpha", "m"): LISTED, ("alpha", "free"): Prices(0, 0)})
        declared = DeclaredConfig((a_provider("alpha"), a_provider("local")))
        self.state = GatewayState(self.store, FakeRegistry({}, {}, (PRESET,)), declared, Timeouts())
        self.book = LivePriceBook(self.store, self.state, self.catalog, self.clock)
        self.state.follow(Section.PRICES, self.book.reload)

    async def started(self) -> "Books":
        await self.book.load()
        await self.state.reload()
        return self

    async def set_elsewhere(self, row: PriceRow) -> None:
        async with self.store.write() as unit:
            await unit.config_versions.bump(Section.PRICES)
            await unit.prices.supersede(row)

    async def stored(self, price_id: str) -> PriceRow | None:
        async with self.store.read() as unit:
            return await unit.prices.get(price_id)


@pytest.fixture
async def books() -> Books:
    return await Books().started()


async def test_the_catalogs_price_holds_where_no_admin_says_otherwise(books: Books) -> None:
    expected = PriceRow("catalog:1.2.3:alpha:m", "alpha", "m", LISTED, "fake-prices 1.2.3", ALWAYS)
    assert books.book.find("alpha", "m") == expected
    await books.set_elsewhere(SET_ROW)
    await books.state.reload_if_changed()
    assert books.book.find("alpha", "m") == SET_ROW
    assert books.book.catalog_price("alpha", "m") == expected


async def test_zero_is_a_price_and_not_knowing_is_none(books: Books) -> None:
    free = books.book.find("alpha", "free")
    assert free is not None
    assert free.prices == Prices(0, 0)
    assert books.book.find("alpha", "unheard-of") is None
    assert books.book.find("local", "m") is None
    assert books.book.find("nobody", "m") is None


async def test_the_catalog_is_asked_once_a_model(books: Books) -> None:
    for _ in range(3):
        books.book.find("alpha", "m")
        books.book.look_up("alpha", "m")
        books.book.find("alpha", "unheard-of")
    assert books.catalog.questions == 2


async def test_a_used_catalog_price_is_written_down_and_one_that_is_shown_is_not(books: Books) -> None:
    books.book.look_up("alpha", "free")
    used = books.book.find("alpha", "m")
    await books.book.keep_used()
    assert used is not None
    assert await books.stored(used.id) == used
    assert await books.stored("catalog:1.2.3:alpha:free") is None


async def test_it_is_written_once(books: Books) -> None:
    books.book.find("alpha", "m")
    await books.book.keep_used()
    units = books.store.units
    books.book.find("alpha", "m")
    await books.book.keep_used()
    assert books.store.units == units


async def test_a_store_that_is_away_costs_no_price_and_nothing_is_lost(books: Books) -> None:
    await books.set_elsewhere(SET_ROW)
    books.book.find("alpha", "free")
    books.store.broken = True
    await books.state.reload_if_changed()
    await books.book.keep_used()
    assert books.book.find("alpha", "m") is not None
    assert books.book.find("alpha", "free") is not None

    books.store.broken = False
    await books.state.reload_if_changed()
    await books.book.keep_used()
    assert books.book.find("alpha", "m") == SET_ROW
    assert await books.stored("catalog:1.2.3:alpha:free") is not None


async def test_what_another_process_set_is_read_when_the_configuration_changed(books: Books) -> None:
    await books.set_elsewhere(SET_ROW)
    assert books.book.find("alpha", "m") != SET_ROW
    await books.state.reload_if_changed()
    assert books.book.find("alpha", "m") == SET_ROW


async def test_a_price_that_changes_by_the_hour_is_asked_for_again_in_time(books: Books) -> None:
    until = books.clock.now() + timedelta(hours=1)
    books.catalog.answers["alpha", "m"] = CatalogAnswer(CatalogPrice(LISTED), until)
    before = books.book.find("alpha", "m")
    books.catalog.answers["alpha", "m"] = CatalogAnswer(CatalogPrice(SET, 1, until))
    assert books.book.find("alpha", "m") == before

    books.clock.advance(3600)
    after = books.book.find("alpha", "m")
    assert before is not None
    assert after is not None
    assert (after.id, after.prices, after.effective_from) == ("catalog:1.2.3:alpha:m#1", SET, until)


async def test_another_preset_means_another_price(books: Books) -> None:
    assert books.book.find("local", "m") is None
    books.state._registry = FakeRegistry({}, {}, (msgspec.structs.replace(PRESET, id="local"),))
    books.catalog.answers["local", "m"] = CatalogAnswer(CatalogPrice(SET))
    await books.state.reload()
    found = books.book.find("local", "m")
    assert found is not None
    assert found.prices == SET


async def test_names_that_clients_make_up_do_not_fill_the_memory(books: Books) -> None:
    for number in range(MAX_RESOLVED + 10):
        books.book.find("alpha", f"made-up-{number}")
    assert len(books.book._resolved) <= MAX_RESOLVED


async def test_a_long_name_has_an_id_of_bounded_length(books: Books) -> None:
    names = ("x" * 500, "x" * 499 + "y")
    for name in names:
        books.catalog.answers["alpha", name] = CatalogAnswer(CatalogPrice(LISTED, 3))
    ids = {row.id for name in names if (row := books.book.find("alpha", name)) is not None}
    assert len(ids) == 2
    assert all(len(price_id) <= MAX_ID_LENGTH and price_id.endswith("#3") for price_id in ids)


@pytest.mark.parametrize("provider_id", ["alpha", "plan"])
async def test_a_request_of_a_plan_with_a_flat_fee_costs_nothing_unless_an_admin_says_otherwise(
    provider_id: str,
) -> None:
    books = Books()
    declared = DeclaredConfig((a_provider(provider_id, settings=ProviderSettings(flat_fee=True)),))
    books.state = GatewayState(books.store, FakeRegistry({}, {}, (PRESET,)), declared, Timeouts())
    books.book = LivePriceBook(books.store, books.state, books.catalog, books.clock)
    books.state.follow(Section.PRICES, books.book.reload)
    await books.started()

    row = books.book.find(provider_id, "m")

    assert row is not None
    booking = booked(TokenUsage(1_000, 500, 200, 100), row)
    assert (row.source, booking.cost_nano_usd, booking.missing) == ("flat_fee", 0, ())
    await books.book.keep_used()
    assert await books.stored(row.id) == row
    await books.set_elsewhere(PriceRow("price_1", provider_id, "m", SET, ADMIN, NOW))
    await books.state.reload()
    found = books.book.find(provider_id, "m")
    assert found is not None
    assert found.prices == SET


async def test_what_a_mock_answers_has_the_price_of_nothing() -> None:
    books = await Books().started()

    row = books.book.find("mock", "greeting")

    assert row is not None
    assert booked(TokenUsage(1_000, 500), row).cost_nano_usd == 0
    await books.book.keep_used()
    assert await books.stored(row.id) == row
