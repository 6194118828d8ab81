"""A decision as it is told: who could have served a request, who did, and why not the others."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.decisions import DecisionNote, Weighed
from domain.errors import NotFound
from domain.ports.decisions import DecisionLog
from domain.records import AttemptRecord, RequestRecord

_NO_FAILURE = frozenset({"ok", "cancelled", "interrupted", "after_content"})
"""Ends of a call whose deployment is the one that served, at least in part."""

PLAIN = "priority"
"""The strategy of a request that named a model: providers in their order."""


class Considered(msgspec.Struct, frozen=True):
    """One deployment of a decision. `excluded_by` of "" is one that could be asked."""

    provider: str
    model: str
    chosen: bool
    excluded_by: str
    score: float | None
    parts: tuple[float | None, ...]
    quality_assumed: bool
    cost_nano_usd: int | None


class Decision(msgspec.Struct, frozen=True):
    """Exactly one candidate is chosen, where there are any: the one that served, or the first where none did."""

    id: str
    request_id: str | None
    created_at: datetime
    requested_model: str
    note: DecisionNote
    candidates: tuple[Considered, ...]
    attempts: tuple[AttemptRecord, ...]
    savings_nano_usd: int | None


class Decisions:
    """Reads decisions back. Raises `StoreUnavailable`."""

    def __init__(self, log: DecisionLog) -> None:
        self._log = log

    async def find(self, decision_id: str) -> RequestRecord | None:
        """The request that it led."""
        return await self._log.get(decision_id)

    async def get(self, decision_id: str) -> Decision:
        """Raises `NotFound`."""
        record = await self._log.get(decision_id)
        if record is None:
            raise missing_decision(decision_id)
        return decision_of(record)


def missing_decision(decision_id: str) -> NotFound:
    """Alike for another's and for none."""
    return NotFound(
        f"There is no decision '{decision_id[:128]}'; one whose request still runs is not written down yet."
    )


def decision_of(record: RequestRecord) -> Decision:
    """Also of a request without a route: then what is known of it are its calls."""
    note = record.decision or _of_its_calls(record)
    return Decision(
        record.decision_id,
        record.request_id,
        record.created_at,
        record.requested_model,
        note,
        considered(note, record.attempts),
        record.attempts,
        record.savings_nano_usd,
    )


def considered(note: DecisionNote, attempts: Sequence[AttemptRecord]) -> tuple[Considered, ...]:
    """The candidates with the one that was chosen among them."""
    ends = {(attempt.provider_id, attempt.model): attempt.outcome for attempt in attempts}
    served = _served(attempts)
    place = chosen_place(note.candidates, served)
    return tuple(
        Considered(
            each.provider_id,
            each.model,
            number == place,
            "" if number == place else each.excluded_by or _failed(ends.get((each.provider_id, each.model))),
            each.score,
            each.parts,
            each.assumed,
            each.cost_nano_usd,
        )
        for number, each in enumerate(note.candidates)
    )


def chosen_place(candidates: Sequence[Weighed], served: tuple[str, str] | None) -> int:
    """The one that served, else the first that could be asked, else the first."""
    for place, each in enumerate(candidates):
        if (each.provider_id, each.model) == served:
            return place
    return next((place for place, each in enumerate(candidates) if not each.excluded_by), 0)


def _served(attempts: Sequence[AttemptRecord]) -> tuple[str, str] | None:
    last = attempts[-1] if attempts else None
    return (last.provider_id, last.model) if last is not None and last.outcome in _NO_FAILURE else None


def _failed(outcome: str | None) -> str:
    return f"failed:{outcome}" if outcome is not None and outcome not in _NO_FAILURE else ""


def _of_its_calls(record: RequestRecord) -> DecisionNote:
    """Of a request that named a model: the deployments that were called, or what it asked for."""
    costs: dict[tuple[str, str], int | None] = {}
    for attempt in record.attempts:
        costs[attempt.provider_id, attempt.model] = attempt.cost_nano_usd
    weighed = tuple(Weighed(*key, cost_nano_usd=cost) for key, cost in costs.items())
    return DecisionNote("", PLAIN, candidates=weighed)
