"""Anthropic's `GET /v1/organizations/cost_report` and `…/usage_report/messages`, as they answer.

Source: https://platform.claude.com/docs/en/api/admin/cost_report and https://platform.claude.com/docs/en/build-with-claude/usage-cost-api
(read 2026-11): amounts are text, in cents; `model` and `token_type` are there where costs are grouped by description.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from adapters.bills.values import amount_of, count_of, femto_usd
from domain.bills import CACHE_READ, CACHE_WRITE, INPUT, OUTPUT, BillLine

_CENTS: Final = 100

_METERS: Final[Mapping[str, str]] = {
    "uncached_input_tokens": INPUT,
    "cache_read_input_tokens": CACHE_READ,
    "cache_creation.ephemeral_5m_input_tokens": CACHE_WRITE,
    "cache_creation.ephemeral_1h_input_tokens": CACHE_WRITE,
    "output_tokens": OUTPUT,
}


def anthropic_result(day: date, result: Mapping[str, object]) -> tuple[date, Decimal | None, BillLine | None]:
    """A result of a bucket of either report, with its amount in USD. Raises `ValueError` for another amount."""
    model = str(result["model"]) if result.get("model") else None
    if "amount" not in result:
        return day, None, BillLine(day, model, tokens=_tokens(result))
    currency = str(result.get("currency") or "USD").upper()
    if currency != "USD":
        raise ValueError(f"an amount is in '{currency[:16]}', and prices here are in USD")
    cents = amount_of(result["amount"])
    if cents is None:
        return day, None, None
    said = str(result.get("token_type") or result.get("cost_type") or "")
    amount = cents / _CENTS
    return day, amount, BillLine(day, model, femto_usd(amount), _METERS.get(said, said))


def _tokens(result: Mapping[str, object]) -> dict[str, int]:
    counts = {CACHE_READ: "cache_read_input_tokens", OUTPUT: "output_tokens", INPUT: "uncached_input_tokens"}
    found = {meter: count for meter, name in counts.items() if (count := count_of(result.get(name))) is not None}
    written = result.get("cache_creation")
    if isinstance(written, Mapping):
        found[CACHE_WRITE] = sum(count_of(count) or 0 for count in written.values())
    return found
