"""Takes the price catalog out of genai-prices: `uv run python -m tests.unit.adapters.prices.extract` writes the file.

The library's objects are put into the form of its published file, which `adapters/prices/published.py` reads.
"""

from datetime import date, time
from decimal import Decimal
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    ConditionalPrice,
    MatchLogic,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from adapters.prices import published
from adapters.prices.published import EDITION, catalog_text

FILE = Path(__file__).parents[4] / "src" / "adapters" / "prices" / "catalog.json"

Json = dict[str, Any]


def library() -> dict[str, Provider]:
    """The library's providers."""
    return {provider.id: provider for provider in get_snapshot().providers}


def alternatives(model: ModelInfo) -> list[ConditionalPrice]:
    """The prices of a model with their conditions, in the library's order: the last whose condition holds is it."""
    if isinstance(model.prices, ModelPrice):
        return [ConditionalPrice(prices=model.prices)]
    return model.prices


def extracted(model: ModelInfo, prices: ModelPrice) -> Json | None:
    """Rates with their tiers, in nano-USD per million; None where there is no price at all."""
    return published.extracted(model.id, _prices(prices))


def render() -> str:
    """The whole file."""
    about = distribution("genai-prices")
    license_text = next(file for file in about.files or () if file.name == "LICENSE").read_text()
    return catalog_text(published_form(), f"{about.version}+{EDITION}", license_text)[0]


def published_form() -> list[Json]:
    """The library as it is published."""
    return [
        {"id": provider.id, "models": [_model(model) for model in provider.models]} for provider in library().values()
    ]


def _model(model: ModelInfo) -> Json:
    return {
        "id": model.id,
        "match": _clause(model.match),
        "prices": [
            {"prices": _prices(each.prices), "constraint": _constraint(each.constraint)} for each in alternatives(model)
        ],
        "price_variants": [
            {"when": each.when, "prices": _prices(each.prices), "constraint": _constraint(each.constraint)}
            for each in model.price_variants or ()
        ],
    }


def _prices(prices: ModelPrice) -> Json:
    return {key: _price(price) for key, price in prices.__dict__.items() if price is not None}


def _price(price: Decimal | TieredPrices) -> Decimal | Json:
    if isinstance(price, TieredPrices):
        return {"base": price.base, "tiers": [{"start": tier.start, "price": tier.price} for tier in price.tiers]}
    return price


def _constraint(constraint: StartDateConstraint | TimeOfDateConstraint | None) -> Json | None:
    if isinstance(constraint, StartDateConstraint):
        return {"start_date": _text(constraint.start_date)}
    if isinstance(constraint, TimeOfDateConstraint):
        return {"start_time": _text(constraint.start_time), "end_time": _text(constraint.end_time)}
    return None


def _text(moment: date | time) -> str:
    return moment.isoformat()


def _clause(clause: MatchLogic) -> Json:
    match clause:
        case ClauseEquals():
            return {"equals": clause.equals}
        case ClauseStartsWith():
            return {"starts_with": clause.starts_with}
        case ClauseEndsWith():
            return {"ends_with": clause.ends_with}
        case ClauseContains():
            return {"contains": clause.contains}
        case ClauseRegex():
            return {"regex": clause.regex}
        case ClauseOr():
            return {"or": [_clause(part) for part in clause.or_]}
        case ClauseAnd():
            return {"and": [_clause(part) for part in clause.and_]}


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
