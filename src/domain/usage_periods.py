"""Stretches of time that usage is summed over: days as a timezone has them, cut where the roll-ups are (R-20)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST = timedelta(microseconds=1)


class Stretch(msgspec.Struct, frozen=True):
    """From `start` up to, and without, `end`; both UTC. `day` is the local day it counts for, or the moment at which
    the local hour begins that it counts for; None for neither.

    With a `sign` of -1 it is taken away from that day: another stretch of the day has it in excess.
    """

    start: datetime
    end: datetime
    day: date | datetime | None = None
    sign: int = 1


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


def local_hours(start: datetime, end: datetime, zone: tzinfo) -> Iterator[Stretch]:
    """The same by hours as the zone's clocks show them, each with the moment at which it begins.

    Where clocks go back, an hour that is shown twice is two; where they jump by half of one, so much is an hour.
    """
    begin = start
    while begin < end:
        local = begin.astimezone(zone)
        passed = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        hour_end = min(begin - passed + HOUR, end)
        yield Stretch(begin, hour_end, begin - passed)
        begin = hour_end


def cut(stretches: Iterable[Stretch], *, nearest_days: bool = False) -> Cut:
    """Every stretch in whole UTC days, whole UTC hours and the rest, so that no moment is lost or counts twice.

    Hours are the nearest ones, and what they have in excess is taken away again, so that two local days on both sides
    of a midnight need the same part of the hour it lies in. With `nearest_days` the same goes for days: more rows of
    days and far fewer of hours.
    """
    days: list[Stretch] = []
    hours: list[Stretch] = []
    edges: list[Stretch] = []
    for stretch in stretches:
        whole_hours, rest = _split(stretch, HOUR, nearest=True)
        edges += rest
        if whole_hours is not None:
            whole_days, rest = _split(whole_hours, DAY, nearest=nearest_days)
            hours += rest
            if whole_days is not None:
                days.append(whole_days)
    return Cut(tuple(days), tuple(hours), tuple(edges))


def _split(stretch: Stretch, unit: timedelta, *, nearest: bool) -> tuple[Stretch | None, list[Stretch]]:
    """The whole units of a stretch, and what else counts. None where there are none, or rounding is no gain."""
    to_first, to_last = (unit / 2, unit / 2) if nearest else (unit - _LEAST, timedelta(0))
    first = _EPOCH + (stretch.start - _EPOCH + to_first) // unit * unit
    last = _EPOCH + (stretch.end - _EPOCH + to_last) // unit * unit
    around = abs(first - stretch.start) + abs(stretch.end - last)
    if first >= last or around > stretch.end - stretch.start:
        return None, _lasting(stretch)
    before, behind = _from_to(stretch.start, first, stretch.day), _from_to(last, stretch.end, stretch.day)
    return Stretch(first, last, stretch.day), [*_lasting(before), *_lasting(behind)]


def _from_to(start: datetime, end: datetime, day: date | datetime | None) -> Stretch:
    """Taken away where it goes backwards."""
    return Stretch(start, end, day) if start <= end else Stretch(end, start, day, sign=-1)


def _lasting(stretch: Stretch) -> list[Stretch]:
    return [stretch] if stretch.end > stretch.start else []
