"""What every store of budgets promises: spent and held together never pass the limit (P-06, R-15)."""

import asyncio
import uuid
from datetime import UTC, datetime

import pytest

from domain.errors import LimitExceeded, ServiceUnavailable
from domain.limits import Period
from domain.ports.budgets import BudgetStore, BudgetTerm, Hold, OnExceeded
from domain.subject_limits import Subject
from tests.fakes.budgets import NothingSpent
from tests.fakes.clock import FakeClock


def a_term(name: str = "key_1", limit: int = 100, period: Period = "month", mode: OnExceeded = "block") -> BudgetTerm:
    return BudgetTerm(f"key:{name}:{period}", Subject("key", name), limit, period, on_exceeded=mode)


def an_id() -> str:
    return f"dec_{uuid.uuid4().hex}"


async def held(budgets: BudgetStore, times: int, amount: int, *terms: BudgetTerm) -> list[Hold]:
    holds: list[Hold] = []
    for _ in range(times):
        try:
            holds.append(await budgets.hold(an_id(), terms, amount, amount))
        except LimitExceeded:
            continue
    return holds


async def standing(budgets: BudgetStore, term: BudgetTerm) -> tuple[int, int]:
    (found,) = await budgets.standings([term])
    return found.spent_nano_usd, found.held_nano_usd


async def test_as_much_is_held_as_the_limit_allows_and_no_more(budgets: BudgetStore) -> None:
    assert len(await held(budgets, 15, 10, a_term())) == 10

    assert await standing(budgets, a_term()) == (0, 100)


async def test_of_two_hundred_at_once_exactly_ten_fit(budgets: BudgetStore) -> None:
    """R-15."""

    async def one() -> int:
        return len(await held(budgets, 1, 10, a_term()))

    assert sum(await asyncio.gather(*(one() for _ in range(200)))) == 10


async def test_what_was_held_is_given_back_but_for_what_it_cost(budgets: BudgetStore) -> None:
    (hold,) = await held(budgets, 1, 60, a_term())

    hold.settle({a_term().account: 25})
    hold.settle({a_term().account: 25})

    assert await standing(budgets, a_term()) == (25, 0)
    assert len(await held(budgets, 9, 25, a_term())) == 3


async def test_all_budgets_are_held_in_or_none(budgets: BudgetStore) -> None:
    roomy, tight = a_term("roomy", 1000), a_term("tight", 30)

    assert len(await held(budgets, 10, 10, roomy, tight)) == 3

    assert await standing(budgets, roomy) == (0, 30)


async def test_a_refusal_names_whose_it_is_and_how_it_stands(budgets: BudgetStore, clock: FakeClock) -> None:
    (hold,) = await held(budgets, 1, 40, a_term())
    hold.settle({a_term().account: 30})
    await held(budgets, 1, 60, a_term())

    with pytest.raises(LimitExceeded) as refusal:
        await budgets.hold(an_id(), [a_term()], 20, 20)

    error = refusal.value
    assert (error.code, error.subject_kind, error.subject_id, error.dimension) == (
        "budget_exceeded", "key", "key_1", "usd",
    )  # fmt: skip
    for part in ("$0.0000001", "$0.00000003", "$0.00000006", "2026-12-01 00:00 UTC"):
        assert part in error.message
    until = datetime(2026, 12, 1, tzinfo=UTC) - clock.now()
    assert error.retry_after_seconds == until.total_seconds()


async def test_a_hold_grows_as_long_as_every_budget_has_room(budgets: BudgetStore) -> None:
    roomy, tight = a_term("roomy", 1000), a_term("tight", 30)
    (hold,) = await held(budgets, 1, 10, roomy, tight)

    await hold.extend(20)
    with pytest.raises(LimitExceeded):
        await hold.extend(1)

    assert hold.amount_nano_usd == 30
    assert await standing(budgets, roomy) == (0, 30)
    hold.settle({})
    assert await standing(budgets, roomy) == (0, 0)


async def test_more_than_the_least_is_granted_up_to_an_eighth_of_what_is_left(budgets: BudgetStore) -> None:
    wanted_less = await budgets.hold(an_id(), [a_term("a", 800)], 10, 50)
    wanted_more = await budgets.hold(an_id(), [a_term("b", 800)], 10, 500)
    nearly_used = await budgets.hold(an_id(), [a_term("c", 80)], 30, 500)

    assert [hold.amount_nano_usd for hold in (wanted_less, wanted_more, nearly_used)] == [50, 100, 30]


@pytest.mark.parametrize("mode", ["warn", "shadow"])
async def test_a_budget_that_is_not_enforced_tells_and_lets_pass(budgets: BudgetStore, mode: OnExceeded) -> None:
    term = a_term(limit=10, mode=mode)

    hold = await budgets.hold(an_id(), [term, a_term("other", 1000)], 50, 50)

    assert hold.exceeded == [term]
    assert hold.amount_nano_usd == 50
    hold.settle({term.account: 50})
    assert await standing(budgets, term) == (50, 0)


async def test_what_costs_nothing_is_never_refused(budgets: BudgetStore) -> None:
    (hold,) = await held(budgets, 1, 100, a_term())
    hold.settle({a_term().account: 100})

    assert len(await held(budgets, 1, 0, a_term())) == 1


async def test_what_was_spent_before_the_start_counts(budgets: BudgetStore, spend: NothingSpent) -> None:
    november = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
    october = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp())
    spend.by_account[a_term().account] = {october: 90, november: 70}

    assert len(await held(budgets, 10, 10, a_term())) == 3


async def test_nobody_spends_while_it_is_not_known_what_was_spent(budgets: BudgetStore, spend: NothingSpent) -> None:
    """R-25."""
    spend.broken = True
    with pytest.raises(ServiceUnavailable):
        await budgets.hold(an_id(), [a_term()], 1, 1)

    spend.broken = False

    assert len(await held(budgets, 1, 1, a_term())) == 1


async def test_many_who_meet_a_new_budget_make_one_read(budgets: BudgetStore, spend: NothingSpent) -> None:
    """R-28."""
    await asyncio.gather(*(budgets.hold(an_id(), [a_term()], 1, 1) for _ in range(50)))

    assert spend.reads == 1


async def test_a_new_period_is_empty_and_the_old_ones_hold_belongs_to_it(
    budgets: BudgetStore, clock: FakeClock
) -> None:
    clock.set_wall_clock(datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC))
    (old,) = await held(budgets, 1, 100, a_term())
    clock.advance(2)

    assert await standing(budgets, a_term()) == (0, 0)
    (new,) = await held(budgets, 1, 100, a_term())
    old.settle({a_term().account: 100})

    assert await standing(budgets, a_term()) == (0, 100)
    assert old.charges[0].starts_at != new.charges[0].starts_at
    new.settle({a_term().account: 10})
    assert await standing(budgets, a_term()) == (10, 0)


@pytest.mark.parametrize(("period", "hours"), [("rolling_5h", 5), ("rolling_7d", 168), ("rolling_30d", 720)])
async def test_a_rolling_budget_frees_what_is_older_than_its_span(
    budgets: BudgetStore, clock: FakeClock, period: Period, hours: int
) -> None:
    term = a_term(period=period)
    (hold,) = await held(budgets, 1, 100, term)
    hold.settle({term.account: 100})

    clock.advance(hours * 3600)
    assert await held(budgets, 1, 1, term) == []
    clock.advance(hours * 3600 / 20 + 1)

    assert len(await held(budgets, 1, 100, term)) == 1


async def test_a_lower_limit_goes_on_with_what_was_spent(budgets: BudgetStore) -> None:
    (hold,) = await held(budgets, 1, 50, a_term())
    hold.settle({a_term().account: 50})

    assert await held(budgets, 1, 1, a_term(limit=40)) == []
    assert len(await held(budgets, 1, 10, a_term(limit=60))) == 1


async def test_a_caller_that_leaves_while_a_budget_is_read_holds_nothing(budgets: BudgetStore) -> None:
    leaving = asyncio.create_task(budgets.hold(an_id(), [a_term()], 100, 100))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    assert await standing(budgets, a_term()) == (0, 0)


async def test_of_two_budgets_on_one_account_the_smaller_counts(budgets: BudgetStore) -> None:
    """One that warns and one that blocks, of the same money."""
    warns, blocks = a_term(limit=50, mode="warn"), a_term(limit=100)

    first = await budgets.hold(an_id(), [warns, blocks], 60, 60)

    assert first.exceeded == [warns]
    assert await standing(budgets, blocks) == (0, 60)
    with pytest.raises(LimitExceeded):
        await budgets.hold(an_id(), [warns, blocks], 50, 50)


async def test_what_outlives_its_request_is_held_until_it_is_reclaimed(budgets: BudgetStore) -> None:
    one, other = a_term("one", 100), a_term("other", 100)
    hold = await budgets.hold("dec_1", [one, other], 60, 60)
    await hold.outlive("dec_1~runs")
    hold.settle({one.account: 1})
    kept = await standing(budgets, one)

    reclaimed = await budgets.reclaim("dec_1~runs", "dec_1", [one, other])
    reclaimed.settle({one.account: 25})

    assert kept == (0, 60)
    assert (await standing(budgets, one), await standing(budgets, other)) == ((25, 0), (0, 0))


async def test_who_reclaims_what_is_not_kept_holds_nothing_and_is_charged_all_the_same(budgets: BudgetStore) -> None:
    hold = await budgets.reclaim("dec_gone~runs", "dec_gone", [a_term(limit=10)])

    hold.settle({a_term().account: 25})

    assert await standing(budgets, a_term()) == (25, 0)
