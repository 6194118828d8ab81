"""Takes the price catalog out of genai-prices: `uv run python -m tests.unit.adapters.prices.extract` writes the file.

Prices are rounded to a nano-USD per million tokens (the library has a few that are binary fractions of cents). Of a
tiered price the base is taken. What is not charged by the token (seconds, pages, searches) is left out, and a model
that has nothing else is in the file without prices, so that no other rule takes it. Where an hour in Claude's cache has
no price it gets Anthropic's: twice the input's, wherever Claude is served.
"""

import json
from datetime import UTC, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from importlib.metadata import distribution
from pathlib import Path

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

from adapters.prices.providers import CATALOG_NAMES

FILE = Path(__file__).parents[4] / "src" / "adapters" / "prices" / "catalog.json"

METERS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "reasoning": "output_reasoning_mtok",
    "audio_input": "input_audio_mtok",
    "audio_output": "output_audio_mtok",
    "image": "input_image_mtok",
}

ANTHROPICS_HOUR = 2
"""An hour in the cache costs twice what input does.

Source: https://platform.claude.com/docs/en/about-claude/pricing (read 2026-11). Every price that the library has for an
hour is of this ratio too, in Anthropic's own list, Bedrock's and Vertex AI's; a test looks.
"""

EDITION = 2
"""How the file is taken out of the library: 2 has the hour in the cache.

Raise it where that changes: it is part of the ids of prices in the books, where no row is ever written again (R-17).
"""

Json = dict[str, object]


def library() -> dict[str, Provider]:
    """The library's providers that the gateway knows."""
    wanted = set(CATALOG_NAMES.values())
    return {provider.id: provider for provider in get_snapshot().providers if provider.id in wanted}


def alternatives(model: ModelInfo) -> list[ConditionalPrice]:
    """The prices of a model with their conditions, in the library's order: the last whose condition holds is it."""
    if isinstance(model.prices, ModelPrice):
        return [ConditionalPrice(prices=model.prices)]
    return model.prices


def token_prices(model: ModelInfo, prices: ModelPrice) -> dict[str, int] | None:
    """Nano-USD per million tokens. An empty list of prices is the library's word for free, believed of `:free` ids."""
    found = {meter: _nano(price) for meter, key in METERS.items() if (price := getattr(prices, key)) is not None}
    if not found:
        free = not any(value is not None for value in prices.__dict__.values()) and model.id.endswith(":free")
        return {"input": 0, "output": 0} if free else None
    if "input" not in found and "output" not in found:
        return None
    if "claude" in model.id and "cache_write" in found:
        found.setdefault("cache_write_1h", ANTHROPICS_HOUR * found["input"])
    return {"input": 0, "output": 0} | found


def render() -> str:
    """The whole file: one model a line, so that a new version of the library is a readable diff."""
    about = distribution("genai-prices")
    license_text = next(file for file in about.files or () if file.name == "LICENSE").read_text()
    head = json.dumps({"version": f"{about.version}+{EDITION}", "license": license_text}, ensure_ascii=False)[:-1]
    blocks = [
        f"{json.dumps(name)}: [\n" + ",\n".join(_dump(_model(model)) for model in provider.models) + "\n]"
        for name, provider in sorted(library().items())
    ]
    return head + ', "providers": {\n' + ",\n".join(blocks) + "\n}}\n"


def _model(model: ModelInfo) -> Json:
    return {"match": _clause(model.match), "prices": [_alternative(model, price) for price in alternatives(model)]}


def _alternative(model: ModelInfo, conditional: ConditionalPrice) -> Json:
    found: Json = {"prices": token_prices(model, conditional.prices)}
    constraint = conditional.constraint
    if isinstance(constraint, StartDateConstraint):
        start = constraint.start_date
        found["starts"] = datetime(start.year, start.month, start.day, tzinfo=UTC).isoformat()
    elif isinstance(constraint, TimeOfDateConstraint):
        found["daily"] = [_minute(constraint.start_time), _minute(constraint.end_time)]
    return found


def _clause(clause: MatchLogic) -> Json:
    match clause:
        case ClauseEquals():
            return {"equals": clause.equals.lower()}
        case ClauseStartsWith():
            return {"starts_with": clause.starts_with.lower()}
        case ClauseEndsWith():
            return {"ends_with": clause.ends_with.lower()}
        case ClauseContains():
            return {"contains": clause.contains.lower()}
        case ClauseRegex():
            return {"regex": clause.regex}
        case ClauseOr():
            return {"any": [_clause(part) for part in clause.or_]}
        case ClauseAnd():
            return {"all": [_clause(part) for part in clause.and_]}


def _minute(moment: time) -> int:
    """Minutes since midnight UTC."""
    assert moment.utcoffset() in {None, UTC.utcoffset(None)}
    assert (moment.second, moment.microsecond) == (0, 0)
    return moment.hour * 60 + moment.minute


def _nano(price: Decimal | TieredPrices) -> int:
    base = price.base if isinstance(price, TieredPrices) else price
    return int((base * 10**9).to_integral_value(ROUND_HALF_UP))


def _dump(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
