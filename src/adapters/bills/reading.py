"""Reads whatever export of a bill it is given: JSON or a table, told by what is in it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from typing_extensions import override

from adapters.bills.buckets import buckets_of, read_buckets
from adapters.bills.tables import COLUMNS, NEEDED, known_columns, read_rows, table_of
from adapters.bills.values import half_step
from domain.bills import Bill, BillLine
from domain.errors import RequestInvalid
from domain.ports.bills import BillReader

_Read = Iterator[tuple[date, Decimal | None, BillLine | None]]


class ExportedBills(BillReader):
    """Knows OpenAI's and Anthropic's pages of costs and usage, OpenRouter's activity, and tables with named columns."""

    @override
    def read(self, files: Mapping[str, bytes], columns: Mapping[str, str], zone: ZoneInfo) -> Bill:
        _check(columns)
        lines: list[BillLine] = []
        days: list[date] = []
        amounts: list[Decimal] = []
        notes: list[str] = []
        for name, content in files.items():
            try:
                document = _document(content)
                if isinstance(document, dict) and document.get("has_more") is True:
                    notes.append(f"{name}: the export has more pages (next_page); name them all, one file each.")
                for day, amount, line in _rows(document, columns, zone):
                    days.append(day)
                    if amount is not None:
                        amounts.append(amount)
                    if line is not None:
                        lines.append(line)
            except (ValueError, KeyError) as error:
                raise RequestInvalid(f"{name} cannot be read as a bill: {error}.", param="file") from error
        if not days:
            raise RequestInvalid(f"{', '.join(files)}: there is no day in it.", param="file")
        return Bill(tuple(lines), min(days), max(days), half_step(amounts), _last_page_alone(notes, len(files)))


def _last_page_alone(notes: Sequence[str], files: int) -> tuple[str, ...]:
    """All pages but one have more; only where each has, one is not there."""
    return tuple(notes) if notes and len(notes) == files else ()


def _check(columns: Mapping[str, str]) -> None:
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        raise RequestInvalid(
            f"There is no column '{unknown[0][:64]}'; there are {', '.join(COLUMNS)}.", param="columns"
        )
    missing = [name for name in NEEDED if columns and name not in columns]
    if missing:
        raise RequestInvalid(f"The columns need {missing[0]}=NAME.", param="columns")


def _document(content: bytes) -> object:
    """Decoded JSON, with its numbers as they are written, or the rows of a table. Raises `ValueError`."""
    text = content.decode("utf-8-sig", errors="strict")
    if text.lstrip()[:1] in {"{", "["}:
        return json.loads(text, parse_float=Decimal)
    return table_of(text)


def _rows(document: object, columns: Mapping[str, str], zone: ZoneInfo) -> _Read:
    if not columns and (buckets := buckets_of(document)) is not None:
        return read_buckets(buckets, zone)
    listed = document.get("data") if isinstance(document, dict) else document
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    if not rows:
        raise ValueError("it has no rows")
    headings = [str(name) for name in rows[0]]
    named = columns or known_columns(headings)
    if named is None:
        shown = ", ".join(headings[:20])
        raise ValueError(f"its columns are not known; say which is which with --columns (there are {shown})")
    for name in (part for column in columns.values() for part in column.split("+")):
        if name not in headings:
            raise ValueError(f"there is no column '{name[:64]}' (there are {', '.join(headings[:20])})")
    return read_rows(rows, named, zone)
