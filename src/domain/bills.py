"""A provider's bill as its export tells it, and the account of how it parts from the ledger."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

FEMTO_PER_USD: Final = 10**15
"""Money of bills is kept in millionths of a nano-USD: what a token costs is a whole number of them."""

INPUT: Final = "input"
CACHE_READ: Final = "cache_read"
CACHE_WRITE: Final = "cache_write"
OUTPUT: Final = "output"

BILLED_METERS: Final = (INPUT, CACHE_READ, CACHE_WRITE, OUTPUT)
"""What providers tell apart on bills. `input` is without what was read from or written to the cache."""


class BillLine(msgspec.Struct, frozen=True):
    """What the export says of a model (None: it names none) on a day, or of a part of that.

    `meter` is what the cost is for: one of `BILLED_METERS`, the provider's word for something else, empty for all.
    `tokens` are by meter; a meter that is not there is not told. A cost or a count of None is not told either.
    """

    day: date
    model: str | None = None
    cost_femto_usd: int | None = None
    meter: str = ""
    tokens: Mapping[str, int] = {}
    requests: int | None = None


class Bill(msgspec.Struct, frozen=True):
    """An export: its lines, the days it covers, and half of the smallest amount that it tells."""

    lines: tuple[BillLine, ...]
    first: date
    last: date
    half_step_femto_usd: int = 0
    notes: tuple[str, ...] = ()


class Reason(StrEnum):
    """Why a bill and the ledger part."""

    MISSING_IN_OURS = "missing_in_ours"  # calls that the provider bills and the ledger does not have
    MISSING_IN_THEIRS = "missing_in_theirs"
    DAY_BOUNDARY = "day_boundary"  # the day before or after has the same, the other way round
    CACHED_TOKENS = "cached_tokens"  # as many tokens, of which another share came from the cache
    TOKEN_COUNTS = "token_counts"  # noqa: S105  # tokens of a model
    ESTIMATED = "estimated"  # the gateway counted where the provider's answer did not say
    PRICE = "price"
    UNPRICED = "unpriced"  # the ledger has the calls and no price for them
    FEES = "fees"  # what is not sold by the token
    ROUNDING = "rounding"
    UNEXPLAINED = "unexplained"


class Difference(msgspec.Struct, frozen=True):
    """A part of what the bill is above the ledger (below where it is negative), and why, in words."""

    reason: Reason
    amount_femto_usd: int
    meter: str = ""
    detail: str = ""


class MeterPair(msgspec.Struct, frozen=True):
    """One meter on both sides. None: that side does not tell."""

    meter: str
    our_tokens: int | None
    their_tokens: int | None
    our_cost_femto_usd: int | None
    their_cost_femto_usd: int | None


class Compared(msgspec.Struct, frozen=True):
    """One model on one day. The differences add up to theirs less ours; where no cost is told, to what the tokens
    that differ cost by our prices.
    """

    day: date
    model: str
    our_cost_femto_usd: int
    their_cost_femto_usd: int | None
    our_requests: int
    their_requests: int | None
    meters: Sequence[MeterPair]
    differences: Sequence[Difference]

    @property
    def difference_femto_usd(self) -> int:
        return sum(each.amount_femto_usd for each in self.differences)
