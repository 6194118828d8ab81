"""The audit trail: who changed what, from where, field by field, and who was refused (P-10, S-38)."""

from datetime import datetime
from typing import Literal

import msgspec

from domain.actors import Actor

SECRET_CHANGED = msgspec.Raw(b'"changed"')
"""What stands in place of a secret's value, old or new."""

NOTHING = msgspec.Raw(b"null")


class FieldChange(msgspec.Struct, frozen=True):
    """One field of the object, with its values as JSON; a field of a field is `settings.default_model`.

    An object that was created had null everywhere before, one that was deleted has it afterwards.
    """

    field: str
    old: msgspec.Raw
    new: msgspec.Raw


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done or refused, as it is handed to the trail. `tenant_id` is the object's, where it has one.

    `actor` says from where and by which request too. `outcome` is `refused` for what the actor had no right to.
    """

    actor: Actor
    action: str
    object_kind: str
    object_id: str
    tenant_id: str | None = None
    changes: tuple[FieldChange, ...] = ()
    outcome: Literal["ok", "refused"] = "ok"


class AuditEntry(msgspec.Struct, frozen=True):
    """One row of the trail. `sequence` counts from 1 without a gap; the trail itself gives it, and the moment."""

    sequence: int
    created_at: datetime
    record: AuditRecord

    @property
    def id(self) -> str:
        """`aud_000000000042`: sorts as it counts."""
        return f"aud_{self.sequence:012d}"


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; None is anything. `start` is included, `end` is not. `actor` is an id."""

    actor: str | None = None
    action: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    tenant_id: str | None = None
    outcome: str | None = None
    start: datetime | None = None
    end: datetime | None = None
