"""What an answer says of its bill beside the tokens: its terms, calls of hosted tools, and what the provider charged.

All of it stands in the usage object, whatever the format, and each provider has its own names for it; a table a fact.
Nothing here can fail: what cannot be read was not said.

Sources (read 2026-11): OpenRouter and Vercel AI Gateway `cost` in USD, with `is_byok` their own fee beside
`cost_details.upstream_inference_cost`; Perplexity `cost.total_cost`; DeepInfra `estimated_cost`; xAI
`cost_in_usd_ticks` of 1e-10 USD, `server_side_tool_usage_details`; Anthropic `server_tool_use`, `service_tier`,
`speed`, `inference_geo`; Perplexity `num_search_queries`, `citation_tokens`.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from domain.prices import ANY
from domain.usage import STANDARD_WORDS, BillingFacts, TokenUsage

_NANO: Final = Decimal(10**9)
_NANO_PER_TICK: Final = Decimal("0.1")
_MAX_WORD: Final = 64
_MAX_USD: Final = Decimal(1_000_000)

TOOL_COUNTS: Final[Mapping[str, str]] = {
    "web_search_requests": "web_search",  # Anthropic, OpenRouter
    "code_execution_requests": "code_execution",  # Anthropic
    "web_search_calls": "web_search",  # xAI from here on
    "x_search_calls": "x_search",
    "code_interpreter_calls": "code_execution",
    "file_search_calls": "file_search",
    "document_search_calls": "file_search",
}
"""Names of counts in a usage object, and the fee each is for. Fetching a page is free (Anthropic)."""

TOOL_ITEMS: Final[Mapping[str, str]] = {
    "web_search_call": "web_search",
    "file_search_call": "file_search",
    "code_interpreter_call": "code_execution",
    "image_generation_call": "image_generation",
}
"""Items of a response that are calls of hosted tools, and the fee each is for."""


class BillingFields(msgspec.Struct, kw_only=True):
    """The fields of a usage object that say it; of whatever type a provider gives them.

    Most answers have none of them: who reads them looks at that first.
    """

    cost: object = None
    cost_details: object = None
    is_byok: object = None
    estimated_cost: object = None
    cost_in_usd_ticks: object = None
    server_tool_use: object = None
    server_side_tool_usage_details: object = None
    num_search_queries: object = None
    citation_tokens: object = None
    service_tier: object = None
    speed: object = None
    inference_geo: object = None


def with_billing(tokens: TokenUsage, fields: BillingFields, further: Mapping[str, int] | None = None) -> TokenUsage:
    """The same usage with what its fields say of the bill; `further` are tokens by meter that have no count there."""
    counts = _counts(fields) | {meter: count for meter, count in (further or {}).items() if count}
    tier = _word(fields.service_tier)
    facts = BillingFacts(
        "" if tier == "batch" else tier,  # Anthropic's word for it
        _word(fields.speed),
        _word(fields.inference_geo),
        batch=tier == "batch",
        counts=counts,
        cost_nano_usd=reported_cost(fields),
    )
    if not (facts.terms() or counts or facts.cost_nano_usd is not None):
        return tokens
    return msgspec.structs.replace(tokens, billing=facts)


def reported_cost(fields: BillingFields) -> int | None:
    """What the provider charged, in nano-USD."""
    ticks = _decimal(fields.cost_in_usd_ticks)
    if ticks is not None:
        return int((ticks * _NANO_PER_TICK).to_integral_value())
    cost = fields.cost
    usd = _decimal(cost.get("total_cost") if isinstance(cost, dict) else cost)
    if usd is None:
        usd = _decimal(fields.estimated_cost)
    elif fields.is_byok is True and isinstance(fields.cost_details, dict):
        usd += _decimal(fields.cost_details.get("upstream_inference_cost")) or 0
    return None if usd is None else int((usd * _NANO).to_integral_value())


def with_calls(tokens: TokenUsage | None, calls: Iterable[str]) -> TokenUsage | None:
    """The same usage with calls of hosted tools that the answer shows; what the usage itself counts is right."""
    if tokens is None:
        return None
    counted = dict(tokens.billing.counts) if tokens.billing is not None else {}
    shown: dict[str, int] = {}
    for tool in calls:
        if tool not in counted:
            shown[tool] = shown.get(tool, 0) + 1
    if not shown:
        return tokens
    facts = msgspec.structs.replace(tokens.billing or BillingFacts(), counts={**counted, **shown})
    return msgspec.structs.replace(tokens, billing=facts)


def with_units(tokens: TokenUsage | None, units: Mapping[str, int]) -> TokenUsage | None:
    """Usage with what is sold otherwise than by the token; of no tokens where none were counted."""
    units = {name: count for name, count in units.items() if count > 0}
    if not units:
        return tokens
    tokens = tokens or TokenUsage()
    facts = msgspec.structs.replace(tokens.billing or BillingFacts(), units=units)
    return msgspec.structs.replace(tokens, billing=facts)


def picture(size: object, quality: object) -> str:
    """The unit of a picture of this kind; what nobody said, or left to the model, is not part of it."""
    said = [word if isinstance(word, str) and word not in {"", "auto"} else "" for word in (size, quality)]
    if not any(said):
        return "image"
    return f"image:{said[0] or ANY}/{said[1]}" if said[1] else f"image:{said[0]}"


def milliseconds(seconds: object, *, at_least: int = 0) -> int:
    """Of sound, as it is charged; 0 where it is no number."""
    number = _decimal(seconds)
    if not number:
        return 0
    return max(int((number * 1000).to_integral_value()), at_least * 1000)


def _counts(fields: BillingFields) -> dict[str, int]:
    found: dict[str, int] = {}
    for given in (fields.server_tool_use, fields.server_side_tool_usage_details):
        if isinstance(given, dict):
            for name, tool in TOOL_COUNTS.items():
                _add(found, tool, given.get(name))
    _add(found, "web_search", fields.num_search_queries)
    _add(found, "citation", fields.citation_tokens)
    return found


def _add(found: dict[str, int], name: str, given: object) -> None:
    count = _decimal(given)
    if count:
        found[name] = found.get(name, 0) + int(count)


def _word(given: object) -> str:
    """A term that is not the usual one."""
    plain = isinstance(given, str) and len(given) <= _MAX_WORD and given.isprintable() and given not in STANDARD_WORDS
    return str(given) if plain else ""


def _decimal(given: object) -> Decimal | None:
    """A number, or one as text; None for anything else, negative or absurdly large."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        number = Decimal(str(given))
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number <= _MAX_USD * 10**10 else None
