"""The order in which the targets of a route are asked."""

import random
from collections.abc import Callable, Sequence
from typing import Final

from domain.ports.models import Measurements
from domain.ports.prices import PriceBook
from domain.ports.runtime import Clock
from domain.prices import Prices, Rates
from domain.routes import Strategy
from domain.routing import Candidate

USUAL_OUTPUT_TOKENS: Final = 500
"""Of an answer, for comparing prices, where the request does not ask for fewer; and for comparing speeds."""

TRIED_SHARE: Final = 0.1
"""How often `least_latency` asks one that was not measured, or not lately the quickest: figures get old."""

KEPT_SECONDS: Final = 0.25
"""How long an order by measured figures, and prices that were looked up, are good for."""

_FAR: Final = 1e300


class Ordering:
    """The order of one route's targets by its strategy, and whose turn it is. `places` are those that may be asked."""

    def __init__(
        self,
        strategy: Strategy,
        candidates: Sequence[Candidate],
        measurements: Measurements,
        prices: PriceBook,
        clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._strategy = strategy
        self._weighted = Weighted([candidate.weight for candidate in candidates])
        self._quickest = LeastLatency(candidates, measurements, clock, chance)
        self._cheapest = LowestCost(candidates, prices, clock)

    def order(
        self, places: Sequence[int], input_tokens: Callable[[], int], output_limit: int | None = None
    ) -> Sequence[int]:
        if len(places) < 2:
            return places
        if self._strategy == "weighted":
            return self._weighted.order(places)
        if self._strategy == "least_latency":
            return self._quickest.order(places)
        if self._strategy == "lowest_cost":
            output = USUAL_OUTPUT_TOKENS if output_limit is None else min(output_limit, USUAL_OUTPUT_TOKENS)
            return self._cheapest.order(places, input_tokens(), output)
        return places


class Weighted:
    """Smooth weighted round-robin over the places of one route's targets, or some of them."""

    def __init__(self, weights: Sequence[float]) -> None:
        self._weights = weights
        self._credit = [0.0] * len(weights)
        self._by_weight = sorted(range(len(weights)), key=lambda place: -weights[place])

    def order(self, places: Sequence[int]) -> list[int]:
        """Whose turn it is, then the others by weight. A weight of 0 has no turn."""
        weights, credit = self._weights, self._credit
        total, best, most = 0.0, -1, -_FAR
        for place in places:
            share = weights[place]
            if share:
                total += share
                owed = credit[place] + share
                credit[place] = owed
                if owed > most:
                    best, most = place, owed
        if best >= 0:
            credit[best] -= total
        whole = len(places) == len(weights)
        order = self._by_weight.copy() if whole else sorted(places, key=lambda each: -weights[each])
        if best >= 0:
            order.remove(best)
            order.insert(0, best)
        return order


class LeastLatency:
    """By how soon an answer of some hundred tokens was there, of late. Of ten requests one goes elsewhere first: to one
    that was never measured, else to any, so that who was slow once is not slow for ever."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        measurements: Measurements,
        clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._candidates = candidates
        self._measurements = measurements
        self._clock = clock
        self._chance = chance
        self._expected: list[float] = []
        self._order: list[int] = []  # the measured ones first
        self._measured = 0
        self._good_until = -_FAR

    def order(self, places: Sequence[int]) -> list[int]:
        now = self._clock.monotonic()
        if now >= self._good_until:
            self._expected = [self._answer_ms(candidate) for candidate in self._candidates]
            self._order = sorted(range(len(self._expected)), key=self._expected.__getitem__)
            self._measured = len(self._expected) - self._expected.count(_FAR)
            self._good_until = now + KEPT_SECONDS
        expected = self._expected
        if len(places) == len(expected):
            order, measured = self._order.copy(), self._measured
        else:
            order = sorted(places, key=expected.__getitem__)
            measured = sum([expected[place] != _FAR for place in order])
        if len(order) > 1 and (self._chance() < TRIED_SHARE or not measured):
            first = measured if measured < len(order) else 1  # of those that may be tried
            count = len(order) - first
            order.insert(0, order.pop(first + int(self._chance() * count) % count))
        return order

    def _answer_ms(self, candidate: Candidate) -> float:
        speed = self._measurements.recent(candidate.provider.id, candidate.model)
        if speed.ttft_ms is not None and speed.tokens_per_second:
            return speed.ttft_ms + USUAL_OUTPUT_TOKENS * 1000 / speed.tokens_per_second
        known = speed.latency_ms if speed.latency_ms is not None else speed.ttft_ms
        return known if known is not None else _FAR


class _Alike:
    """Targets of one price. `prices` are given where they depend on the prompt's length."""

    __slots__ = ("input", "output", "places", "prices")

    def __init__(self, prices: Prices | None) -> None:
        self.input, self.output = _rates(prices)
        self.prices = prices if prices is not None and prices.tiers else None
        self.places: list[int] = []

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        if self.prices is not None:
            input_, output = _rates(self.prices.for_call(input_tokens))
            return input_tokens * input_ + output_tokens * output
        return input_tokens * self.input + output_tokens * self.output


class LowestCost:
    """By the price of this request's tokens, at the tier that it would reach; what has no price comes last. Of many
    targets few have a price of their own: those of one price are compared once."""

    def __init__(self, candidates: Sequence[Candidate], prices: PriceBook, clock: Clock) -> None:
        self._candidates = candidates
        self._prices = prices
        self._clock = clock
        self._alike: list[_Alike] = []
        self._good_until = -_FAR

    def order(self, places: Sequence[int], input_tokens: int, output_tokens: int) -> list[int]:
        now = self._clock.monotonic()
        if now >= self._good_until:
            self._alike = self._looked_up()
            self._good_until = now + KEPT_SECONDS
        ordered = sorted(self._alike, key=lambda each: each.cost(input_tokens, output_tokens))
        order: list[int] = []
        for each in ordered:
            order += each.places
        if len(places) == len(order):
            return order
        wanted = frozenset(places)
        return [place for place in order if place in wanted]

    def _looked_up(self) -> list[_Alike]:
        found: list[_Alike] = []
        by_rates: dict[tuple[float, float], _Alike] = {}
        for place, candidate in enumerate(self._candidates):
            row = self._prices.look_up(candidate.provider.id, candidate.model)
            alike = _Alike(row.prices if row is not None else None)
            if alike.prices is None:
                alike = by_rates.setdefault((alike.input, alike.output), alike)
            if not alike.places:
                found.append(alike)
            alike.places.append(place)
        return found


def _rates(rates: Rates | None) -> tuple[float, float]:
    """Of tokens in and out; what has no price is dearer than everything."""
    if rates is None or (rates.input is None and rates.output is None):
        return _FAR, _FAR
    return rates.input or 0, rates.output or 0
