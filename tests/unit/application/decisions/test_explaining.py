"""What `auto` would do is explained without a call: its task, its scores, and what savings would be counted against."""

import pytest

from application.decisions.explaining import RouteExplainer
from domain.prices import PriceRow, Prices
from domain.routes import Route, RoutePolicy, Target, When
from tests.builders import NOW, a_chat_payload
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider

PRICES = [
    PriceRow("price_a", "alpha", "m", Prices(9_000_000_000, 9_000_000_000), "admin", NOW),
    PriceRow("price_b", "beta", "m", Prices(1_000_000_000, 1_000_000_000), "admin", NOW),
]


@pytest.mark.parametrize("name", ["auto", "auto:cost", "auto:quality", "auto:latency"])
async def test_auto_explains_its_task_its_scores_and_its_baseline(name: str) -> None:
    gateway = await FakeGateway({each: FakeChatProvider() for each in ("alpha", "beta")}, prices=PRICES).started()
    explainer = RouteExplainer(
        gateway.store, gateway.router, gateway.route_book, gateway.gate, gateway.prices, gateway.meter,
        gateway.availability, gateway.clock,
    )  # fmt: skip

    found = await explainer.explain(a_chat_payload(model=name, task="coding").value)

    note = found.note
    assert (note.route, note.strategy, found.id, found.attempts) == ("auto", "auto", "", ())
    assert (note.task, note.task_confidence, note.task_source) == ("coding", 1.0, "request")
    assert note.priced_against == "alpha/m"
    first, second = found.candidates
    assert (first.provider, first.chosen, second.chosen) == ("beta", True, False)
    for each in found.candidates:
        assert each.score is not None
        assert 0 <= each.score <= 1
        assert len(each.parts) == 5
        assert each.quality_assumed
    assert (first.score or 0) > (second.score or 0)
    assert not any(chat.calls for chat in gateway.chats.values())


@pytest.mark.parametrize(
    ("tags", "body", "expected"),
    [("", {}, "beta"), ("night,other", {}, "alpha"), ("", {"metadata": {"tags": ["night"]}}, "alpha")],
)
async def test_tags_of_the_request_itself_choose_as_they_would_for_a_real_one(
    tags: str, body: dict[str, object], expected: str
) -> None:
    targets = (Target(provider="alpha", model="m", when=When(tags=("night",))), Target(provider="beta", model="m"))
    route = Route("fast", RoutePolicy(targets=targets), "database", 1, NOW, NOW)
    chats = {each: FakeChatProvider() for each in ("alpha", "beta")}
    gateway = await FakeGateway(chats, prices=PRICES, routes=[route]).started()
    explainer = RouteExplainer(
        gateway.store, gateway.router, gateway.route_book, gateway.gate, gateway.prices, gateway.meter,
        gateway.availability, gateway.clock,
    )  # fmt: skip
    payload = a_chat_payload(model="fast", **body)

    found = await explainer.explain(payload.value, None, tags, payload.fields)

    assert [each.provider for each in found.candidates if each.chosen] == [expected]
