"""The limits that providers refuse by: what each counts, and how long it rests what it concerns."""

from enum import StrEnum
from typing import Final

import msgspec


class LimitClass(StrEnum):
    """What a refusal by a limit is about."""

    MINUTE = "minute"  # requests or tokens in seconds, minutes or an hour
    DAY = "day"  # the same in hours to a month: only its reset cures it
    CREDIT = "credit"  # prepaid money, or what was given once, is spent
    ACCOUNT = "account"  # counted over all that an organization does, whatever the key's own share
    ADDRESS = "address"  # by where the calls come from: every key meets it
    POOL = "pool"  # capacity that everybody shares, of one model: every key meets it
    CONCURRENCY = "concurrency"  # requests at a time
    SPEND_RATE = "spend_rate"  # money in minutes
    SPEND_CAP = "spend_cap"  # money in a month, as somebody set it
    MODEL_GONE = "model_gone"  # the model has no quota here at all


UNSTATED_WAIT_SECONDS: Final[dict[LimitClass, float]] = {
    LimitClass.CONCURRENCY: 2.0,
    LimitClass.POOL: 15.0,
    LimitClass.SPEND_RATE: 600.0,
}
"""The first wait of a refusal that names none, where it is not the usual one: slots come back within seconds, what is
counted over ten minutes does not."""

MODEL_GONE_SECONDS: Final = 86_400.0

_WINDOWS: Final[dict[str, frozenset[str]]] = {
    "second": frozenset({"second"}),
    "minute": frozenset({"minute"}),
    "hour": frozenset({"hour"}),
    "5h": frozenset({"5h"}),
    "day": frozenset({"day"}),
    "week": frozenset({"7d"}),
    "month": frozenset({"month"}),
}
_OF_CLASS: Final[dict[LimitClass, frozenset[str]]] = {
    LimitClass.MINUTE: frozenset({"second", "minute", "hour"}),
    LimitClass.DAY: frozenset({"5h", "day", "7d", "month"}),
    LimitClass.CREDIT: frozenset({"once"}),
}


class LimitFact(msgspec.Struct, frozen=True):
    """What a refusal says of its limit. What it does not say is empty, or None."""

    cause: LimitClass
    dimension: str = ""  # requests, tokens, input_tokens, output_tokens, usd
    window: str = ""  # second, minute, hour, 5h, day, week, month
    amount: int | None = None

    def is_of(self, dimension: str, window: str) -> bool:
        """Whether it speaks of a quota of this dimension and window."""
        if window not in (_WINDOWS.get(self.window) or _OF_CLASS.get(self.cause, frozenset())):
            return False
        if self.cause is LimitClass.CREDIT:
            return True
        return self.dimension in {"", dimension}
