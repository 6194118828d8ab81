"""What a batch of new records adds to the tables of sums, each cell once: the writing half of the roll-ups (R-18)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import add
from typing import NamedTuple

from adapters.persistence.tables.usage import (
    SUMS,
    UsageDayOfKeyRow,
    UsageDayOfModelRow,
    UsageDayRow,
    UsageHourOfKeyRow,
    UsageHourOfModelRow,
    UsageHourRow,
)
from domain.records import RequestRecord
from domain.usage_periods import DAY, HOUR

GrainRow = (
    type[UsageHourRow]
    | type[UsageDayRow]
    | type[UsageHourOfModelRow]
    | type[UsageHourOfKeyRow]
    | type[UsageDayOfModelRow]
    | type[UsageDayOfKeyRow]
)


class Grain(NamedTuple):
    """A table of sums: how long its stretches are, and what it tells apart within one."""

    row: GrainRow
    whole_days: bool
    groups: tuple[str, ...]


_ALL_GROUPS = ("tenant_id", "key_id", "provider_id", "model", "task")
_OF_MODEL = ("tenant_id", "provider_id", "model", "task")
_OF_KEY = ("tenant_id", "key_id")

HOURS = Grain(UsageHourRow, whole_days=False, groups=_ALL_GROUPS)
DAYS = Grain(UsageDayRow, whole_days=True, groups=_ALL_GROUPS)
HOURS_BY_MODEL = Grain(UsageHourOfModelRow, whole_days=False, groups=_OF_MODEL)
HOURS_BY_KEY = Grain(UsageHourOfKeyRow, whole_days=False, groups=_OF_KEY)
DAYS_BY_MODEL = Grain(UsageDayOfModelRow, whole_days=True, groups=_OF_MODEL)
DAYS_BY_KEY = Grain(UsageDayOfKeyRow, whole_days=True, groups=_OF_KEY)

GRAINS = (HOURS, DAYS, HOURS_BY_MODEL, HOURS_BY_KEY, DAYS_BY_MODEL, DAYS_BY_KEY)

Cell = tuple[datetime | str | int, ...]

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

_REQUESTS, _ERRORS, _ATTEMPTS, _TOKENS, _COST, _ESTIMATED, _UNPRICED, _INEXACT, _REFUSED, _CANCELLED, _SAVINGS = map(
    SUMS.index,
    (
        "requests", "errors", "attempts", "input_tokens", "cost_nano_usd", "estimated_requests", "unpriced_requests",
        "inexact_requests", "refused_requests", "cancelled_requests", "savings_nano_usd",
    ),
)  # fmt: skip


def additions(records: Iterable[RequestRecord]) -> Mapping[Grain, list[Cell]]:
    """For each grain the rows to add, as tuples in the order of `columns_of`.

    Sorted by their key, so that two writers never wait for each other (R-26). The finest grain is summed from
    the records and the others from it: a batch has far fewer cells than records.
    """
    finest = _finest(records)
    sums: dict[Grain, dict[Cell, list[int]]] = {HOURS: finest, **{grain: {} for grain in GRAINS[1:]}}
    days, by_model, by_key = sums[DAYS], sums[HOURS_BY_MODEL], sums[HOURS_BY_KEY]
    day_of = {hour: _day_of(hour) for hour in {cell[0] for cell in finest}}
    for (hour, tenant, key, *rest), added in finest.items():
        _merge(days, (day_of[hour], tenant, key, *rest), added)
        _merge(by_model, (hour, tenant, *rest), added)
        _merge(by_key, (hour, tenant, key), added)
    for finer, coarser in ((HOURS_BY_MODEL, DAYS_BY_MODEL), (HOURS_BY_KEY, DAYS_BY_KEY)):
        for (hour, *rest), added in sums[finer].items():
            _merge(sums[coarser], (day_of[hour], *rest), added)
    return {grain: [(*key, *total) for key, total in sorted(cells.items())] for grain, cells in sums.items()}


DAY_COLUMNS = ("starts_at", "ends_at", "version")
"""Of the table that counts how often each day was written to."""


def written_days(added: Mapping[Grain, Sequence[Cell]]) -> list[tuple[datetime, datetime, int]]:
    """The rows to add to it, in their order (R-26)."""
    days = sorted({day for day, *_ in added[DAYS_BY_KEY] if isinstance(day, datetime)})
    return [(day, day + DAY, 1) for day in days]


def columns_of(grain: Grain) -> tuple[str, ...]:
    """The columns of a grain's table, its key first."""
    return ("starts_at", *grain.groups, *SUMS)


def went_to(record: RequestRecord) -> tuple[str | None, str | None]:
    """The provider and the model a request counts for: its last attempt's, by the name it was asked under."""
    if record.attempts:
        last = record.attempts[-1]
        return last.provider_id, last.model
    return record.provider_id, record.model


def is_estimated(record: RequestRecord) -> bool:
    """Whether the gateway counted tokens of it by itself."""
    for attempt in record.attempts:  # noqa: SIM110 - asked twice of every record, and any() takes twice as long
        if attempt.usage_source == "estimated":
            return True
    return False


def is_unpriced(record: RequestRecord) -> bool:
    """Whether an attempt that used something has no price."""
    for attempt in record.attempts:  # noqa: SIM110 - as above
        if attempt.usage is not None and attempt.cost_nano_usd is None:
            return True
    return False


def is_inexact(record: RequestRecord) -> bool:
    """Whether an attempt used something that has no price."""
    for attempt in record.attempts:  # noqa: SIM110 - as above
        if attempt.cost_missing:
            return True
    return False


def _day_of(hour: datetime | str | int) -> datetime:
    if not isinstance(hour, datetime):
        raise TypeError("a cell begins with its hour")
    return hour.replace(hour=0)


def _merge(cells: dict[Cell, list[int]], key: Cell, added: list[int]) -> None:
    total = cells.get(key)
    cells[key] = list(added) if total is None else list(map(add, total, added))


def _finest(records: Iterable[RequestRecord]) -> dict[Cell, list[int]]:
    cells: dict[Cell, list[int]] = {}
    hour = until = _NEVER
    for record in records:
        if not hour <= record.created_at < until:  # a batch has hardly more than one
            hour = record.created_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            until = hour + HOUR
        _add(cells, record, hour)
    return cells


def _add(cells: dict[Cell, list[int]], record: RequestRecord, hour: datetime) -> None:
    """The request where it ended, and each attempt where it went."""
    whose, task = (hour, record.tenant_id, record.key_id or ""), record.task
    provider_id, model = went_to(record)
    ended = _cell(cells, (*whose, provider_id or "", model or "", task))
    ended[_REQUESTS] += 1
    if record.outcome != "ok":
        ended[_ERRORS] += 1
        ended[_REFUSED] += record.refused_by != ""
        ended[_CANCELLED] += record.outcome == "client_cancelled"
    if record.savings_nano_usd:
        ended[_SAVINGS] += record.savings_nano_usd
    ended[_ESTIMATED] += is_estimated(record)
    ended[_UNPRICED] += is_unpriced(record)
    ended[_INEXACT] += is_inexact(record)
    for attempt in record.attempts:
        there = attempt.model == model and attempt.provider_id == provider_id
        total = ended if there else _cell(cells, (*whose, attempt.provider_id, attempt.model, task))
        total[_ATTEMPTS] += 1
        if attempt.usage is not None:
            for place, tokens in enumerate(attempt.usage.counts(), _TOKENS):
                if tokens:
                    total[place] += tokens
        if attempt.cost_nano_usd:
            total[_COST] += attempt.cost_nano_usd


def _cell(cells: dict[Cell, list[int]], key: Cell) -> list[int]:
    total = cells.get(key)
    if total is None:
        total = cells[key] = [0] * len(SUMS)
    return total
