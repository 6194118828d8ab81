"""The interval of savings, against truths that are known (contract 11)."""

import random
from collections.abc import Sequence

import pytest

from domain.savings_interval import interval_usd
from domain.usage_queries import CostSpread


def spread(route: str, holdout: bool, costs: Sequence[float], saved: float = 0.0) -> CostSpread:
    return CostSpread(route, holdout, len(costs), sum(costs), sum(cost * cost for cost in costs), saved)


def test_the_truth_lies_within_in_about_nineteen_of_twenty_draws() -> None:
    """Costs are skewed, the baseline costs three times as much, and one request in ten is held out."""
    draw = random.Random(11)
    within, draws, mean = 0, 400, 2.718281828 ** (0.7**2 / 2)

    for _ in range(draws):
        groups: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(600):
            held = draw.random() < 0.1
            groups[held].append(draw.lognormvariate(0.0, 0.7) * (3.0 if held else 1.0))
        found = interval_usd([spread("fast", held, costs) for held, costs in groups.items()])
        assert found is not None
        truth = len(groups[False]) * (3.0 * mean - sum(groups[False]) / len(groups[False]))
        within += found[0] <= truth <= found[1]

    assert 0.91 <= within / draws <= 0.99


def test_routes_are_added_up_and_those_without_a_hold_out_count_as_written_down() -> None:
    spreads = [
        spread("a", True, [4.0, 4.0]),
        spread("a", False, [1.0, 1.0, 1.0]),
        spread("b", False, [1.0, 1.0], saved=5.0),
        spread("b", True, [9.0], saved=0.0),
    ]

    assert interval_usd(spreads) == pytest.approx((14.0, 14.0))


def test_savings_may_be_negative() -> None:
    found = interval_usd([spread("a", True, [1.0, 1.2, 0.8]), spread("a", False, [2.0, 2.1, 1.9])])

    assert found is not None
    assert found[1] < 0


def test_without_a_hold_out_there_is_no_interval() -> None:
    assert interval_usd([spread("a", False, [1.0, 2.0])]) is None
    assert interval_usd([]) is None


def test_few_that_are_held_out_make_it_wide() -> None:
    few = interval_usd([spread("a", True, [3.0, 5.0]), spread("a", False, [1.0, 2.0] * 50)])
    many = interval_usd([spread("a", True, [3.0, 5.0] * 50), spread("a", False, [1.0, 2.0] * 50)])

    assert few is not None
    assert many is not None
    assert few[1] - few[0] > 5 * (many[1] - many[0])
