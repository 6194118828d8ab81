"""The audit trail in a table: each entry is signed with the code of the one before, so none can be changed unseen.

`verify` is the other half of `append`: it says which entries are not as they were written.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from adapters.persistence.tables import AuditHeadRow, AuditRow
from adapters.persistence.work import Work, guarded, insert_into
from adapters.telemetry.redaction import mask
from domain.actors import Actor
from domain.audit import AuditEntry, AuditFilter, AuditRecord, FieldChange
from domain.ports.audit import AuditRepository
from domain.ports.runtime import Clock
from domain.ports.security import SecretBox, SecretUnreadable

HEAD = "head"
MAX_DIFFERENCES = 100
_PAGE = 1_000


class SqlAlchemyAuditRepository(AuditRepository):
    def __init__(self, work: Work, box: SecretBox, clock: Clock) -> None:
        self._work = work
        self._box = box
        self._clock = clock

    @override
    @guarded
    async def append(self, record: AuditRecord) -> int:
        """The head's row is held until the unit ends, so that entries have one order, whatever process writes them."""
        session = self._work.session
        first = insert_into(session, AuditHeadRow).values(name=HEAD, sequence=1, code="")
        taken = first.on_conflict_do_update(
            index_elements=["name"], set_={"sequence": AuditHeadRow.sequence + 1}
        ).returning(AuditHeadRow.sequence, AuditHeadRow.code)
        sequence, before = (await session.execute(taken)).one()
        columns = _columns(sequence, self._clock.now(), record)
        code = self._box.sign(_signed_text(before, columns))
        await session.execute(insert(AuditRow).values(columns | {"code": code}))
        await session.execute(update(AuditHeadRow).where(AuditHeadRow.name == HEAD).values(code=code))
        return int(sequence)

    @override
    @guarded
    async def page(self, filter_: AuditFilter, limit: int, before: int | None) -> Sequence[AuditEntry]:
        wanted = list(_conditions(filter_))
        if before is not None:
            wanted.append(AuditRow.sequence < before)
        found = select(AuditRow).where(*wanted).order_by(AuditRow.sequence.desc()).limit(limit)
        return [_entry(row) for row in (await self._work.session.execute(found)).scalars()]


class AuditVerification(msgspec.Struct, frozen=True):
    """How many entries there are, the code of the last one, and what is not as it was written, at most 100 of them."""

    entries: int
    head: str
    differences: tuple[str, ...]


async def verify(session: AsyncSession, box: SecretBox, expected: tuple[int, str] | None = None) -> AuditVerification:
    """Walk the whole chain. `expected` is a sequence and its code, written down earlier somewhere else.

    The entry that was touched is named, and not those after it: each may follow what the one before says its code is,
    or what that code was.
    """
    differences: list[str] = []
    at, said, was, found = 0, "", "", ""
    while len(differences) < MAX_DIFFERENCES and (rows := await _rows_after(session, at)):
        for sequence, row in rows:
            if sequence != at + 1:
                differences.append(f"{_named(at + 1, sequence - 1)} missing")
                trouble = None  # there is nothing to hold it against
            else:
                trouble = _trouble(row, box, {said, was})
            if trouble:
                differences.append(f"{_name(sequence)} {trouble}")
            was = _code_that_was(row, box, said) if row is not None else ""
            at, said = sequence, row.code if row is not None else ""
            if expected is not None and sequence == expected[0]:
                found = said
        session.expunge_all()
    differences += await _troubles_of_the_end(session, at, said)
    if expected is not None and found != expected[1]:
        differences.append(f"{_name(expected[0])} is not the one that was written down: it was replaced, or is missing")
    return AuditVerification(at, said, tuple(differences[:MAX_DIFFERENCES]))


async def _rows_after(session: AsyncSession, sequence: int) -> list[tuple[int, AuditRow | None]]:
    """The next page. A row that cannot even be read, as text that is no longer UTF-8, is None."""
    following = select(AuditRow.sequence).where(AuditRow.sequence > sequence).order_by(AuditRow.sequence).limit(_PAGE)
    sequences = (await session.execute(following)).scalars().all()
    if not sequences:
        return []
    page = select(AuditRow).where(AuditRow.sequence.between(sequences[0], sequences[-1]))
    try:
        read = {row.sequence: row for row in (await session.execute(page)).scalars()}
        return [(one, read[one]) for one in sequences]
    except (SQLAlchemyError, ValueError):
        return [(one, await _readable(session, one)) for one in sequences]


async def _readable(session: AsyncSession, sequence: int) -> AuditRow | None:
    try:
        return (await session.execute(select(AuditRow).where(AuditRow.sequence == sequence))).scalar_one()
    except (SQLAlchemyError, ValueError):
        return None


async def _troubles_of_the_end(session: AsyncSession, last: int, code: str) -> list[str]:
    head = (await session.execute(select(AuditHeadRow).where(AuditHeadRow.name == HEAD))).scalar_one_or_none()
    if head is None:
        return ["the record of where the trail ends is missing"] if last else []
    if head.sequence > last:
        return [f"{_named(last + 1, head.sequence)} missing at the end"]
    if head.sequence < last or head.code != code:
        return [f"the record of where the trail ends does not fit its last entry, {_name(last)}"]
    return []


def _trouble(row: AuditRow | None, box: SecretBox, before: set[str]) -> str | None:
    if row is None:
        return "cannot be read"
    columns = _columns_of(row)
    try:
        if any(box.signed(_signed_text(code, columns), row.code) for code in before):
            return None
    except SecretUnreadable as error:
        return f"cannot be verified: {error}"
    return "is not as it was written"


def _code_that_was(row: AuditRow, box: SecretBox, before: str) -> str:
    """The code that belongs to a row as it is now: the one it had, unless its content was touched."""
    try:
        return box.sign(_signed_text(before, _columns_of(row)), row.code.partition(".")[0])
    except SecretUnreadable:
        return box.sign(_signed_text(before, _columns_of(row)))


def _name(sequence: int) -> str:
    return f"entry {sequence}"


def _named(first: int, last: int) -> str:
    return f"{_name(first)} is" if first == last else f"entries {first} to {last} are"


def _signed_text(before: str, columns: Mapping[str, Any]) -> bytes:
    """Every column by name, in a fixed order, as JSON, whose quoting keeps one from running into the next."""
    at: datetime = columns["created_at"]
    stamped = {**columns, "created_at": at.astimezone(UTC).isoformat(timespec="microseconds")}
    return msgspec.json.encode([before, sorted(stamped.items())])


def _columns(sequence: int, now: datetime, record: AuditRecord) -> dict[str, Any]:
    actor = record.actor
    return {
        "sequence": sequence,
        "created_at": now,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_name": mask(actor.name),
        "address": actor.address,
        "request_id": actor.request_id,
        "action": record.action,
        "object_kind": record.object_kind,
        "object_id": mask(record.object_id),
        "tenant_id": record.tenant_id,
        "changes": msgspec.json.encode([_masked(change) for change in record.changes]).decode(),
        "outcome": record.outcome,
    }


def _columns_of(row: AuditRow) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in AuditRow.__table__.columns if column.name != "code"}


def _masked(change: FieldChange) -> FieldChange:
    """Whatever a person wrote may look like a credential: a key that was pasted as a name, say."""
    old, new = (msgspec.Raw(msgspec.json.encode(_mask(msgspec.json.decode(side)))) for side in (change.old, change.new))
    return FieldChange(mask(change.field), old, new)


def _mask(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_mask(item) for item in value]
    if isinstance(value, dict):
        return {mask(name): _mask(item) for name, item in value.items()}
    return value


def _conditions(filter_: AuditFilter) -> list[ColumnElement[bool]]:
    named = {
        AuditRow.actor_id: filter_.actor,
        AuditRow.action: filter_.action,
        AuditRow.object_kind: filter_.object_kind,
        AuditRow.object_id: filter_.object_id,
        AuditRow.tenant_id: filter_.tenant_id,
        AuditRow.outcome: filter_.outcome,
    }
    wanted = [column == value for column, value in named.items() if value is not None]
    if filter_.start is not None:
        wanted.append(AuditRow.created_at >= filter_.start)
    if filter_.end is not None:
        wanted.append(AuditRow.created_at < filter_.end)
    return wanted


def _entry(row: AuditRow) -> AuditEntry:
    record = AuditRecord(
        actor=Actor(
            row.actor_kind,  # type: ignore[arg-type]  # a kind of a newer version is shown as it is
            row.actor_id,
            row.actor_name,
            address=row.address,
            request_id=row.request_id,
        ),
        action=row.action,
        object_kind=row.object_kind,
        object_id=row.object_id,
        tenant_id=row.tenant_id,
        changes=msgspec.json.decode(row.changes, type=tuple[FieldChange, ...]),
        outcome=row.outcome,
    )
    return AuditEntry(row.sequence, row.created_at, record)
