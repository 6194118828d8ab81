"""What a batch of new records adds to the tables of sums, each cell once: the writing half of the roll-ups (R-18)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from adapters.persistence.tables.usage import (
    SUMS,
    UsageDayRow,
    UsageHourOfKeyRow,
    UsageHourOfModelRow,
    UsageHourRow,
)
from domain.records import RequestRecord
from domain.usage import TokenUsage

GrainRow = type[UsageHourRow] | type[UsageDayRow] | type[UsageHourOfModelRow] | type[UsageHourOfKeyRow]


class Grain(NamedTuple):
    """A table of sums: how long its stretches are, and what it tells apart within one."""

    row: GrainRow
    whole_days: bool
    groups: tuple[str, ...]


_ALL_GROUPS = ("tenant_id", "key_id", "provider_id", "model", "task")

HOURS = Grain(UsageHourRow, whole_days=False, groups=_ALL_GROUPS)
DAYS = Grain(UsageDayRow, whole_days=True, groups=_ALL_GROUPS)
HOURS_BY_MODEL = Grain(UsageHourOfModelRow, whole_days=False, groups=("tenant_id", "provider_id", "model", "task"))
HOURS_BY_KEY = Grain(UsageHourOfKeyRow, whole_days=False, groups=("tenant_id", "key_id"))

GRAINS = (HOURS, DAYS, HOURS_BY_MODEL, HOURS_BY_KEY)

Cell = tuple[datetime | str, ...]


def additions(records: Iterable[RequestRecord]) -> Mapping[Grain, list[dict[str, object]]]:
    """For each grain the rows to add, sorted by their key, so that two writers never wait for each other (R-26)."""
    sums: dict[Grain, dict[Cell, list[int]]] = {grain: defaultdict(lambda: [0] * len(SUMS)) for grain in GRAINS}
    for record in records:
        hour = record.created_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        day = hour.replace(hour=0)
        for cell, added in _parts(record):
            for grain in GRAINS:
                key: Cell = (day if grain.whole_days else hour, *(cell[name] for name in grain.groups))
                total = sums[grain][key]
                for place, value in enumerate(added):
                    total[place] += value
    return {
        grain: [
            dict(zip(("starts_at", *grain.groups, *SUMS), (*key, *total), strict=True))
            for key, total in sorted(cells.items())
        ]
        for grain, cells in sums.items()
    }


def is_estimated(record: RequestRecord) -> bool:
    """Whether the gateway counted tokens of it by itself."""
    return any(attempt.usage_source == "estimated" for attempt in record.attempts)


def is_unpriced(record: RequestRecord) -> bool:
    """Whether an attempt that used something has no price."""
    return any(attempt.usage is not None and attempt.cost_nano_usd is None for attempt in record.attempts)


def _parts(record: RequestRecord) -> Iterable[tuple[dict[str, str], tuple[int, ...]]]:
    """The request where it ended, and each attempt where it went: groups, and numbers in the order of `SUMS`."""
    cell = {
        "tenant_id": record.tenant_id,
        "key_id": record.key_id or "",
        "provider_id": record.provider_id or "",
        "model": record.model or "",
        "task": record.task,
    }
    flags = (int(is_estimated(record)), int(is_unpriced(record)))
    yield cell, (1, int(record.outcome != "ok"), *(0,) * 10, *flags)
    for attempt in record.attempts:
        usage = attempt.usage or TokenUsage()
        tokens = (
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            usage.reasoning_tokens,
            usage.audio_input_tokens,
            usage.audio_output_tokens,
            usage.image_tokens,
        )
        where = cell | {"provider_id": attempt.provider_id, "model": attempt.model}
        yield where, (0, 0, 1, *tokens, attempt.cost_nano_usd or 0, 0, 0)
