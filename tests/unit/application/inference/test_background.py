"""What a background response used is booked once, for whom and what it was made (P-01)."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest
from typing_extensions import override

from adapters.limits.memory_budgets import MemoryBudgetStore
from adapters.tokens.length import LengthTokenCounter
from application.inference.background import BackgroundResponses
from application.inference.calls import Operation
from domain.background_responses import LOOKS_AFTER
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.limits import Budget
from domain.ports.budgets import BudgetTerm, Hold
from domain.subject_limits import SubjectRules
from domain.usage import TokenUsage
from tests.fakes.gateway import ANYONE
from tests.fakes.ledger import MemoryLedger
from tests.unit.application.inference.running_responses import (
    PAYLOAD,
    SPENDER,
    TAGGED,
    USED,
    Scene,
)


@pytest.fixture
async def scene() -> Scene:
    return Scene()


async def test_who_deletes_it_unseen_pays_what_it_used(scene: Scene) -> None:
    """Afterwards nobody could say: it was booked by its prompt alone."""
    await scene.begin()
    await scene.fetch(action="delete")

    (record,) = scene.booked()
    assert record.usage == USED
    assert await scene.remembered() == 0


async def test_what_it_used_is_booked_at_the_first_fetch_that_sees_it_ended(scene: Scene) -> None:
    begun = await scene.begin()
    scene.keeping.status = "in_progress"
    await scene.fetch()
    running = list(scene.booked())
    scene.keeping.status = "completed"
    another = msgspec.structs.replace(ANYONE, key_id="key_2")
    await scene.fetch(another)
    await scene.fetch(another)

    [record] = scene.booked()
    assert running == []
    assert (begun.usage, begun.attempts[0].cost_nano_usd) == (None, 0)
    assert (record.usage, record.outcome, record.status) == (USED, "ok", 200)
    assert record.attempts[0].cost_nano_usd == 100 * 1_000 + 50 * 2_000
    assert (record.key_id, record.tenant_id, record.attribution) == ("key_1", "ten_default", TAGGED)
    assert (record.endpoint, record.requested_model, record.provider_id, record.model) == ("responses", "m", "a", "m")
    assert await scene.remembered() == 0


async def test_fetches_at_the_same_time_book_it_once(scene: Scene) -> None:
    await scene.begin()

    await asyncio.gather(*(scene.fetch() for _ in range(5)))

    assert len(scene.booked()) == 1


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        (["cancelled"] * 3, "client_cancelled"),
        (["completed"] * 3, "ok"),  # it had ended when the cancel came
        (["in_progress", "completed", "completed"], "ok"),
        (["in_progress", "in_progress", "cancelled"], "client_cancelled"),
    ],
)
async def test_a_cancel_that_races_with_its_end_books_it_once(scene: Scene, statuses: list[str], outcome: str) -> None:
    await scene.begin()
    scene.keeping.statuses, scene.keeping.status = statuses, statuses[-1]

    await asyncio.gather(scene.fetch(action="cancel"), scene.fetch(), scene.background.look_for("a", "resp_1"))
    await scene.fetch(action="cancel")

    [record] = scene.booked()
    assert (record.outcome, record.usage) == (outcome, USED)
    assert await scene.remembered() == 0


class Waiting(MemoryBudgetStore):
    """Lets money go when it is told to."""

    def __init__(self, scene: Scene) -> None:
        gateway = scene.gateway
        super().__init__(gateway.clock, gateway.spend, gateway.ledger.orphans_booked)
        self.reached, self.may_go_on = asyncio.Event(), asyncio.Event()

    @override
    async def reclaim(self, kept_id: str, hold_id: str, terms: Sequence[BudgetTerm]) -> Hold:
        self.reached.set()
        await self.may_go_on.wait()
        return await super().reclaim(kept_id, hold_id, terms)


async def test_who_leaves_while_it_is_booked_pays_all_the_same(scene: Scene) -> None:
    """A client that deletes a response and hangs up at the right moment would have it for nothing."""
    rules = SubjectRules(SPENDER, budgets=(Budget(limit_usd=Decimal(1), period="day"),))
    await scene.begin(msgspec.structs.replace(ANYONE, rules=(rules,)))
    gateway, budgets = scene.gateway, Waiting(scene)
    background = BackgroundResponses(
        gateway.store, gateway.state, gateway.ledger, gateway.sink, gateway.meter, LengthTokenCounter(), budgets,
        gateway.clock,
    )  # fmt: skip

    leaving = asyncio.create_task(background.look_for("a", "resp_1"))
    await budgets.reached.wait()
    leaving.cancel()
    await asyncio.wait([leaving])
    waiting = asyncio.create_task(background.look_for("a", "resp_1"))
    budgets.may_go_on.set()
    await waiting

    [record] = scene.booked()
    assert leaving.cancelled()
    assert [charge.nano_usd for charge in record.charges] == [200_000]
    assert await scene.remembered() == 0


async def test_processes_book_it_under_one_id_which_the_ledger_takes_once(scene: Scene) -> None:
    await scene.begin()
    gateway, elsewhere = scene.gateway, MemoryLedger()
    other = BackgroundResponses(
        gateway.store, gateway.state, elsewhere, gateway.sink, gateway.meter, LengthTokenCounter(), gateway.budgets,
        gateway.clock,
    )  # fmt: skip

    await asyncio.gather(scene.background.look_for("a", "resp_1"), other.look_for("a", "resp_1"))

    [here], [there] = scene.booked(), elsewhere.records
    assert (here.request_id, here.decision_id) == (there.request_id, there.decision_id)


@pytest.mark.parametrize(
    ("status", "usage", "outcome", "expected", "source"),
    [
        ("incomplete", USED, "ok", USED, "provider"),
        ("failed", None, "error", None, "none"),
        ("failed", USED, "error", USED, "provider"),
        ("cancelled", None, "client_cancelled", TokenUsage(8, 2), "estimated"),
        ("completed", None, "ok", TokenUsage(8, 2), "estimated"),
    ],
)
async def test_however_it_ended_it_is_booked(
    scene: Scene, status: str, usage: TokenUsage | None, outcome: str, expected: TokenUsage | None, source: str
) -> None:
    await scene.begin()
    scene.keeping.status, scene.keeping.usage = status, usage

    await scene.fetch()

    [record] = scene.booked()
    assert record.outcome == outcome
    assert (record.usage, record.attempts[0].usage_source) == (expected, source)


async def test_the_budgets_of_its_request_are_charged_when_it_has_ended(scene: Scene) -> None:
    rules = SubjectRules(SPENDER, budgets=(Budget(limit_usd=Decimal(1), period="day"),))
    spender = msgspec.structs.replace(ANYONE, rules=(rules,))
    begun = await scene.begin(spender)

    await scene.fetch()

    [record] = scene.booked()
    [charge] = record.charges
    terms = [rule.term for rule in scene.gateway.limits.spending.rules((rules,))]
    [standing] = await scene.gateway.budgets.standings(terms)
    assert begun.charges == ()
    assert (charge.account, charge.nano_usd) == (terms[0].account, 200_000)
    assert (standing.spent_nano_usd, standing.held_nano_usd) == (200_000, 0)


async def test_one_that_nobody_fetches_is_looked_for_when_it_is_due(scene: Scene) -> None:
    await scene.begin()

    await scene.background.turn()
    early = scene.keeping.asked
    scene.gateway.clock.advance(LOOKS_AFTER[0].total_seconds())
    await scene.background.turn()
    await scene.background.turn()

    [record] = scene.booked()
    assert (early, scene.keeping.asked) == (0, 1)
    assert record.usage == USED


async def test_it_is_looked_for_a_few_times_and_then_its_prompt_is_booked(scene: Scene) -> None:
    await scene.begin()
    scene.keeping.status = "in_progress"

    for _ in range(20):
        scene.gateway.clock.advance(LOOKS_AFTER[-1].total_seconds())
        await scene.background.turn()

    [record] = scene.booked()
    assert scene.keeping.asked == len(LOOKS_AFTER)
    assert (record.outcome, record.usage) == ("unknown_outcome", TokenUsage(8))
    assert await scene.remembered() == 0


async def test_one_that_is_gone_is_not_looked_for_again(scene: Scene) -> None:
    await scene.begin()
    scene.keeping.failure = UpstreamFailure(FailureKind.CLIENT_FAULT, "not found", status=404)
    scene.gateway.clock.advance(LOOKS_AFTER[0].total_seconds())

    await scene.background.turn()

    assert [record.outcome for record in scene.booked()] == ["unknown_outcome"]


async def test_one_that_the_database_could_not_take_is_booked_all_the_same(scene: Scene) -> None:
    await scene.gateway.started()
    scene.gateway.store.broken = True
    call = scene.gateway.call(PAYLOAD)
    await scene.gateway.pipeline.complete(Operation("responses", lambda _: scene.making), call)
    scene.gateway.store.broken = False

    await scene.fetch()

    assert len(scene.booked()) == 1


async def test_a_lookup_is_logged_under_the_model_of_the_response(scene: Scene) -> None:
    await scene.begin()
    scene.keeping.status = "in_progress"

    looked_up = await scene.fetch()

    assert (looked_up.requested_model, looked_up.model, looked_up.attempts[0].model) == ("m", "m", "m")
