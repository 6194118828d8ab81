"""The condition by which a list is searched: words within names, whatever their case."""

from typing import Any

from sqlalchemy import ColumnElement, func, or_, true
from sqlalchemy.orm import InstrumentedAttribute


def mentions(query: str | None, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """True for a row with `query` within one of the columns; any row where nothing is looked for."""
    if not query:
        return true()
    return or_(*(func.lower(column).contains(query.lower(), autoescape=True) for column in columns))
