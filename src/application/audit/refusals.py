"""Who was refused, on its way into the audit trail: noted at once, written down soon, and never a flood."""

import logging
from collections.abc import Iterator

import msgspec

from domain.actors import NOBODY, Actor
from domain.audit import NOTHING, AuditRecord, FieldChange
from domain.errors import StoreUnavailable
from domain.ports.repositories import Store
from domain.ports.runtime import Clock

log = logging.getLogger(__name__)

REPEAT_SECONDS = 60.0
"""The same refusal of the same actor at the same address is one entry in that time, which says how often it was."""

MAX_KINDS = 1_000
ENTRIES_A_TURN = 20
"""What is written in one turn. Of more than that only their number is: who knocks with many names fills no disk."""


class Refusal(msgspec.Struct, frozen=True):
    """Who asked for what, as `POST /admin/keys/{key_id}`, and the error's code."""

    actor_kind: str
    actor_id: str
    address: str
    operation: str
    code: str
    about: str = ""  # the user whose account was tried


class _Noted(msgspec.Struct):
    actor: Actor
    times: int = 1


class RefusalLog:
    """Takes refusals without waiting, from whoever answers requests; `write_down` is called every second or so."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._noted: dict[Refusal, _Noted] = {}
        self._written_at: dict[Refusal, float] = {}
        self._besides = 0

    def note(self, actor: Actor, operation: str, code: str, about: str = "") -> None:
        """The actor had no right to the operation, which was `about` a user where it is a sign-in."""
        refusal = Refusal(actor.kind, actor.id, actor.address, operation, code, about)
        known = self._noted.get(refusal)
        if known is not None:
            known.times += 1
        elif len(self._noted) < MAX_KINDS:
            self._noted[refusal] = _Noted(actor)
        else:
            self._besides += 1

    async def write_down(self, *, everything: bool = False) -> None:
        """Write what is due; with `everything`, also what was written less than a minute ago."""
        now = self._clock.monotonic()
        self._written_at = {r: at for r, at in self._written_at.items() if now - at < REPEAT_SECONDS}
        due = [refusal for refusal in self._noted if everything or refusal not in self._written_at]
        if not due and not self._besides:
            return
        taken, left = due[:ENTRIES_A_TURN], due[ENTRIES_A_TURN:]
        noted = {refusal: self._noted.pop(refusal) for refusal in due}
        besides = self._besides + sum(noted[refusal].times for refusal in left)
        self._besides = 0
        try:
            async with self._store.write() as unit:
                for record in _records(noted, taken, besides):
                    await unit.audit.append(record)
        except StoreUnavailable:
            for refusal in taken:
                self._noted.setdefault(refusal, noted[refusal])
            self._besides += besides
            raise
        self._written_at |= dict.fromkeys(taken, now)


def _records(noted: dict[Refusal, _Noted], taken: list[Refusal], besides: int) -> Iterator[AuditRecord]:
    for refusal in taken:
        found = noted[refusal]
        yield _record(found.actor, refusal.operation, refusal.code, found.times, refusal.about)
    if besides:
        yield _record(NOBODY, "various", "various", besides)


def _record(actor: Actor, operation: str, code: str, times: int, about: str = "") -> AuditRecord:
    said = [FieldChange("code", NOTHING, msgspec.Raw(msgspec.json.encode(code)))]
    if about:
        said.append(FieldChange("user_id", NOTHING, msgspec.Raw(msgspec.json.encode(about))))
    if times > 1:
        said.append(FieldChange("times", NOTHING, msgspec.Raw(b"%d" % times)))
    return AuditRecord(
        actor=actor,
        action="refuse",
        object_kind="operation",
        object_id=operation,
        changes=tuple(said),
        outcome="refused",
    )
