"""What a background response may cost is held until it has ended (P-06)."""

from decimal import Decimal

import msgspec
import pytest

from adapters.limits.memory_budgets import MemoryBudgetStore
from domain.background_responses import FACT_PREFIX, LOOKS_AFTER, BackgroundResponse, KeptState
from domain.errors import LimitExceeded, StreamBroken, UpstreamFailure
from domain.failover import FailureKind
from domain.limits import Budget, RateLimits
from domain.ports.limits import Demand
from domain.subject_limits import SubjectRules
from tests.builders import NOW
from tests.fakes.gateway import ANYONE
from tests.unit.application.inference.running_responses import MOST, SPENDER, USED, Scene


@pytest.fixture
async def scene() -> Scene:
    return Scene()


BUDGET = SubjectRules(SPENDER, budgets=(Budget(limit_usd=Decimal(1), period="day"),))
WITH_BUDGET = msgspec.structs.replace(ANYONE, rules=(BUDGET,))


async def stands(scene: Scene) -> tuple[int, int]:
    """What is spent and held of the budget."""
    terms = [rule.term for rule in scene.gateway.limits.spending.rules((BUDGET,))]
    [standing] = await scene.gateway.budgets.standings(terms)
    return standing.spent_nano_usd, standing.held_nano_usd


async def test_its_money_is_held_until_it_has_ended(scene: Scene) -> None:
    """P-06: what runs on could else be begun again and again, far beyond the limit."""
    await scene.begin(WITH_BUDGET)
    begun = await stands(scene)
    scene.keeping.status = "in_progress"
    await scene.fetch(WITH_BUDGET)
    running = await stands(scene)
    scene.keeping.status = "completed"
    await scene.fetch(WITH_BUDGET)

    assert begun == running == (0, MOST)
    assert await stands(scene) == (200_000, 0)


async def test_a_stream_whose_client_leaves_is_booked_whole_when_its_response_has_ended(scene: Scene) -> None:
    """Its provider makes it on, and bills all of it: what came by then would be a part of it."""
    reply = await scene.begin_stream(WITH_BUDGET)
    await reply.aclose()
    left, running = scene.gateway.ledger.last, await stands(scene)

    await scene.fetch(WITH_BUDGET)

    [record] = scene.booked()
    assert (left.outcome, left.usage, left.attempts[0].cost_nano_usd) == ("client_cancelled", None, 0)
    assert running == (0, MOST)
    assert record.usage == USED
    assert await stands(scene) == (200_000, 0)


async def test_a_stream_that_breaks_leaves_its_response_to_be_booked(scene: Scene) -> None:
    scene.making.steps = (b"content", UpstreamFailure(FailureKind.TRUNCATED, "cut off"))
    reply = await scene.begin_stream(WITH_BUDGET)

    with pytest.raises(StreamBroken):
        _ = [block async for block in reply]
    await reply.aclose()

    assert (scene.gateway.ledger.last.outcome, await scene.remembered()) == ("error", 1)
    assert await stands(scene) == (0, MOST)


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
async def test_a_stream_whose_response_had_ended_is_booked_by_what_came(scene: Scene, status: str) -> None:
    scene.making.streamed = KeptState("resp_1", status, "m")
    reply = await scene.begin_stream(WITH_BUDGET)

    await reply.aclose()

    assert scene.gateway.ledger.last.usage is not None
    assert await scene.remembered() == 0
    assert (await stands(scene))[1] == 0


async def test_what_has_no_room_beside_those_that_run_is_refused(scene: Scene) -> None:
    room = int(BUDGET.budgets[0].limit_usd * 10**9) // MOST
    for _ in range(room):
        await scene.begin(WITH_BUDGET)

    with pytest.raises(LimitExceeded):
        await scene.begin(WITH_BUDGET)


async def test_a_start_holds_on_for_those_that_run(scene: Scene) -> None:
    """The process that began it is gone, and with it what it held in memory."""
    await scene.begin(WITH_BUDGET)
    async with scene.gateway.store.read() as unit:
        [written] = (await unit.facts.beginning_with(FACT_PREFIX, 10)).values()
    response = msgspec.json.decode(written, type=BackgroundResponse)
    [charge] = response.held
    scene.gateway.spend.kept_by_account[charge.account] = {response.hold_id: charge}
    restarted = MemoryBudgetStore(scene.gateway.clock, scene.gateway.spend, scene.gateway.ledger.orphans_booked)
    [before] = await restarted.standings(response.terms)

    (await restarted.reclaim(response.hold_id, response.decision_id, response.terms)).settle({charge.account: 7})

    [after] = await restarted.standings(response.terms)
    assert (before.spent_nano_usd, before.held_nano_usd) == (0, MOST)
    assert (after.spent_nano_usd, after.held_nano_usd) == (7, 0)


async def test_one_that_is_never_heard_of_again_gives_its_money_back(scene: Scene) -> None:
    await scene.begin(WITH_BUDGET)
    scene.keeping.status = "in_progress"

    for _ in range(20):
        scene.gateway.clock.advance(LOOKS_AFTER[-1].total_seconds())
        await scene.background.turn()

    assert (await stands(scene))[1] == 0


async def test_what_it_costs_is_charged_to_the_period_in_which_it_was_held(scene: Scene) -> None:
    await scene.begin(WITH_BUDGET)
    scene.gateway.clock.advance(86_400)

    await scene.fetch(WITH_BUDGET)

    [record] = scene.booked()
    assert [charge.starts_at for charge in record.charges] == [int(NOW.replace(hour=0, minute=0).timestamp())]
    assert await stands(scene) == (0, 0)


async def test_its_tokens_count_as_estimated_against_limits(scene: Scene) -> None:
    """Nothing is known of what it will use: who begins many gets no more than the limit for it."""
    rules = SubjectRules(SPENDER, limits=RateLimits(tpm=100_000))
    spender = msgspec.structs.replace(ANYONE, rules=(rules,))

    await scene.begin(spender)

    take = await scene.gateway.limits.limiter((rules,)).take(Demand())
    [left] = take.allowances
    assert left.remaining < 100_000
