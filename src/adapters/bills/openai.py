"""OpenAI's `GET /v1/organization/costs` and `GET /v1/organization/usage/completions`, as they answer.

Sources: https://platform.openai.com/docs/api-reference/usage (read 2026-11); answers of the live endpoints in the
OpenAI cookbook, examples/completions_usage_api.ipynb, and in public tests of other tools: `amount.value` is a number or
text of up to 39 decimals (zero as `0E-6176`), `quantity` is there beside what the reference names.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from adapters.bills.values import amount_of, count_of, femto_usd
from domain.bills import BILLED_METERS, CACHE_READ, CACHE_WRITE, INPUT, OUTPUT, BillLine

_KINDS: Final = (
    ("cached input", CACHE_READ),
    ("cache writes", CACHE_WRITE),
    ("cache write", CACHE_WRITE),
    ("input", INPUT),
    ("output", OUTPUT),
)
"""How the part of a line item behind the comma ends, and what that is."""

_MODALITIES: Final = (" text", " audio", " image", " video")


def openai_result(day: date, result: Mapping[str, object]) -> tuple[date, Decimal | None, BillLine | None]:
    """A result of a bucket of either endpoint, with its amount. Raises `ValueError` for what is no amount of USD."""
    amount = result.get("amount")
    if isinstance(amount, dict):
        currency = str(amount.get("currency") or "usd").lower()
        if currency != "usd":
            raise ValueError(f"an amount is in '{currency[:16]}', and prices here are in USD")
        value = amount_of(amount.get("value"))
        if value is None:
            return day, None, None
        return day, value, cost_line(day, result.get("line_item"), value, result.get("quantity"))
    if "input_tokens" in result or "output_tokens" in result:
        return day, None, _usage(day, result)
    return day, None, None


def cost_line(day: date, item: object, amount: Decimal, quantity: object = None) -> BillLine:
    """A line item, `gpt-4o-mini-2024-07-18, cached input` or `web search tool calls`; none is all of the day."""
    model, meter = model_and_meter(str(item)) if item else (None, "")
    tokens = count_of(quantity) if meter in BILLED_METERS else None
    return BillLine(day, model, femto_usd(amount), meter, {} if tokens is None else {meter: tokens})


def model_and_meter(item: str) -> tuple[str | None, str]:
    """What precedes the last comma is the model, with what it is done for before a `|`. Without a model, the item is
    the meter.
    """
    head, comma, kind = item.strip().rpartition(", ")
    if not comma:
        return (None, item.strip()) if " " in item.strip() else (item.strip(), "")
    for modality in _MODALITIES:
        head = head.removesuffix(modality)
    return head, next((meter for ending, meter in _KINDS if kind.endswith(ending)), kind)


def _usage(day: date, result: Mapping[str, object]) -> BillLine:
    cached = count_of(result.get("input_cached_tokens"))
    entering = count_of(result.get("input_tokens"))
    leaving = count_of(result.get("output_tokens"))
    tokens = {OUTPUT: leaving} if leaving is not None else {}
    if entering is not None:
        tokens[INPUT] = entering - (cached or 0)
    if cached is not None:
        tokens[CACHE_READ] = cached
    model = result.get("model")
    return BillLine(
        day, str(model) if model else None, tokens=tokens, requests=count_of(result.get("num_model_requests"))
    )
