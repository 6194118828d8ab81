"""A price catalog that says what a test wants."""

from collections.abc import Mapping
from datetime import datetime

from typing_extensions import override

from domain.ports.prices import CatalogAnswer, CatalogPrice, PriceCatalog
from domain.prices import Prices


class FakeCatalog(PriceCatalog):
    """Prices by (preset, model), all for ever; change `answers` for others. `questions` counts the `find`s."""

    def __init__(self, prices: Mapping[tuple[str, str], Prices] | None = None) -> None:
        self.answers = {key: CatalogAnswer(CatalogPrice(price)) for key, price in (prices or {}).items()}
        self.questions = 0
        self.loads = 0

    @property
    @override
    def source(self) -> str:
        return "fake-prices 1.2.3"

    @override
    def load(self) -> None:
        self.loads += 1

    @override
    def find(self, preset: str, model: str, at: datetime) -> CatalogAnswer:
        self.questions += 1
        return self.answers.get((preset, model), CatalogAnswer(None))
