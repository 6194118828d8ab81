"""Tables as CSV (RFC 4180) that no spreadsheet takes for formulas (S-20)."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence

MEDIA_TYPE = "text/csv; charset=utf-8"

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a cell begins that a spreadsheet would run. Source: OWASP, CSV Injection (read 2026-11)."""

_NUMBER = re.compile(r"-\d+(\.\d+)?")
"""Money below zero, which is to be added up: a spreadsheet runs nothing of it."""


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, object]], *, head: bool = True) -> bytes:
    """The rows as lines, after one of the columns' names. Null is an empty cell; a text that could run gets a `'`."""
    text = io.StringIO()
    writer = csv.writer(text)
    if head:
        writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
