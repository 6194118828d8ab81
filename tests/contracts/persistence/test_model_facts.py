"""What admins set of models, as both stores keep it."""

import pytest

from domain.model_facts import NOTHING_KNOWN, DataPolicy, ModelFacts, StoredModelFacts
from domain.ports.repositories import Store
from tests.other_values import each_field_changed


async def test_facts_without_any_are_gone(store: Store) -> None:
    async with store.write() as unit:
        await unit.model_facts.put(StoredModelFacts("b", "m", ModelFacts(context_window=1)))
        await unit.model_facts.put(StoredModelFacts("a", "n", ModelFacts(successor="s")))

    async with store.write() as unit:
        assert [(each.provider_id, each.model) for each in await unit.model_facts.list_all()] == [
            ("a", "n"),
            ("b", "m"),
        ]
        await unit.model_facts.put(StoredModelFacts("b", "m", NOTHING_KNOWN))

    async with store.read() as unit:
        assert await unit.model_facts.get("b", "m") is None
        assert [each.facts for each in await unit.model_facts.list_all()] == [ModelFacts(successor="s")]


@pytest.mark.parametrize("part", ["facts", "data_policy"])
async def test_every_fact_comes_back_over_another(store: Store, part: str) -> None:
    changed = (
        each_field_changed(ModelFacts())
        if part == "facts"
        else ((name, ModelFacts(data_policy=policy)) for name, policy in each_field_changed(DataPolicy()))
    )
    lost = []

    for name, facts in changed:
        async with store.write() as unit:
            await unit.model_facts.put(StoredModelFacts("a", "m", ModelFacts(successor="before")))
            await unit.model_facts.put(StoredModelFacts("a", "m", facts))
        async with store.read() as unit:
            found = [await unit.model_facts.get("a", "m"), (await unit.model_facts.list_all())[0].facts]
        if found != [facts, facts]:
            lost.append(name)

    assert lost == []
