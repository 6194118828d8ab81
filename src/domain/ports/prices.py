"""Ports to prices and to token counts."""

from collections.abc import Sequence
from typing import Protocol

from domain.prices import PriceRow


class PriceBook(Protocol):
    """The price in force for a model. Synchronous and in memory: asked once an attempt."""

    def find(self, provider_id: str, model: str) -> PriceRow | None:
        """None is the state `unpriced`; a price of zero is a price."""
        ...


class PriceRepository(Protocol):
    """Every price there was. Rows are superseded, never changed. All raise `StoreUnavailable`."""

    async def list_current(self) -> Sequence[PriceRow]: ...

    async def get(self, price_id: str) -> PriceRow | None: ...

    async def supersede(self, row: PriceRow) -> None:
        """Add a row and end the one in force for the same provider and model at its `effective_from`."""
        ...

    async def end(self, price_id: str) -> bool:
        """End a price without a successor. False where there was none in force."""
        ...


class TokenCounter(Protocol):
    """Counts tokens where a provider does not say. Synchronous; never waits for a vocabulary to load."""

    def count(self, text: str) -> int:
        """Tokens of a text, by vocabulary where one is loaded, else by its length in bytes."""
        ...
