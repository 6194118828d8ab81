"""What a request's books say of the decision that led it: made when it ends, of what the plan and its calls know.

Only for requests that went by a route or `auto`; nobody else comes here.
"""

from collections.abc import Sequence

from domain.decisions import MAX_NOTED, DecisionNote, Weighed
from domain.records import AttemptRecord
from domain.routing import Candidate, Plan, Policy, ScoreParts
from domain.savings import UNAVAILABLE

_NO_SCORE: tuple[float | None, ScoreParts | None] = (None, None)


def note_of(plan: Plan, policy: Policy, attempts: Sequence[AttemptRecord], prompt_tokens: int | None) -> DecisionNote:
    """The candidates in their order: those that were called all, of the others the first ones."""
    called = {(attempt.provider_id, attempt.model) for attempt in attempts}
    last = max((place for place, each in enumerate(plan.candidates) if _key(each) in called), default=-1)
    reached = last if called else len(plan.candidates)
    scores = policy.scores if len(policy.scores) == len(plan.candidates) else ()
    noted: list[Weighed] = []
    for place, candidate in enumerate(plan.candidates):
        was_called = _key(candidate) in called
        if len(noted) >= MAX_NOTED and not was_called:
            continue
        excluded_by = UNAVAILABLE if place < reached and not was_called else ""
        noted.append(_weighed(candidate, excluded_by, scores[place] if scores else _NO_SCORE))
    room = max(0, MAX_NOTED - len(noted))
    passed = [Weighed(each.provider_id, each.model, each.excluded_by) for each in policy.passed[:room]]
    task = policy.task
    return DecisionNote(
        policy.route,
        policy.strategy,
        policy.version,
        (*noted, *passed),
        len(plan.candidates) + len(policy.passed) - len(noted) - len(passed),
        task.name.value if task is not None and task.name is not None else "",
        round(task.confidence, 3) if task is not None else 0.0,
        task.source if task is not None else "",
        policy.baseline or "",
        policy.holdout,
        policy.affinity,
        prompt_tokens,
    )


def _key(candidate: Candidate) -> tuple[str, str]:
    return candidate.provider.id, candidate.model


def _weighed(candidate: Candidate, excluded_by: str, scored: tuple[float | None, ScoreParts | None]) -> Weighed:
    score, parts = scored
    if parts is None:
        return Weighed(candidate.provider.id, candidate.model, excluded_by, _short(score))
    values = tuple(_short(each) for each in (parts.quality, parts.cost, parts.latency, parts.health, parts.cache))
    return Weighed(candidate.provider.id, candidate.model, excluded_by, _short(score), values, parts.quality_assumed)


def _short(value: float | None) -> float | None:
    """Three digits tell scores apart, and cost a third."""
    return None if value is None else round(value, 3)
