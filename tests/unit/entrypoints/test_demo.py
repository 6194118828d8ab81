"""The demo's providers: each with a price, what it is good at, and quotas, so that whatever is shown has figures."""

import pytest

from domain.tasks import Task
from entrypoints.demo import DEMO_IDS, DEMO_MODEL, DemoUpstream, demo_config, demo_facts, demo_prices
from tests.fakes.clock import FakeClock


@pytest.fixture
def upstream() -> DemoUpstream:
    upstream = DemoUpstream()
    upstream.base_url = "http://127.0.0.1:9"
    return upstream


def test_each_provider_has_a_price_and_strengths_and_most_have_quotas(upstream: DemoUpstream) -> None:
    prices, facts = demo_prices(upstream), demo_facts(upstream)
    quotas = [key.quota for _, keys in demo_config(upstream, FakeClock()) for key in keys]

    assert [(row.provider_id, row.model) for row in prices] == [(each, DEMO_MODEL) for each in DEMO_IDS]
    assert [(each.provider_id, each.model) for each in facts] == [(each, DEMO_MODEL) for each in DEMO_IDS]
    assert all(set(each.facts.strengths or {}) == set(Task) - {Task.IMAGE} for each in facts)
    assert [bool(quota) for quota in quotas] == [True, True, False]


def test_the_dearer_is_the_better_so_that_there_is_something_to_choose(upstream: DemoUpstream) -> None:
    prices, facts = demo_prices(upstream), demo_facts(upstream)

    costs = [row.prices.output or 0 for row in prices]
    strengths = [(each.facts.strengths or {})["reasoning"] for each in facts]
    assert costs == sorted(costs)
    assert strengths == sorted(strengths)


def test_where_no_demo_runs_nothing_has_a_price() -> None:
    assert (demo_prices(DemoUpstream()), demo_facts(DemoUpstream())) == ((), ())
