"""Recorded decisions under another policy (contract 11)."""

import random
from datetime import timedelta

import msgspec
import pytest

from application.decisions.backtest import Backtested, Backtests
from application.decisions.replay import Recorded, actual
from application.routing.conditions import Condition
from domain.decisions import DecisionNote, Weighed
from domain.providers import ProviderSettings
from domain.records import RequestRecord
from domain.routes import Require, Route, RoutePolicy, Target, When
from domain.tasks import Task
from domain.usage import TokenUsage
from tests.builders import NOW, a_provider, a_request_record, an_attempt_record
from tests.fakes.administration import FakeAdministration
from tests.fakes.decisions import MemoryDecisions

NAMES = ("alpha", "beta", "gamma")
LIVE = RoutePolicy(strategy="weighted", targets=tuple(Target(model="m", provider=name) for name in NAMES))


def recorded(number: int, draw: random.Random, version: int = 3) -> RequestRecord:
    """In an order that chance made; some rested, some failed, some had no answer at all."""
    order = draw.sample(NAMES, 3)
    resting = [name for name in order if draw.random() < 0.2]
    able = [name for name in order if name not in resting]
    failing, served = able[:1] if draw.random() < 0.2 else [], None
    rest = [name for name in able if name not in failing]
    served = rest[0] if rest else None
    attempts = [
        an_attempt_record(place, provider_id=name, outcome="overloaded", usage=None, cost_nano_usd=None)
        for place, name in enumerate(failing, 1)
    ]
    if served is not None:
        usage = TokenUsage(100, 10)
        attempts.append(
            an_attempt_record(len(attempts) + 1, provider_id=served, usage=usage, cost_nano_usd=1000, duration_ms=200.0)
        )
    weighed = tuple(
        Weighed(name, "m", "unavailable" if name in resting else "", cost_nano_usd=1000 * (NAMES.index(name) + 1))
        for name in order
    )
    return a_request_record(
        f"req_{number:03}",
        created_at=NOW - timedelta(minutes=number),
        route="fast",
        outcome="ok" if served else "error",
        attempts=tuple(attempts),
        decision=DecisionNote("fast", "weighted", version, weighed, prompt_tokens=100),
    )


async def tried(records: list[RequestRecord], policy: RoutePolicy, live: bool = True) -> Backtested:
    settings = ProviderSettings(models=("m",))
    fakes = await FakeAdministration(declared=[a_provider(name, settings=settings) for name in NAMES]).started()
    if live:
        fakes.route_book.routes = {"fast": Route("fast", LIVE, "database", 3, NOW, NOW)}
    backtests = Backtests(
        MemoryDecisions(records), fakes.route_book, fakes.state, fakes.directory, fakes.book, fakes.measurements,
        fakes.facts, fakes.clock,
    )  # fmt: skip
    return await backtests.run("fast", policy, "2026-11-20", None, "then")


@pytest.mark.parametrize("seed", range(5))
async def test_the_policy_in_force_gives_what_it_chose(seed: int) -> None:
    draw = random.Random(seed)
    records = [recorded(number, draw) for number in range(100)]

    found = await tried(records, LIVE)

    assert (found.requests, found.moved, found.unknown, found.moves) == (100, 0, 0, ())
    assert found.before == found.after


async def test_another_order_moves_what_could_have_gone_there() -> None:
    draw = random.Random(15)
    records = [recorded(number, draw) for number in range(200)]
    policy = RoutePolicy(targets=(Target(model="m", provider="gamma"), Target(model="m", provider="alpha")))

    found = await tried(records, policy)

    for record in records:
        assert record.decision is not None
    assert found.moved == sum(move.requests for move in found.moves)
    assert {move.target for move in found.moves} <= {"gamma/m", "alpha/m"}
    assert found.unknown == 0
    from_alpha = next(move for move in found.moves if (move.source, move.target) == ("alpha/m", "gamma/m"))
    assert from_alpha.cost_delta_nano_usd == from_alpha.requests * 2000


async def test_the_cheapest_is_chosen_by_what_the_tokens_cost_then() -> None:
    draw = random.Random(4)
    records = [recorded(number, draw) for number in range(50)]

    found = await tried(records, msgspec.structs.replace(LIVE, strategy="lowest_cost"))

    assert all(move.target != "gamma/m" for move in found.moves if move.source in ("alpha/m", "beta/m"))


async def test_a_target_that_was_never_measured_is_unknown() -> None:
    draw = random.Random(5)
    records = [recorded(number, draw) for number in range(20)]

    found = await tried(records, RoutePolicy(targets=(Target(model="new", provider="delta"),)))

    assert (found.moved, found.unknown) == (20, 20)
    assert (found.after.cost_nano_usd, found.after.latency_ms, found.after.failures) == (None, None, None)
    assert all(move.cost_delta_nano_usd is None for move in found.moves)


async def test_a_decision_of_an_older_version_is_replayed() -> None:
    records = [recorded(number, random.Random(number), version=2) for number in range(50)]

    assert (await tried(records, LIVE)).moved > 0


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (When(), True),
        (When(tenants=("ten_default",)), True),
        (When(tenants=("ten_2",)), False),
        (When(keys=("key_2",)), False),
        (When(tags=("batch",)), False),
        (When(tasks=(Task.CODING,)), False),
        (When(min_input_tokens=100, max_input_tokens=100), True),
        (When(max_input_tokens=99), False),
        (When(hours="11:00-13:00"), True),
        (When(hours="22:00-06:00"), False),
        (When(hours="22:00-06:00", timezone="Pacific/Auckland"), True),
    ],
    ids=str,
)
def test_conditions_are_held_against_the_record(when: When, expected: bool) -> None:
    record = recorded(0, random.Random(1))
    assert record.decision is not None

    assert (Condition(when).unmet(Recorded(record, record.decision)) is None) is expected


def test_where_nobody_served_the_first_that_could_be_asked_counts() -> None:
    note = DecisionNote("fast", "priority", 1, (Weighed("alpha", "m", "unavailable"), Weighed("beta", "m")))

    assert actual(a_request_record(attempts=()), note) == ("beta", "m")


async def test_a_target_that_is_not_known_to_keep_a_rule_is_given_nothing() -> None:
    """C4: `require` never relaxes, in a trial neither."""
    records = [recorded(number, random.Random(7)) for number in range(20)]
    policy = RoutePolicy(
        targets=tuple(Target(model="m", provider=name) for name in NAMES), require=Require(no_training=True)
    )

    found = await tried(records, policy)

    assert found.moved == len(records)
    assert {move.target for move in found.moves} == {""}
