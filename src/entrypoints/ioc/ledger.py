"""The books: where usage is written down, what it costs, and how tokens are counted."""

from collections.abc import AsyncIterator, Iterator

from dishka import Provider, Scope, alias, provide

from adapters.ledger.flusher import LedgerFlusher
from adapters.ledger.ownership import OwnDirectory
from adapters.ledger.spool import Spool
from adapters.persistence.ledger.opening import open_ledger_store
from adapters.prices.catalog import GenaiPricesCatalog
from adapters.prices.download import GuardedDownload
from adapters.prices.format import GenaiPricesFormat
from adapters.tokens.vocabulary import VocabularyTokenCounter
from application.measurements import LiveMeasurements
from application.pricing.book import LivePriceBook
from application.pricing.catalogs import CatalogUpdates
from application.snapshot import GatewayState
from domain.ports.ledger import Ledger, LedgerBacklog, LedgerStore
from domain.ports.price_catalogs import CatalogDownload, CatalogFormat
from domain.ports.prices import PriceBook, TokenCounter
from domain.ports.repositories import Store
from domain.ports.runtime import Clock, IdFactory
from entrypoints.ioc.outbound import calls_out
from entrypoints.settings.model import Settings


class LedgerModule(Provider):
    scope = Scope.APP

    ledger = alias(source=Spool, provides=Ledger)
    backlog = alias(source=LedgerFlusher, provides=LedgerBacklog)

    @provide
    def directory(self, settings: Settings, ids: IdFactory) -> Iterator[OwnDirectory]:
        directory = OwnDirectory(settings.data_dir / "spool", ids.new("w"))
        yield directory
        directory.release()

    @provide
    def spool(self, directory: OwnDirectory) -> Iterator[Spool]:
        spool = Spool(directory)
        yield spool
        spool.close()  # the flusher has done it, unless the start failed

    @provide
    async def store(self, settings: Settings) -> AsyncIterator[LedgerStore]:
        store = open_ledger_store(settings.database)
        yield store
        await store.aclose()

    @provide
    def flusher(
        self,
        spool: Spool,
        directory: OwnDirectory,
        settings: Settings,
        store: LedgerStore,
        prices: PriceBook,
        measurements: LiveMeasurements,
    ) -> LedgerFlusher:
        root = settings.data_dir / "spool"
        return LedgerFlusher(spool, directory, root, store, prices.find, measurements.observe)

    @provide
    def live_price_book(self, store: Store, state: GatewayState, clock: Clock, formats: CatalogFormat) -> LivePriceBook:
        return LivePriceBook(store, state, GenaiPricesCatalog(), clock, formats)

    @provide
    def catalog_format(self) -> CatalogFormat:
        return GenaiPricesFormat()

    @provide
    def catalog_download(self, settings: Settings) -> CatalogDownload:
        return GuardedDownload(
            calls_out(settings),
            allow_private_network=settings.allow_private_network,
        )

    catalog_updates = provide(CatalogUpdates)

    @provide
    def price_book(self, book: LivePriceBook) -> PriceBook:
        return book

    @provide
    def token_counter(self) -> TokenCounter:
        return VocabularyTokenCounter()
