"""Prints tables for people and JSON for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

WIDE = 1000
"""Characters of a line where output goes to no terminal."""


def show(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """A table with these columns, or everything as JSON, one object a line."""
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    console = Console()
    if not console.is_terminal:
        console.width = WIDE  # a pipe has no edge: one line a row, for grep and awk
    console.print(table)


def _cell(value: object) -> str:
    from rich.markup import escape

    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return escape(", ".join(str(part) for part in value)) or "-"
    return escape(str(value))
