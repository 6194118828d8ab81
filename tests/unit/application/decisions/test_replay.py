"""A replay puts targets in the order in which the router does, for every condition under every strategy."""

import random
from typing import get_args

import msgspec
import pytest

from application.decisions.replay import Replay
from application.inference.decision_notes import note_of
from domain.attribution import Attribution
from domain.keys import Principal
from domain.measurements import RecentSpeed
from domain.prices import PriceRow, Prices, Tier
from domain.providers import ProviderSettings
from domain.records import RequestRecord
from domain.routes import Route, RoutePolicy, Strategy, Target, When
from domain.tasks import Task
from tests.builders import NOW, a_chat_payload, a_provider, a_request_record
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider

NAMES = "abcd"
LATENCIES = {"a": 900.0, "b": 300.0, "c": 600.0}
PRICES = [
    PriceRow("price_b", "b", "m", Prices(2_000, 2_000), "admin", NOW),
    PriceRow(
        "price_c", "c", "m", Prices(1_000, 1_000, tiers=(Tier(input=9_000, output=9_000, above_input_tokens=900),)),
        "admin", NOW,
    ),
    PriceRow("price_d", "d", "m", Prices(1_500, 1_500), "admin", NOW),
]  # fmt: skip
CONDITIONS = {
    "tenants": When(tenants=("ten_1",)),
    "keys": When(keys=("key_1", "key_3")),
    "tags": When(tags=("batch", "night")),
    "tasks": When(tasks=(Task.CODING,)),
    "min_input_tokens": When(min_input_tokens=500),
    "max_input_tokens": When(max_input_tokens=500),
    "hours": When(hours="11:00-13:00"),
    "elsewhere": When(hours=("22:00-06:00",), timezone="Pacific/Auckland"),
    "none": When(),
}


async def a_gateway(policy: RoutePolicy, monkeypatch: pytest.MonkeyPatch) -> FakeGateway:
    providers = [
        a_provider(name, priority=place, settings=ProviderSettings(models=("m",))) for place, name in enumerate(NAMES)
    ]
    routes = [Route("r", policy, "database", 1, NOW, NOW)]
    chats = {name: FakeChatProvider() for name in NAMES}
    gateway = FakeGateway(chats, providers=providers, prices=PRICES, routes=routes)
    monkeypatch.setattr(
        gateway.measurements, "recent", lambda provider_id, _: RecentSpeed(latency_ms=LATENCIES.get(provider_id))
    )
    return await gateway.started()


def asked(gateway: FakeGateway, draw: random.Random) -> tuple[list[str], RequestRecord]:
    """One request as the router plans it, and its record."""
    number = draw.randint(1, 3)
    principal = Principal("virtual_key", f"key_{number}", f"ten_{number}")
    tags = tuple(tag for tag in ("batch", "night", "other") if draw.random() < 0.4)
    task = draw.choice([each.value for each in Task])
    text = "word " * draw.choice([2, 400, 4_000])
    request = a_chat_payload(model="r", task=task, messages=[{"role": "user", "content": text}]).value
    plan = gateway.planned(request, principal=principal, attribution=Attribution(tags=tags))
    assert plan.policy is not None
    note = note_of(plan, plan.policy, (), gateway.meter.input_tokens(request))
    record = a_request_record(
        created_at=gateway.clock.now(),
        tenant_id=principal.tenant_id,
        key_id=principal.key_id,
        attribution=Attribution(tags=tags),
        attempts=(),
        decision=msgspec.structs.replace(note, task=task, task_confidence=1.0),
    )
    return [candidate.provider.id for candidate in plan.candidates], record


@pytest.mark.parametrize("strategy", get_args(Strategy))
@pytest.mark.parametrize("condition", CONDITIONS)
async def test_what_was_planned_is_what_is_replayed(
    strategy: Strategy, condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    when = CONDITIONS[condition]
    targets = tuple(Target("m", name, 1.0 + place, when if name in "bd" else None) for place, name in enumerate(NAMES))
    policy = RoutePolicy(strategy=strategy, targets=targets)
    gateway = await a_gateway(policy, monkeypatch)
    draw = random.Random(15)

    requests = [asked(gateway, draw) for _ in range(30)]

    replay = Replay(
        policy,
        None,
        lambda provider_id, model: ((provider_id, model),),
        lambda _record, _where: None,
        lambda where: LATENCIES.get(where[0]),
        gateway.prices,
    )
    for planned, record in requests:
        assert record.decision is not None
        assert [provider_id for provider_id, _ in replay.order(record, record.decision)] == planned
