"""How long a refusal says to wait, wherever it says so: headers, fields of the body, or words.

Where several sources name a wait the longest holds: `retry-after: 0` beside "try again in 7m12s" is 432 s, and coming
back too early costs a call while coming back late costs only the choice of another key. Source: public error bodies
(read 2026-11).
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from typing import Final

from adapters.wire.error_body import ErrorFacts
from adapters.wire.rate_limits import MAX_WAIT_SECONDS, RawHeaders, reset_seconds, zone_of

_UNITS: Final[dict[str, float]] = {
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "秒"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "分钟", "分"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "小时"), 3600.0),
    **dict.fromkeys(("d", "day", "days", "天"), 86_400.0),
    **dict.fromkeys(("w", "week", "weeks", "周"), 604_800.0),
}
_UNIT: Final = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_PART: Final = re.compile(rf"(\d+(?:[.,]\d+)?|\.\d+|\ban?\b)\s*-?({_UNIT})(?![a-z])", re.IGNORECASE)
_JOIN: Final = re.compile(r"(?:\s|,|\band\b)*", re.IGNORECASE)

_BEFORE: Final = re.compile(
    r"(?:\btry\w*|\bretr\w+|\bagain|\bwait\w*|\bavailable|\breset\w*|\bback\b|\brefresh\w*|\brenew\w*|\bcool\s?down"
    r"|\bresume\w*|\brestor\w+|\bexpire\w*|重试|等待|后再|恢复|将在)[^.;!?\n\d]{0,48}$",
    re.IGNORECASE,
)
_AFTER: Final = re.compile(r"^[^.;!?\n\d]{0,16}(?:before\b|until\b|后|之后)", re.IGNORECASE)
_BARE: Final = re.compile(
    r"(?:retry|again|wait|reset\w*)[\s_-]*(?:in|after|for)?\s*[:=]?\s*(\d+(?:\.\d+)?)(?=\s*(?:[.,;)\]\"'}]?\s*$|[.,;)\]\"'}]\s))",
    re.IGNORECASE,
)
_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:\s*[T ]\s*|\s+at\s+)(\d\d?:\d\d(?::\d\d(?:\.\d+)?)?)\s*(Z\b|UTC|GMT|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
_LONGEST_WORD_SECONDS: Final = MAX_WAIT_SECONDS


def stated_wait(headers: RawHeaders, facts: ErrorFacts, now: float, zone: str = "UTC") -> float | None:
    """The longest wait the answer names, in seconds from `now` (Unix time); None where it names none.

    `zone` is the provider's own: it holds for moments that are written without one.
    """
    named = [*_header_waits((*facts.headers, *headers), now), *_field_waits(facts, now, zone)]
    named.extend(worded_waits(facts.says, now, zone_of(zone)))
    return max(named) if named else None


def windows_wait(headers: RawHeaders, now: float) -> float | None:
    """By any `…ratelimit…reset…` header, known by name or not, whose `remaining` is not above zero."""
    by_name = {name.lower(): value.decode("latin-1").strip() for name, value in headers}
    waits = []
    for name, value in by_name.items():
        if b"ratelimit" not in name.replace(b"rate-limit", b"ratelimit") or b"reset" not in name:
            continue
        left = by_name.get(name.replace(b"reset", b"remaining"), "0")
        if value.startswith("-") or not _is_zero(left):
            continue
        seconds = reset_seconds(value, now)
        if seconds is not None and seconds > 0:
            waits.append(seconds)
    return max(waits) if waits else None


def worded_waits(text: str, now: float, zone: tzinfo) -> Iterator[float]:
    """Every wait that is named in words, with any spacing and unit, or as a moment."""
    for start, end, seconds in _durations(text):
        if _BEFORE.search(text[max(start - 64, 0) : start]) or _AFTER.search(text[end : end + 24]):
            yield min(seconds, _LONGEST_WORD_SECONDS)
    for bare in _BARE.finditer(text):
        seconds_from_now = reset_seconds(bare[1], now)
        if seconds_from_now is not None:
            yield seconds_from_now
    for found in _MOMENT.finditer(text):
        if _BEFORE.search(text[max(found.start() - 64, 0) : found.start()]) or "regain" in text[: found.start()]:
            seconds_to = _moment_seconds(found, now, zone)
            if seconds_to is not None:
                yield seconds_to


def _durations(text: str) -> Iterator[tuple[int, int, float]]:
    """`7 m 12.5 s`, `1 hour and 5 minutes`, `6ms`: begin, end and seconds of each run of parts."""
    at = 0
    while (part := _PART.search(text, at)) is not None:
        begin, seconds = part.start(), 0.0
        while part is not None:
            number = part[1].lower()
            seconds += (1.0 if number.startswith("a") else float(number.replace(",", "."))) * _UNITS[part[2].lower()]
            at = part.end()
            joined = _JOIN.match(text, at)
            part = _PART.match(text, joined.end() if joined else at)
        yield begin, at, seconds


def _header_waits(headers: Iterable[tuple[bytes, bytes]], now: float) -> Iterator[float]:
    by_name = {name.lower(): value.decode("latin-1").strip() for name, value in headers}
    milliseconds = by_name.get(b"retry-after-ms", "")
    if milliseconds.replace(".", "", 1).isdigit():
        yield float(milliseconds) / 1000  # the same as `retry-after`, which is rounded
        return
    seconds = _any_seconds(by_name.get(b"retry-after", ""), now)
    if seconds is not None:
        yield seconds


def _field_waits(facts: ErrorFacts, now: float, zone: str) -> Iterator[float]:
    for name, value in facts.found.waits:
        if name.endswith("ms"):
            seconds = reset_seconds(value, now)
            seconds = None if seconds is None else seconds / 1000
        else:
            seconds = _any_seconds(value, now)
        if seconds is None and (found := _MOMENT.search(value)) is not None:
            seconds = _moment_seconds(found, now, zone_of(zone))
        if seconds is not None:
            yield seconds


def _any_seconds(value: str, now: float) -> float | None:
    """As headers write it, else in words: `retry-after: 30 seconds`."""
    seconds = reset_seconds(value, now)
    if seconds is None:
        runs = [found for _, _, found in _durations(value)]
        seconds = min(runs[0], MAX_WAIT_SECONDS) if runs else None
    return seconds


def _moment_seconds(found: re.Match[str], now: float, zone: tzinfo) -> float | None:
    offset = (found[3] or "").upper().replace("UTC", "+00:00").replace("GMT", "+00:00").replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2].zfill(5)}{offset}")
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return min(max(moment.timestamp() - now, 0.0), MAX_WAIT_SECONDS)


def _is_zero(value: str) -> bool:
    try:
        return float(value) <= 0
    except ValueError:
        return True
