"""Exports that are tables: those that are known by their headings, and any other by the columns one names.

Sources: OpenRouter's activity export, one generation a row, with the columns that public tools read it by
(CodexClawd/codexclawd, skills/openrouter-analyzer/scripts/analyze.py); its `GET /api/v1/activity`
(https://openrouter.ai/docs/agent-sdk/typescript/models/activityitem); OpenAI's usage and cost as the dashboard exports
them, with rows of a real account in xavierjflanagan/Guardian, openai-usage-and-cost-report-2025-10-12.md. Read 2026-11.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from adapters.bills.openai import cost_line
from adapters.bills.values import amount_of, count_of, day_of, femto_usd
from domain.bills import CACHE_READ, CACHE_WRITE, INPUT, OUTPUT, BillLine

COLUMNS: Final = (
    "day", "model", "variant", "item", "input", "uncached", "cached", "cache_write", "output", "requests", "cost",
    "quantity",
)  # fmt: skip
"""What a column may be. `input` is with what is cached, `uncached` without; several with `+` between are added."""

NEEDED: Final = ("day",)

KNOWN: Final[Sequence[Mapping[str, str]]] = (
    {
        "day": "created_at",
        "model": "model_permaslug",
        "variant": "variant",
        "input": "tokens_prompt",
        "cached": "tokens_cached",
        "output": "tokens_completion",
        "cost": "cost_total+byok_usage_inference",
        "requests": "generation_id",
    },
    {
        "day": "date",
        "model": "model",
        "input": "prompt_tokens",
        "output": "completion_tokens",
        "requests": "requests",
        "cost": "usage+byok_usage_inference",
    },
    {
        "day": "start_time",
        "model": "model",
        "input": "input_tokens",
        "cached": "input_cached_tokens",
        "output": "output_tokens",
        "requests": "num_model_requests",
    },
    {"day": "start_time", "item": "line_item", "cost": "amount_value", "quantity": "quantity"},
)
"""OpenRouter's generations and days, OpenAI's usage and costs. Of an id in `requests` each row is one."""

_OPTIONAL: Final = frozenset({"variant", "cached", "quantity", "byok_usage_inference"})
_STANDARD: Final = frozenset({"", "standard"})

Row = Mapping[str, object]


def table_of(content: str) -> list[dict[str, object]]:
    """The rows of a CSV, by heading, whatever stands between its columns."""
    heading = content.partition("\n")[0]
    delimiter = max(",;\t|", key=heading.count)
    return [dict(row) for row in csv.DictReader(io.StringIO(content), delimiter=delimiter)]


def known_columns(headings: Sequence[str]) -> Mapping[str, str] | None:
    """The columns of an export that is known by its headings."""
    there = set(headings)
    for columns in KNOWN:
        needed = {column for kind, name in columns.items() if kind not in _OPTIONAL for column in name.split("+")}
        if needed - _OPTIONAL <= there:
            return columns
    return None


def read_rows(
    rows: Sequence[Row], columns: Mapping[str, str], zone: ZoneInfo
) -> Iterator[tuple[date, Decimal | None, BillLine | None]]:
    """Each row with its day and amount. Raises `ValueError` with the number of the row at fault."""
    for number, row in enumerate(rows, start=2):
        try:
            yield _row(row, columns, zone)
        except ValueError as error:
            raise ValueError(f"row {number}: {error}") from error


def _row(row: Row, columns: Mapping[str, str], zone: ZoneInfo) -> tuple[date, Decimal | None, BillLine | None]:
    day = day_of(_text(row, columns, "day"), zone)
    amounts = [each for each in (amount_of(row.get(name)) for name in _names(columns, "cost")) if each is not None]
    amount = sum(amounts, Decimal(0)) if amounts else None
    if item := _text(row, columns, "item"):
        return day, amount, None if amount is None else cost_line(day, item, amount, _text(row, columns, "quantity"))
    model = _text(row, columns, "model")
    if (variant := _text(row, columns, "variant")) not in _STANDARD and model and not model.endswith(f":{variant}"):
        model = f"{model}:{variant}"
    tokens = _tokens(row, columns)
    cost = None if amount is None else femto_usd(amount)
    if cost is None and not tokens:
        return day, None, None
    return day, amount, BillLine(day, model or None, cost, "", tokens, _requests(row, columns))


def _tokens(row: Row, columns: Mapping[str, str]) -> dict[str, int]:
    counts = {kind: _count(row, columns, kind) for kind in ("input", "uncached", "cached", "cache_write", "output")}
    found = {
        meter: count
        for meter, kind in ((CACHE_READ, "cached"), (CACHE_WRITE, "cache_write"), (OUTPUT, "output"))
        if (count := counts[kind]) is not None
    }
    if (bare := counts["uncached"]) is not None:
        found[INPUT] = bare
    elif (whole := counts["input"]) is not None:
        found[INPUT] = max(0, whole - found.get(CACHE_READ, 0) - found.get(CACHE_WRITE, 0))
    return found


def _requests(row: Row, columns: Mapping[str, str]) -> int | None:
    text = _text(row, columns, "requests")
    if not text:
        return None
    return count_of(text) if text.replace(".", "", 1).isdigit() else 1


def _count(row: Row, columns: Mapping[str, str], kind: str) -> int | None:
    counts = [each for each in (count_of(row.get(name)) for name in _names(columns, kind)) if each is not None]
    return sum(counts) if counts else None


def _names(columns: Mapping[str, str], kind: str) -> list[str]:
    return columns[kind].split("+") if columns.get(kind) else []


def _text(row: Row, columns: Mapping[str, str], kind: str) -> str:
    value = row.get(columns[kind]) if columns.get(kind) else None
    return "" if value is None else str(value).strip()
