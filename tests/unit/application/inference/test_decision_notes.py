"""What is written down of a decision with its request (contract 11)."""

import msgspec
import pytest

from application.inference.decision_notes import note_of
from domain.decisions import MAX_NOTED
from domain.routing import Candidate, Passed, Plan, Policy, ScoreParts, TaskReading
from domain.tasks import Task
from domain.timeouts import Timeouts
from tests.builders import a_provider, an_attempt_record


def a_plan(*names: str, scored: bool = False, passed: int = 0) -> Plan:
    candidates = [Candidate(a_provider(name), f"vendor/model-of-{name}-2026", Timeouts()) for name in names]
    scores = tuple(
        (0.8512345 - place / 100, ScoreParts(0.81234567, 0.51234, 0.7, 1.0, 0.0)) for place in range(len(names))
    )
    policy = Policy(
        "auto" if scored else "fast",
        "auto" if scored else "priority",
        3,
        passed=tuple(Passed(f"p{number}", "m", "capability:tools") for number in range(passed)),
        scores=scores if scored else (),
        task=TaskReading(Task.CODING, 0.93123456, "heuristic") if scored else None,
    )
    return Plan(candidates, policy)


def policy_of(plan: Plan) -> Policy:
    assert plan.policy is not None
    return plan.policy


def test_candidates_stand_in_their_order_and_what_rules_exclude_behind_them() -> None:
    plan = a_plan("alpha", "beta", passed=1)

    note = note_of(plan, policy_of(plan), [an_attempt_record(provider_id="alpha", model=plan.candidates[0].model)], 7)

    assert [(each.provider_id, each.excluded_by) for each in note.candidates] == [
        ("alpha", ""), ("beta", ""), ("p0", "capability:tools"),
    ]  # fmt: skip
    assert (note.route, note.strategy, note.version, note.prompt_tokens) == ("fast", "priority", 3, 7)


def test_one_that_was_passed_over_without_a_call_was_unavailable() -> None:
    plan = a_plan("alpha", "beta", "gamma")

    note = note_of(plan, policy_of(plan), [an_attempt_record(provider_id="beta", model=plan.candidates[1].model)], 7)

    assert [each.excluded_by for each in note.candidates] == ["unavailable", "", ""]


def test_where_nobody_was_called_all_were_unavailable() -> None:
    plan = a_plan("alpha", "beta")

    assert [each.excluded_by for each in note_of(plan, policy_of(plan), [], 7).candidates] == ["unavailable"] * 2


def test_of_very_many_the_first_and_those_called_are_written_down() -> None:
    plan = a_plan(*(f"p{number}" for number in range(200)), passed=5)
    last = plan.candidates[150]

    note = note_of(plan, policy_of(plan), [an_attempt_record(provider_id="p150", model=last.model)], 7)

    assert len(note.candidates) == MAX_NOTED + 1
    assert note.candidates[-1].provider_id == "p150"
    assert note.left_out == 205 - len(note.candidates)


@pytest.mark.parametrize("candidates", [2, 4, 8])
def test_a_note_is_small(candidates: int) -> None:
    """At most 1 KB on average, as it lies in the spool: with scores, a task, and rules that exclude some."""
    plan = a_plan(*(f"provider-{number}" for number in range(candidates)), scored=True, passed=2)

    note = note_of(plan, policy_of(plan), [an_attempt_record()], 1234)

    assert len(msgspec.msgpack.encode(note)) <= 1024
