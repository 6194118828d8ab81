"""Newer catalogs are looked at first, taken in by their checksum, shared, and gone back from (R-17)."""

import hashlib
import json

import pytest
from typing_extensions import override

from adapters.prices.format import GenaiPricesFormat
from application.pricing.book import LivePriceBook
from application.pricing.catalogs import CatalogUpdates
from application.snapshot import DeclaredConfig, GatewayState
from domain.actors import CONFIGURATION
from domain.audit import AuditFilter
from domain.configuration import Section
from domain.errors import Conflict, NotFound, RequestInvalid
from domain.ports.price_catalogs import CatalogDownload
from domain.price_catalogs import IN_FORCE, StoredCatalog
from domain.prices import PriceRow, Prices
from domain.providers import ProviderPreset
from domain.timeouts import Timeouts
from tests.builders import a_provider
from tests.fakes.clock import FakeClock
from tests.fakes.prices import FakeCatalog
from tests.fakes.providers import FakeRegistry
from tests.fakes.store import MemoryStore

PRESET = ProviderPreset("openai", "openai", "OpenAI", "https://api.openai.example/v1", (), 1)
FORMAT = GenaiPricesFormat()


class NoDownload(CatalogDownload):
    @override
    async def fetch(self, url: str) -> bytes:
        return published({"m": 3})


def published(prices: dict[str, float]) -> bytes:
    models = [
        {"id": name, "match": {"equals": name}, "prices": {"input_mtok": price, "output_mtok": 2 * price}}
        for name, price in prices.items()
    ]
    return json.dumps([{"id": "openai", "models": models}, {"id": "groq", "models": models}]).encode()


class Process:
    """One gateway process on a store that several share. The release's catalog has `m` at another price."""

    def __init__(self, store: MemoryStore) -> None:
        self.clock = FakeClock()
        declared = DeclaredConfig((a_provider("openai"),))
        self.state = GatewayState(store, FakeRegistry({}, {}, (PRESET,)), declared, Timeouts())
        of_release = FakeCatalog({("openai", "m"): Prices(1, 2)})
        self.book = LivePriceBook(store, self.state, of_release, self.clock, FORMAT)
        self.state.follow(Section.PRICES, self.book.reload)
        self.updates = CatalogUpdates(store, self.state, FORMAT, NoDownload(), self.clock)

    async def take_in(self, content: bytes, *, confirm: bool = True) -> str:
        found = await self.updates.preview(content, "data.json", hashlib.sha256(content).hexdigest())
        await self.updates.apply(CONFIGURATION, found, confirm=confirm)
        return found.stored.version

    def price(self) -> PriceRow:
        row = self.book.find("openai", "m")
        assert row is not None
        return row


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def process(store: MemoryStore) -> Process:
    process = Process(store)
    await process.state.reload()
    return process


async def test_what_is_taken_in_holds_in_every_process(store: MemoryStore, process: Process) -> None:
    other = Process(store)
    await other.state.reload()
    assert other.price().prices == Prices(1, 2)

    version = await process.take_in(published({"m": 3}))
    await other.state.reload_if_changed()

    for each in (process, other):
        assert each.price().prices == Prices(3_000_000_000, 6_000_000_000)
        assert each.price().id == f"catalog:{version}:openai:m"
        assert each.price().source == f"genai-prices {version}"
    started_later = Process(store)
    await started_later.state.reload()
    assert started_later.price().id == process.price().id


async def test_a_look_changes_nothing_and_tells_each_price(process: Process) -> None:
    await process.take_in(published({"m": 3, "gone": 1}))

    found = await process.updates.preview(published({"m": 4, "new": 1}), "data.json")

    assert [(each.kind, each.model, dict(each.prices)) for each in found.in_use] == [
        ("gone", "gone", {"input": ("1.00", None), "output": ("2.00", None)}),
        ("changed", "m", {"input": ("3.00", "4.00"), "output": ("6.00", "8.00")}),
        ("new", "new", {"input": (None, "1.00"), "output": (None, "2.00")}),
    ]
    assert len(found.changes) == 6  # those of Groq, which is not here
    assert found.far == ()
    assert process.price().prices == Prices(3_000_000_000, 6_000_000_000)


async def test_another_file_than_the_one_looked_at_is_refused(process: Process) -> None:
    with pytest.raises(RequestInvalid) as refused:
        await process.updates.preview(published({"m": 3}), "data.json", "ab" * 32)

    assert hashlib.sha256(published({"m": 3})).hexdigest() in refused.value.message
    assert await process.updates.versions() == []


async def test_a_price_ten_times_what_it_was_is_asked_about(process: Process) -> None:
    await process.take_in(published({"m": 3}))

    with pytest.raises(Conflict) as refused:
        await process.take_in(published({"m": 3000}), confirm=False)

    assert refused.value.code == "confirmation_required"
    assert process.price().prices.input == 3_000_000_000
    await process.take_in(published({"m": 3000}), confirm=True)
    assert process.price().prices.input == 3_000_000_000_000


async def test_going_back_reaches_the_catalog_before_and_in_the_end_the_releases(process: Process) -> None:
    first = await process.take_in(published({"m": 3}))
    await process.take_in(published({"m": 4}))

    assert await process.updates.roll_back(CONFIGURATION) == first
    assert process.price().prices.input == 3_000_000_000
    assert await process.updates.roll_back(CONFIGURATION) == FORMAT.release_version()
    assert process.price().prices == Prices(1, 2)
    with pytest.raises(NotFound, match="nothing to go back to"):
        await process.updates.roll_back(CONFIGURATION)


async def test_versions_are_listed_with_the_one_in_force(process: Process) -> None:
    first = await process.take_in(published({"m": 3}))
    process.clock.advance(1)
    second = await process.take_in(published({"m": 4}))
    await process.updates.roll_back(CONFIGURATION)

    assert [(each.version, in_force) for each, in_force in await process.updates.versions()] == [
        (second, False),
        (first, True),
    ]


async def test_each_change_is_in_the_audit(store: MemoryStore, process: Process) -> None:
    version = await process.take_in(published({"m": 3}))
    await process.updates.roll_back(CONFIGURATION)

    async with store.read() as unit:
        entries = await unit.audit.page(AuditFilter(), 10, None)
    told = [(each.record.action, each.record.object_kind, each.record.object_id) for each in entries]
    assert told == [("end", "price_catalog", version), ("set", "price_catalog", version)]


async def test_a_catalog_that_this_version_cannot_read_leaves_the_releases(
    store: MemoryStore, process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    version = await process.take_in(published({"m": 3}))
    async with store.write() as unit:
        await unit.prices.add_catalog(StoredCatalog("9+9", "ab", "x", 1, process.clock.now(), b'{"version": 7}'))
        await unit.facts.put(IN_FORCE, json.dumps([version, "9+9"]))
    started_later = Process(store)

    await started_later.state.reload()

    assert started_later.price().prices == Prices(1, 2)
    assert "a price catalog cannot be read" in caplog.text
