"""What every store promises of prices: superseded, never changed (R-17)."""

from datetime import timedelta

import msgspec

from domain.ports.repositories import Store
from domain.price_catalogs import StoredCatalog
from domain.prices import ADMIN, PriceRow, Prices
from tests.builders import NOW
from tests.other_values import each_field_changed

EVERY_METER = Prices(1, 2, 3, 4, 5, 6, 7, 10**15, 9)


def a_price(price_id: str = "price_1", **changes: object) -> PriceRow:
    row = PriceRow(price_id, "alpha", "vendor/m", Prices(600_000_000, 2_400_000_000), ADMIN, NOW)
    return msgspec.structs.replace(row, **changes)


async def test_a_price_comes_back_as_it_was_written(store: Store) -> None:
    row = a_price(prices=EVERY_METER, effective_from=NOW + timedelta(microseconds=1))
    async with store.write() as unit:
        await unit.prices.supersede(row)
        assert await unit.prices.get("price_1") == row
    async with store.read() as unit:
        assert await unit.prices.get("price_1") == row
        assert list(await unit.prices.list_current()) == [row]
        assert await unit.prices.get("price_2") is None


async def test_a_meter_without_a_price_stays_without_one_and_zero_stays_zero(store: Store) -> None:
    row = a_price(prices=Prices(0, 0, cache_read=0))
    async with store.write() as unit:
        await unit.prices.supersede(row)
    async with store.read() as unit:
        found = await unit.prices.get("price_1")
    assert found is not None
    assert (found.prices.cache_read, found.prices.cache_write) == (0, None)


async def test_a_new_price_ends_the_one_before_and_leaves_the_rest_of_it(store: Store) -> None:
    first, later = a_price("price_1"), NOW + timedelta(hours=1)
    second = a_price("price_2", prices=Prices(1, 1), effective_from=later)
    others = [a_price("price_3", model="other"), a_price("price_4", provider_id="beta")]
    for row in (first, *others, second):
        async with store.write() as unit:
            await unit.prices.supersede(row)
    async with store.read() as unit:
        assert list(await unit.prices.list_current()) == [others[0], second, others[1]]
        assert await unit.prices.get("price_1") == msgspec.structs.replace(first, superseded_at=later)


async def test_a_price_is_ended_once(store: Store) -> None:
    at = NOW + timedelta(days=1)
    async with store.write() as unit:
        await unit.prices.supersede(a_price())
    async with store.write() as unit:
        assert await unit.prices.end("price_1", at)
        assert not await unit.prices.end("price_1", at + timedelta(days=1))
        assert not await unit.prices.end("price_2", at)
    async with store.read() as unit:
        assert list(await unit.prices.list_current()) == []
        assert await unit.prices.get("price_1") == a_price(superseded_at=at)


async def test_a_catalogs_prices_are_kept_once_and_are_in_force_for_nobody(store: Store) -> None:
    kept = a_price("catalog:1:alpha:vendor/m", source="prices 1")
    async with store.write() as unit:
        await unit.prices.supersede(a_price())
        await unit.prices.keep([])
        await unit.prices.keep([kept, a_price("catalog:1:alpha:n", model="n", source="prices 1")])
    async with store.write() as unit:
        await unit.prices.keep([msgspec.structs.replace(kept, prices=Prices(9, 9)), a_price("catalog:2", source="p 2")])
    async with store.read() as unit:
        assert list(await unit.prices.list_current()) == [a_price()]
        assert await unit.prices.get(kept.id) == kept
        assert await unit.prices.get("catalog:2") is not None


def a_catalog(version: str = "2026-11-30.ab+4", **changes: object) -> StoredCatalog:
    catalog = StoredCatalog(version, "ab" * 32, "https://prices.example/data.json", 3, NOW, b'{"version": "1"}')
    return msgspec.structs.replace(catalog, **changes)


async def test_a_catalog_comes_back_as_it_was_taken_in_and_never_changes(store: Store) -> None:
    async with store.write() as unit:
        await unit.prices.add_catalog(a_catalog())
    async with store.write() as unit:
        await unit.prices.add_catalog(a_catalog(content=b"other", models=9))

    async with store.read() as unit:
        assert await unit.prices.get_catalog("2026-11-30.ab+4") == a_catalog()
        assert await unit.prices.get_catalog("2026-11-29.cd+4") is None


async def test_catalogs_are_listed_newest_first_without_their_contents(store: Store) -> None:
    later = a_catalog("2026-12-01.cd+4", stored_at=NOW + timedelta(days=1))
    async with store.write() as unit:
        await unit.prices.add_catalog(a_catalog())
        await unit.prices.add_catalog(later)

    async with store.read() as unit:
        listed = list(await unit.prices.list_catalogs())
    assert listed == [msgspec.structs.replace(each, content=b"") for each in (later, a_catalog())]


async def test_every_field_of_a_catalog_comes_back(store: Store) -> None:
    changed = [
        msgspec.structs.replace(each, version=f"{each.version}{number}")
        for number, (_, each) in enumerate(each_field_changed(a_catalog()))
    ]
    async with store.write() as unit:
        for each in changed:
            await unit.prices.add_catalog(each)

    async with store.read() as unit:
        assert [await unit.prices.get_catalog(each.version) for each in changed] == changed
