"""A price book with the rows it was given."""

from collections.abc import Iterable

from typing_extensions import override

from domain.ports.prices import PriceBook
from domain.prices import PriceRow


class FixedPriceBook(PriceBook):
    """Knows exactly the rows given, by provider and model."""

    def __init__(self, rows: Iterable[PriceRow] = ()) -> None:
        self._rows = {(row.provider_id, row.model): row for row in rows}

    @override
    def find(self, provider_id: str, model: str) -> PriceRow | None:
        return self._rows.get((provider_id, model))

    @override
    def look_up(self, provider_id: str, model: str) -> PriceRow | None:
        return self.find(provider_id, model)
