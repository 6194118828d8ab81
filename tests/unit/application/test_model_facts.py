"""What is known of a model: what was set over what was shipped, strengths task by task."""

from adapters.lifecycle.strengths import FamilyStrengths
from domain.model_facts import ModelFacts
from domain.tasks import Task
from tests.fakes.gateway import FakeGateway

MODEL = "claude-haiku-4-5"


async def test_a_model_is_as_good_as_comparisons_of_its_family_say() -> None:
    gateway = FakeGateway({})

    known = gateway.facts.of("up", f"anthropic/{MODEL}").strengths

    said = FamilyStrengths().of(MODEL)
    assert said
    assert known == {task.value: each.value for task, each in said.items()}


async def test_a_strength_that_was_set_outweighs_the_comparison_and_leaves_the_other_tasks() -> None:
    gateway = FakeGateway({})
    gateway.facts.overrides = {("up", MODEL): ModelFacts(strengths={"coding": 0.11})}

    known = gateway.facts.of("up", MODEL).strengths

    said = FamilyStrengths().of(MODEL)
    assert known is not None
    assert known["coding"] == 0.11
    assert known["reasoning"] == said[Task.REASONING].value


async def test_a_model_that_nobody_compared_has_no_strengths() -> None:
    assert FakeGateway({}).facts.of("up", "no-such-model").strengths is None
