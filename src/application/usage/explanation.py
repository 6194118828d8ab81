"""Why a sum of costs is what it is: model × meter × quantity × price, and what else there is, to the last digit."""

from collections.abc import Iterator

import msgspec

from application.usage.asking import UsageAsked, query_of
from domain.ports.repositories import Store
from domain.ports.runtime import Clock
from domain.ports.usage import UsageReader
from domain.prices import PriceRow, metered
from domain.usage_queries import PricedCalls, UsageSums

FEMTO_PER_NANO = 1_000_000

REPORTED = "reported"
"""The meter of what providers say they charged."""

OTHER = "other"
"""That of what a flat price by the token does not tell: tiers, variants, fees, what is sold by the piece."""

ROUNDING = "rounding"
"""That of each call's cost being a whole number of nano-USD."""

MAX_ROWS = 10_000


class CostPart(msgspec.Struct, frozen=True):
    """One line. `price` is None where it has none of its own; `nano_usd_per_million` is of its meter.

    `cost_femto_usd` is in millionths of a nano-USD, so that tokens times price is a whole number.
    """

    provider: str
    model: str
    meter: str
    quantity: int
    cost_femto_usd: int
    price: PriceRow | None = None
    nano_usd_per_million: int | None = None


class Explanation(msgspec.Struct, frozen=True):
    """The lines, which add up to the cost in `total`."""

    parts: tuple[CostPart, ...]
    total: UsageSums


class CostExplanation:
    """Takes the cost of any usage apart. Raises `RequestInvalid` and `StoreUnavailable`."""

    def __init__(self, reader: UsageReader, store: Store, clock: Clock) -> None:
        self._reader = reader
        self._store = store
        self._clock = clock

    async def explain(self, asked: UsageAsked) -> Explanation:
        """What is grouped by is of no interest here. Each call is read, so that a long time takes longer."""
        query = msgspec.structs.replace(query_of(asked, self._clock.now()), group_by=())
        calls = await self._reader.priced(query, MAX_ROWS)
        rows = await self._reader.sums(query, 1)
        prices: dict[str, PriceRow | None] = {}
        async with self._store.read() as unit:
            for price_id in sorted({each.price_id for each in calls} - {""}):
                prices[price_id] = await unit.prices.get(price_id)
        ordered = sorted(calls, key=lambda each: (each.provider, each.model, each.price_id, each.reported))
        parts = tuple(part for each in ordered for part in cost_parts(each, prices.get(each.price_id)))
        return Explanation(parts, rows[0].sums if rows else UsageSums())


def cost_parts(calls: PricedCalls, price: PriceRow | None) -> Iterator[CostPart]:
    """The lines of calls that were booked alike; their costs add up to the calls'."""
    place, cost = (calls.provider, calls.model), calls.cost_nano_usd * FEMTO_PER_NANO
    if calls.reported or price is None:
        yield CostPart(*place, REPORTED if calls.reported else OTHER, calls.calls, cost)
        return
    rest = cost
    for meter, tokens, rate in metered(calls.usage, price.prices):
        rest -= tokens * rate
        yield CostPart(*place, meter, tokens, tokens * rate, price, rate)
    if rest:
        by_rounding = 2 * abs(rest) <= calls.calls * FEMTO_PER_NANO
        yield CostPart(*place, ROUNDING if by_rounding else OTHER, calls.calls, rest)
