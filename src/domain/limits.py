"""Limits and budgets as whoever sets them writes them. What is left of one is not here."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.money import NANO_PER_USD

Count = Annotated[int, Meta(ge=0, le=10**15)]
Period = Literal["day", "week", "month", "rolling_5h", "rolling_7d", "rolling_30d", "never"]

MAX_BUDGET_USD = Decimal(10**9)


class RateLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much in how long: requests and tokens by minute and day, tokens in and out by minute, requests at once.

    None is no limit of that kind here, 0 allows none.
    """

    rpm: Count | None = None
    rpd: Count | None = None
    tpm: Count | None = None
    tpd: Count | None = None
    itpm: Count | None = None
    otpm: Count | None = None
    parallel: Count | None = None


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be spent in a period, and what happens where it is not enough.

    `limit_usd` is exact to a nano-USD. `timezone` (IANA) says when calendar periods begin, `warn_at` has shares of the
    limit, `models` the patterns of models that count (None: all), `downgrade_to` what serves instead on `downgrade`.
    """

    limit_usd: Decimal
    period: Period = "month"
    timezone: Annotated[str, Meta(min_length=1, max_length=64)] = "UTC"
    warn_at: Annotated[tuple[Annotated[float, Meta(gt=0, le=1)], ...], Meta(max_length=10)] = (0.8,)
    on_exceeded: Literal["block", "warn", "downgrade", "shadow"] = "block"
    downgrade_to: Annotated[str, Meta(min_length=1, max_length=512)] | None = None
    hold: Literal["elastic", "worst_case"] = "elastic"
    unpriced: Literal["deny", "allow"] = "deny"
    models: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=512)], ...], Meta(max_length=1000)] | None = (
        None
    )

    def __post_init__(self) -> None:
        """Raises `ValueError` for an amount that is none, and for a downgrade to nowhere."""
        amount = self.limit_usd
        if not amount.is_finite() or not 0 <= amount <= MAX_BUDGET_USD:
            raise ValueError(f"limit_usd is an amount from 0 to {MAX_BUDGET_USD} USD")
        if amount * NANO_PER_USD != (amount * NANO_PER_USD).to_integral_value():
            raise ValueError("limit_usd has at most nine decimals")
        if (self.on_exceeded == "downgrade") != (self.downgrade_to is not None):
            raise ValueError("downgrade_to goes with on_exceeded: downgrade, and that needs it")


Budgets = Annotated[tuple[Budget, ...], Meta(max_length=20)]
