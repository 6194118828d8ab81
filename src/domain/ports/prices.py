"""Ports to prices and to token counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.price_catalogs import StoredCatalog
from domain.prices import PriceRow, Prices


class PriceBook(Protocol):
    """The price in force for a model. Synchronous and in memory: asked once an attempt."""

    def find(self, provider_id: str, model: str) -> PriceRow | None:
        """What a call is booked at; its row is kept for ever. None is `unpriced`; a price of zero is a price."""
        ...

    def look_up(self, provider_id: str, model: str) -> PriceRow | None:
        """The same, to be shown and not to be booked."""
        ...


class CatalogPrice(msgspec.Struct, frozen=True):
    """What a catalog says of a model at one moment. `variant` counts the prices the model has, by date or hour."""

    prices: Prices
    variant: int = 0
    starts: datetime | None = None  # None: for as long as the catalog knows


class CatalogAnswer(msgspec.Struct, frozen=True):
    """`price` of None: not known, or not charged by the token. It may change at `until`, None: it will not."""

    price: CatalogPrice | None
    until: datetime | None = None


class PriceCatalog(Protocol):
    """Public list prices. Reads what is on this machine only."""

    @property
    def source(self) -> str:
        """Name and version, as price rows tell it."""
        ...

    def load(self) -> None:
        """Read what every question needs, which takes some milliseconds; else the first question does."""
        ...

    def find(self, preset: str, model: str, at: datetime) -> CatalogAnswer:
        """The list price of a model, by any name the provider of this preset takes for it."""
        ...


class PriceRepository(Protocol):
    """Every price that was ever used. Rows are superseded, never changed. All raise `StoreUnavailable`."""

    async def list_current(self) -> Sequence[PriceRow]:
        """What admins have set and not ended."""
        ...

    async def get(self, price_id: str) -> PriceRow | None: ...

    async def supersede(self, row: PriceRow) -> None:
        """Add an admin's row and end the one in force for the same provider and model at its `effective_from`."""
        ...

    async def end(self, price_id: str, at: datetime) -> bool:
        """End a price without a successor. False where there was none in force."""
        ...

    async def add_catalog(self, catalog: StoredCatalog) -> None:
        """One that is there already stays as it is."""
        ...

    async def get_catalog(self, version: str) -> StoredCatalog | None:
        """With its content."""
        ...

    async def list_catalogs(self) -> Sequence[StoredCatalog]:
        """The newest first, without their contents."""
        ...

    async def keep(self, rows: Sequence[PriceRow]) -> None:
        """Catalog prices that were used, so that they can be looked up. Those that are there stay as they are."""
        ...


class TokenCounter(Protocol):
    """Counts tokens where a provider does not say. Synchronous; never waits for a vocabulary to load."""

    def count(self, text: str) -> int:
        """Tokens of a text, by vocabulary where one is loaded, else by its length in bytes. Never raises."""
        ...

    def prepare(self) -> None:
        """There is need for good counts: begin to load the vocabulary, and return at once."""
        ...
