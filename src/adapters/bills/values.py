"""Amounts, counts and days as exports write them."""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from domain.bills import FEMTO_PER_USD

_MILLISECONDS_FROM = 100_000_000_000
"""Seconds since 1970 that are more than this are milliseconds."""

_MOST_HALF_STEP = FEMTO_PER_USD // 200
"""Half a cent: who writes 0.5 does not round to ten cents."""


def amount_of(value: object) -> Decimal | None:
    """USD as a number, or as text with `$`, commas or blanks in it; None for nothing. Raises `ValueError`.

    OpenAI writes text of up to 39 decimals, and zero as `0E-6176`.
    """
    if value is None or isinstance(value, bool):
        return None
    text = str(value).replace("$", "").replace("USD", "").replace(",", "").strip()
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"'{text[:64]}' is no amount") from error
    if not amount.is_finite():
        raise ValueError(f"'{text[:64]}' is no amount")
    return amount


def femto_usd(amount: Decimal) -> int:
    """In millionths of a nano-USD."""
    return int((amount * FEMTO_PER_USD).to_integral_value(ROUND_HALF_EVEN))


def half_step(amounts: list[Decimal]) -> int:
    """Half of the smallest amount that the finest of these tells, in femto-USD."""
    exponents = [exponent for each in amounts if each and isinstance(exponent := each.as_tuple().exponent, int)]
    if not exponents:
        return 0
    return min(femto_usd(Decimal(1).scaleb(min(exponents))) // 2, _MOST_HALF_STEP)


def count_of(value: object) -> int | None:
    """A whole number however it is written (`30.0`, `1,024`); None for nothing. Raises `ValueError`."""
    amount = amount_of(value)
    return None if amount is None else int(amount.to_integral_value(ROUND_HALF_EVEN))


def day_of(value: object, zone: ZoneInfo) -> date:
    """The day in `zone` of a date, of seconds or milliseconds since 1970, or of a moment, which is of UTC where it
    has no offset. Raises `ValueError`.
    """
    text = str(value).strip()
    if text.replace(".", "", 1).isdigit() and len(text) > len("20261121"):
        seconds = float(text)
        return datetime.fromtimestamp(seconds / 1000 if seconds > _MILLISECONDS_FROM else seconds, zone).date()
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError as error:
        raise ValueError(f"'{text[:64]}' is no day such as 2026-11-21") from error
    if moment.tzinfo is None:
        if not (moment.hour or moment.minute or moment.second or moment.microsecond):
            return moment.date()
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(zone).date()
