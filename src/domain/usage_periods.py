"""Stretches of time that usage is summed over: days as a timezone has them, cut where the roll-ups are (R-20)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Stretch(msgspec.Struct, frozen=True):
    """From `start` up to, and without, `end`; both UTC. `day` is the local day it counts for, None for no day."""

    start: datetime
    end: datetime
    day: date | None = None


class Cut(msgspec.Struct, frozen=True):
    """The same time in three sizes: whole UTC days, whole UTC hours, and what is neither."""

    days: tuple[Stretch, ...] = ()
    hours: tuple[Stretch, ...] = ()
    edges: tuple[Stretch, ...] = ()


def midnight(day: date, zone: tzinfo) -> datetime:
    """When a local day begins, in UTC: the first of two midnights, and the jump itself where midnight is skipped."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def local_days(start: datetime, end: datetime, zone: tzinfo) -> Iterator[Stretch]:
    """The local days from `start` to `end`, the first and the last as far as they reach. They tile the time.

    A day has 23 or 25 hours where the clocks change; one that a country skipped has none and is not there.
    """
    day = start.astimezone(zone).date()
    begin = start
    while begin < end:
        day_end = min(midnight(day + DAY, zone), end)
        if day_end > begin:
            yield Stretch(begin, day_end, day)
            begin = day_end
        day += DAY


def cut(stretches: Iterator[Stretch] | tuple[Stretch, ...]) -> Cut:
    """Every stretch in whole UTC days, whole UTC hours and the rest, so that no moment is lost or there twice."""
    days: list[Stretch] = []
    hours: list[Stretch] = []
    edges: list[Stretch] = []
    for stretch in stretches:
        before, whole_hours, after = _split(stretch, HOUR)
        edges += before, after
        if whole_hours is not None:
            before, whole_days, after = _split(whole_hours, DAY)
            hours += before, after
            if whole_days is not None:
                days.append(whole_days)
    return Cut(_lasting(days), _lasting(hours), _lasting(edges))


def _split(stretch: Stretch, unit: timedelta) -> tuple[Stretch, Stretch | None, Stretch]:
    """What is before, within and after the whole units of a stretch."""
    first = _EPOCH - (_EPOCH - stretch.start) // unit * unit  # rounded up
    last = _EPOCH + (stretch.end - _EPOCH) // unit * unit
    if first >= last:
        return stretch, None, Stretch(stretch.end, stretch.end, stretch.day)
    return (
        Stretch(stretch.start, first, stretch.day),
        Stretch(first, last, stretch.day),
        Stretch(last, stretch.end, stretch.day),
    )


def _lasting(stretches: list[Stretch]) -> tuple[Stretch, ...]:
    return tuple(stretch for stretch in stretches if stretch.end > stretch.start)
