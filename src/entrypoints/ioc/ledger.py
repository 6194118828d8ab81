"""The books: where usage is written down, what it costs, and how tokens are counted."""

import os
from collections.abc import AsyncIterator

from dishka import Provider, Scope, provide

from adapters.ledger.flusher import own_directory
from adapters.ledger.spool import Spool
from adapters.prices.catalog import GenaiPricesCatalog
from adapters.tokens.vocabulary import VocabularyTokenCounter
from application.pricing.book import LivePriceBook
from application.snapshot import GatewayState
from domain.ports.ledger import Ledger
from domain.ports.prices import PriceBook, TokenCounter
from domain.ports.repositories import Store
from domain.ports.runtime import Clock, IdFactory
from entrypoints.settings.model import Settings


class LedgerModule(Provider):
    scope = Scope.APP

    @provide
    async def spool(self, settings: Settings, ids: IdFactory) -> AsyncIterator[Spool]:
        directory, lock = own_directory(settings.data_dir / "spool", ids.new("w"))
        spool = Spool(directory)
        yield spool
        spool.close()
        os.close(lock)

    @provide
    def ledger(self, spool: Spool) -> Ledger:
        return spool

    @provide
    def live_price_book(self, store: Store, state: GatewayState, clock: Clock) -> LivePriceBook:
        return LivePriceBook(store, state, GenaiPricesCatalog(), clock)

    @provide
    def price_book(self, book: LivePriceBook) -> PriceBook:
        return book

    @provide
    def token_counter(self) -> TokenCounter:
        return VocabularyTokenCounter()
