"""Reads rate-limit headers and every way providers write the time until a limit is lifted.

Source: the 33 providers' headers of November 2026; durations as Go's `time.ParseDuration` writes them.
"""

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.wire.limit_headers import HeaderTable, LimitHeader
from domain.availability import RateLimitWindow

RawHeaders = Iterable[tuple[bytes, bytes]]

MAX_WAIT_SECONDS: Final = 32 * 86_400.0
"""Longer than any real window; whatever a provider says beyond it is a mistake."""

_UNIT_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|us|µs|μs|ns|h|m|s)")
_EPOCH_SECONDS_FROM: Final = 1e9
_EPOCH_MILLISECONDS_FROM: Final = 1e11
_WINTER_OFFSET_HOURS: Final = {"America/Los_Angeles": -8, "Asia/Shanghai": 8}
_WINDOW_SECONDS: Final = {"second": 1.0, "10-second": 10.0, "minute": 60.0}


def reset_seconds(value: str, now: float) -> float | None:
    """Seconds from `now` (Unix time) until the moment `value` names; None where it cannot be read.

    The formats tell themselves apart: durations have units, dates have a month, and no wait in seconds is
    as large as the time since 1970, in seconds or in milliseconds.
    """
    value = value.strip()
    number = _number(value)
    if number is None:
        moment = _moment(value)
        seconds = duration_seconds(value) if moment is None else moment - now
        return None if seconds is None else _bounded(seconds)
    if number > _EPOCH_MILLISECONDS_FROM:
        return _bounded(number / 1000 - now)
    return _bounded(number - now if number > _EPOCH_SECONDS_FROM else number)


def duration_seconds(value: str) -> float | None:
    """`1h2m3.5s`, `12ms`, `46s` as Go writes them; None for anything else."""
    total, end = 0.0, 0
    for part in _PART.finditer(value):
        if part.start() != end:
            return None
        total += float(part[1]) * _UNIT_SECONDS[part[2]]
        end = part.end()
    return total if end and end == len(value) else None


def read_limits(
    headers: RawHeaders, table: HeaderTable, now: float, *, by_model: bool = False
) -> tuple[RateLimitWindow, ...]:
    """The budgets an answer reports, in the order of the headers. `now` is Unix time.

    Where a provider sends no reset for a window of a minute or less, the window's length stands in.
    """
    if not table:
        return ()
    seen: dict[str, dict[str, tuple[LimitHeader, str]]] = {}
    for name, value in headers:
        rule = table.get(name.decode("latin-1").lower())
        if rule is not None:
            seen.setdefault(rule.bucket, {})[rule.field] = (rule, value.decode("latin-1"))
    return tuple(window for fields in seen.values() if (window := _window(fields, now, by_model)) is not None)


def exhausted_seconds(windows: Iterable[RateLimitWindow]) -> float | None:
    """How long until every spent window is back, None where none is spent."""
    waits = [window.reset_seconds for window in windows if window.remaining == 0 and window.reset_seconds is not None]
    return max(waits) if waits else None


def seconds_to_next(period: str, now: float, zone: str = "UTC") -> float | None:
    """Until the next day, week (Monday) or month begins in `zone`; None for another period."""
    moment = datetime.fromtimestamp(now, zone_of(zone))
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        following = midnight + timedelta(days=1)
    elif period == "week":
        following = midnight + timedelta(days=7 - moment.weekday())
    elif period == "month":
        following = midnight.replace(day=1, month=moment.month % 12 + 1, year=moment.year + moment.month // 12)
    else:
        return None
    return following.timestamp() - now


def zone_of(name: str) -> tzinfo:
    """The zone; without the system's zone files, its winter offset."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return timezone(timedelta(hours=_WINTER_OFFSET_HOURS.get(name, 0)))


def _window(fields: dict[str, tuple[LimitHeader, str]], now: float, by_model: bool) -> RateLimitWindow | None:
    rule = next(iter(fields.values()))[0]
    limit, remaining = (_whole(fields[name][1]) if name in fields else None for name in ("limit", "remaining"))
    reset = None
    if "reset" in fields and not fields["reset"][1].strip().startswith("-"):  # Azure: it does not know
        reset = reset_seconds(fields["reset"][1], now)
    if limit is None and remaining is None and reset is None:
        return None
    if reset is None:
        reset = _WINDOW_SECONDS.get(rule.window)
    of_model = by_model and rule.window != "month"  # what is counted by the month is the account's
    return RateLimitWindow(rule.dimension, rule.window, limit, remaining, reset, of_model)


def _moment(value: str) -> float | None:
    """Unix time of an HTTP date or an RFC 3339 stamp."""
    try:
        if value[:1].isalpha():
            moment = parsedate_to_datetime(value)
        elif "-" in value:
            moment = datetime.fromisoformat(value)
        else:
            return None
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _whole(value: str) -> int | None:
    number = _number(value.strip())
    return int(number) if number is not None and number >= 0 else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_WAIT_SECONDS)
