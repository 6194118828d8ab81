"""Reads timezones, dates and moments as people write them, with complaints that say what would do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from domain.errors import RequestInvalid
from domain.usage_periods import midnight

FIRST_YEAR = 2000
LAST_YEAR = 2200
"""Outside of these years a date is a slip of the pen, and its arithmetic may overflow."""

_DATE_LENGTH = len("2026-11-21")


def timezone_of(name: str) -> ZoneInfo:
    """Raises `RequestInvalid` for what the IANA database does not have, with the nearest name that it has."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:  # unknown, a folder (`America`), a path that leads out
        raise RequestInvalid(
            f"There is no timezone '{name[:64]}'. Did you mean '{_nearest(name)}'?", param="timezone"
        ) from error


def moment_of(text: str, zone: ZoneInfo, param: str, *, end_of_day: bool = False) -> datetime:
    """A date is its midnight in `zone`, or the next one with `end_of_day`; a moment is itself. In UTC.

    Raises `RequestInvalid`: a time of day without an offset could be anyone's.
    """
    try:
        if len(text) <= _DATE_LENGTH:
            day = date.fromisoformat(text)
            _check_year(day.year)
            return midnight(day + timedelta(days=1) if end_of_day else day, zone)
        # `+` in an address is a blank to whoever decodes it.
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text.upper() else text)
        _check_year(moment.year)
    except ValueError as error:
        raise RequestInvalid(
            f"Invalid '{param}': '{text[:64]}' is no date such as 2026-11-21 and no time such as 2026-11-21T12:00:00Z"
            f" between {FIRST_YEAR} and {LAST_YEAR}.",
            param=param,
        ) from error
    if moment.tzinfo is None:
        raise RequestInvalid(
            f"Invalid '{param}': '{text[:64]}' needs an offset such as Z or +02:00; in an address, + is %2B.",
            param=param,
        )
    return moment.astimezone(UTC)


def _check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError("out of range")


def _nearest(name: str) -> str:
    """By spelling alone; an abbreviation or a city without its continent finds the zone that ends so."""
    wanted = name[:64].casefold().replace(" ", "_")
    zones = {zone.casefold(): zone for zone in sorted(available_timezones())}
    for folded, zone in zones.items():
        if wanted and folded.rpartition("/")[2] == wanted:
            return zone
    import difflib  # for complaints alone

    found = difflib.get_close_matches(wanted, zones, n=1, cutoff=0.0)
    return zones[found[0]] if found else "UTC"
