"""How a routing decision is answered, to admins and to whom it served alike."""

from datetime import datetime

import msgspec

from application.decisions.reading import Considered, Decision
from domain.money import usd
from domain.records import AttemptRecord


class TaskAnswer(msgspec.Struct, frozen=True):
    """What the request was taken to be for, and by whom: `request`, `heuristic` or `model`."""

    name: str | None
    confidence: float
    source: str


class Parts(msgspec.Struct, frozen=True):
    """What a score is made of, each from 0 to 1; null is not known. `quality_assumed`: the median of all."""

    quality: float | None
    cost: float | None
    latency: float | None
    health: float | None
    cache: float | None
    quality_assumed: bool


class CandidateAnswer(msgspec.Struct, frozen=True):
    """One deployment that was looked at. `excluded_by` is the rule that left it out (`capability:tools`,
    `not_allowed`, …), `unavailable` where it rested, `failed:…` where it was asked in vain, null where it could be
    asked. `estimated_cost_usd` is what the tokens of this request cost there.
    """

    provider: str
    model: str
    chosen: bool
    excluded_by: str | None
    score: float | None
    parts: Parts | None
    estimated_cost_usd: str | None


class DecisionAttempt(msgspec.Struct, frozen=True):
    """One call upstream."""

    provider: str
    model: str
    outcome: str
    status: int | None
    duration_ms: float
    cost_usd: str | None


class BaselineAnswer(msgspec.Struct, frozen=True):
    """What savings are counted against: `provider/model`, what the same tokens cost there, and by which price."""

    model: str
    cost_usd: str | None
    price_id: str | None


class DecisionAnswer(msgspec.Struct, frozen=True):
    """One decision. Exactly one candidate is `chosen`: the one that served, or the first where none did.

    `route` is an alias or `auto`, null for a request that named a model. `left_out` counts candidates that were not
    written down. `affinity` says why the order was kept or changed for the sake of a conversation's cache.
    """

    id: str | None
    request_id: str | None
    created_at: datetime
    requested_model: str
    route: str | None
    strategy: str
    policy_version: int
    task: TaskAnswer | None
    candidates: tuple[CandidateAnswer, ...]
    left_out: int
    attempts: tuple[DecisionAttempt, ...]
    baseline: BaselineAnswer | None
    holdout: bool
    affinity: str | None
    savings_usd: str | None


DECISION_EXAMPLE: dict[str, object] = {
    "id": "dec_0198f3c2a1b57aa1b2c3d4e5f6a7b8c9",
    "request_id": "req_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "created_at": "2026-11-21T11:58:00.123456Z",
    "requested_model": "fast",
    "route": "fast",
    "strategy": "lowest_cost",
    "policy_version": 3,
    "task": None,
    "candidates": [
        {
            "provider": "cerebras",
            "model": "gpt-oss-120b",
            "chosen": True,
            "excluded_by": None,
            "score": None,
            "parts": None,
            "estimated_cost_usd": "0.000420",
        },
        {
            "provider": "openai",
            "model": "gpt-6-luna",
            "chosen": False,
            "excluded_by": None,
            "score": None,
            "parts": None,
            "estimated_cost_usd": "0.004100",
        },
    ],
    "left_out": 0,
    "attempts": [
        {
            "provider": "cerebras",
            "model": "gpt-oss-120b",
            "outcome": "ok",
            "status": 200,
            "duration_ms": 810.9,
            "cost_usd": "0.000420",
        }
    ],
    "baseline": {"model": "openai/gpt-6-luna", "cost_usd": "0.004100", "price_id": "catalog:0.1:openai:gpt-6-luna"},
    "holdout": False,
    "affinity": None,
    "savings_usd": "0.003680",
}


def decision_answer(decision: Decision) -> DecisionAnswer:
    note = decision.note
    baseline = None
    if note.priced_against or note.baseline:
        baseline = BaselineAnswer(
            note.priced_against or note.baseline, _usd(note.baseline_nano_usd), note.baseline_price_id
        )
    return DecisionAnswer(
        decision.id or None,
        decision.request_id,
        decision.created_at,
        decision.requested_model,
        note.route or None,
        note.strategy,
        note.version,
        TaskAnswer(note.task or None, note.task_confidence, note.task_source) if note.task_source else None,
        tuple(map(_candidate, decision.candidates)),
        note.left_out,
        tuple(map(_attempt, decision.attempts)),
        baseline,
        note.holdout,
        note.affinity or None,
        _usd(decision.savings_nano_usd),
    )


def _candidate(each: Considered) -> CandidateAnswer:
    return CandidateAnswer(
        each.provider,
        each.model,
        each.chosen,
        each.excluded_by or None,
        each.score,
        Parts(*each.parts, quality_assumed=each.quality_assumed) if len(each.parts) == 5 else None,
        _usd(each.cost_nano_usd),
    )


def _attempt(attempt: AttemptRecord) -> DecisionAttempt:
    return DecisionAttempt(
        attempt.provider_id,
        attempt.model,
        attempt.outcome,
        attempt.status,
        attempt.duration_ms,
        _usd(attempt.cost_nano_usd),
    )


def _usd(nano_usd: int | None) -> str | None:
    return None if nano_usd is None else usd(nano_usd)
