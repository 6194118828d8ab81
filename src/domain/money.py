"""Money: integer nano-USD inside, decimal strings in USD outside, never a float."""

from decimal import Decimal, InvalidOperation

NANO_PER_USD = 1_000_000_000
_NANO_PER_CENT = 10_000_000
MAX_USD_PER_MILLION_TOKENS = Decimal(1_000_000)


def usd(nano_usd: int) -> str:
    """`0.000123456`: plain notation, at least two decimals, no trailing zeros beyond them."""
    if nano_usd < 0:
        return "-" + usd(-nano_usd)
    whole, rest = divmod(nano_usd, NANO_PER_USD)
    if rest % _NANO_PER_CENT:
        return f"{whole}.{rest:09d}".rstrip("0")
    return f"{whole}.{rest // _NANO_PER_CENT:02d}"


def nano_usd_per_million(price: str) -> int:
    """A price in USD per million tokens, as written, in nano-USD per million tokens.

    Raises `ValueError` for what is no number, negative, absurdly large, or finer than a nano-USD.
    """
    try:
        value = Decimal(price)
    except InvalidOperation as error:
        raise ValueError(f"'{price}' is not a decimal number") from error
    if not value.is_finite() or value < 0 or value > MAX_USD_PER_MILLION_TOKENS:
        raise ValueError(f"'{price}' is not a price between 0 and {MAX_USD_PER_MILLION_TOKENS} USD per million tokens")
    scaled = value * NANO_PER_USD
    if scaled != scaled.to_integral_value():
        raise ValueError(f"'{price}' has more than nine decimals")
    return int(scaled)
