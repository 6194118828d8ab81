"""The books: where usage is written down, what it costs, and how tokens are counted."""

import os
from collections.abc import AsyncIterator

from dishka import Provider, Scope, provide

from adapters.ledger.flusher import own_directory
from adapters.ledger.spool import Spool
from adapters.prices.fixed import FixedPriceBook
from adapters.tokens.length import LengthTokenCounter
from domain.ports.ledger import Ledger
from domain.ports.prices import PriceBook, TokenCounter
from domain.ports.runtime import IdFactory
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
    def price_book(self) -> PriceBook:
        return FixedPriceBook()

    @provide
    def token_counter(self) -> TokenCounter:
        return LengthTokenCounter()
