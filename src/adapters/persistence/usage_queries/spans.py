"""Spans of time as tables of a statement: each is summed once, and counts for every day that needs it."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy import CTE, BindParameter, DateTime, Integer, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.persistence.tables.row import as_stored
from domain.usage_periods import Stretch

_INTEGERS = ARRAY(Integer)
_MOMENTS = ARRAY(DateTime(timezone=True))


class Spans:
    """Those of one statement, by numbers. They are parameters of it, so that it is the same text whatever they are."""

    def __init__(self, *, arrays: bool) -> None:
        """`arrays` are Postgres'; SQLite reads JSON."""
        self._arrays = arrays
        self._counted: list[tuple[int, int, int]] = []
        self._count = 0

    def table(self, name: str, stretches: Sequence[Stretch]) -> CTE:
        """Each span of some stretches: `number`, `starts_at` and `ends_at`."""
        numbers: dict[tuple[datetime, datetime], int] = {}
        for each in stretches:
            number = numbers.setdefault((each.start, each.end), self._count + len(numbers))
            self._counted.append((number, time_number(each.day), each.sign))
        self._count += len(numbers)
        starts, ends = [start for start, _ in numbers], [end for _, end in numbers]
        if self._arrays:
            return _of_arrays(
                name,
                number=literal([*numbers.values()], _INTEGERS),
                starts_at=literal(starts, _MOMENTS),
                ends_at=literal(ends, _MOMENTS),
            )
        stored = zip(numbers.values(), map(as_stored, starts), map(as_stored, ends), strict=True)
        return _of_json(name, [*stored], "number", "starts_at", "ends_at")

    def counted(self) -> CTE:
        """What each span counts for: `number`, `day` (as `time_number` has it) and `sign`."""
        if self._arrays:
            numbers, days, signs = ([row[place] for row in self._counted] for place in range(3))
            return _of_arrays(
                "counted",
                number=literal(numbers, _INTEGERS),
                day=literal(days, _INTEGERS),
                sign=literal(signs, _INTEGERS),
            )
        return _of_json("counted", self._counted, "number", "day", "sign")


def time_number(day: date | datetime | None) -> int:
    """A day or an hour as a number: days count from the year 1, hours begin so many minutes after 1970."""
    if isinstance(day, datetime):
        return int(day.timestamp()) // 60
    return day.toordinal() if day else 0


def _of_arrays(name: str, **columns: BindParameter[Sequence[object]]) -> CTE:
    rows = func.unnest(*columns.values()).table_valued(*columns, name=f"{name}_rows").render_derived()
    return select(*(rows.c[column] for column in columns)).cte(name)


def _of_json(name: str, rows: Sequence[Sequence[object]], *columns: str) -> CTE:
    row = func.json_each(literal(msgspec.json.encode(rows).decode())).table_valued("value").c.value
    picked = (func.json_extract(row, f"$[{place}]").label(column) for place, column in enumerate(columns))
    return select(*picked).cte(name).prefix_with("MATERIALIZED")  # else each row of the ledger reads the JSON again
