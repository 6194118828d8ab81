"""The books: where usage is written down, what it costs, and how tokens are counted."""

from collections.abc import AsyncIterator, Iterator

from dishka import Provider, Scope, alias, provide

from adapters.ledger.flusher import LedgerFlusher
from adapters.ledger.ownership import OwnDirectory
from adapters.ledger.spool import Spool
from adapters.persistence.ledger.opening import open_ledger_store
from adapters.prices.catalog import GenaiPricesCatalog
from adapters.tokens.vocabulary import VocabularyTokenCounter
from application.pricing.book import LivePriceBook
from application.snapshot import GatewayState
from domain.ports.ledger import Ledger, LedgerBacklog, LedgerStore
from domain.ports.prices import PriceBook, TokenCounter
from domain.ports.repositories import Store
from domain.ports.runtime import Clock, IdFactory
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
        self, spool: Spool, directory: OwnDirectory, settings: Settings, store: LedgerStore, prices: PriceBook
    ) -> LedgerFlusher:
        return LedgerFlusher(spool, directory, settings.data_dir / "spool", store, prices.find)

    @provide
    def live_price_book(self, store: Store, state: GatewayState, clock: Clock) -> LivePriceBook:
        return LivePriceBook(store, state, GenaiPricesCatalog(), clock)

    @provide
    def price_book(self, book: LivePriceBook) -> PriceBook:
        return book

    @provide
    def token_counter(self) -> TokenCounter:
        return VocabularyTokenCounter()
