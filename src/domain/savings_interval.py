"""How surely savings are known, where a share of a route's requests was held out for its baseline (contract 11).

Which requests are held out is drawn, so what they cost on average is an honest estimate of what all would have cost
there, whatever tokens another model would have used. Of each route the savings are the difference of the two averages,
times the requests that were not held out; its variance is Welch's, of two samples that need not spread alike, and the
interval is Student's with the degrees of freedom of Welch and Satterthwaite. Routes are estimated apart and added up. A
route of which fewer than two requests were held out counts with the savings that are written on its requests, which
then have no interval of their own.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from domain.usage_queries import CostSpread

_Z: Final = 1.959963984540054
"""The normal distribution's 97.5 % point."""

_FEWEST: Final = 2


class _Part(NamedTuple):
    saved: float
    variance: float
    weight: float  # the sum by which degrees of freedom are reckoned


def interval_usd(spreads: Iterable[CostSpread]) -> tuple[float, float] | None:
    """Low and high; None where no route has a hold-out to speak of."""
    by_route: dict[str, dict[bool, CostSpread]] = {}
    for each in spreads:
        by_route.setdefault(each.route, {})[each.holdout] = each
    saved = variance = weight = 0.0
    known = False
    for groups in by_route.values():
        part = _part(groups.get(True), groups.get(False))
        if part is None:
            saved += sum(each.savings_usd for each in groups.values())
            continue
        known = True
        saved, variance, weight = saved + part.saved, variance + part.variance, weight + part.weight
    if not known:
        return None
    reach = _student(variance**2 / weight if weight > 0 else float("inf")) * variance**0.5
    return saved - reach, saved + reach


def _part(held: CostSpread | None, others: CostSpread | None) -> _Part | None:
    if held is None or others is None or min(held.requests, others.requests) < _FEWEST:
        return None
    times = others.requests
    saved = times * (held.cost_usd / held.requests - others.cost_usd / times)
    variances = [times**2 * _variance(each) / each.requests for each in (held, others)]
    weight = sum(each**2 / (group.requests - 1) for each, group in zip(variances, (held, others), strict=True))
    return _Part(saved, sum(variances), weight)


def _variance(each: CostSpread) -> float:
    mean = each.cost_usd / each.requests
    return max(0.0, (each.cost_squared - each.requests * mean**2) / (each.requests - 1))


def _student(freedom: float) -> float:
    """The 97.5 % point of Student's distribution, by its expansion around the normal one.

    Source: Abramowitz and Stegun, 26.7.5. Right within a thousandth from five degrees of freedom on.
    """
    n = max(1.0, freedom)
    z = _Z
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / n + second / n**2 + third / n**3
