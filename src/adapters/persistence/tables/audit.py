"""Tables of the audit trail. Triggers of the migration refuse to change or to delete an entry."""

from typing import Literal

from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Moment, Row


class AuditRow(Row):
    """One entry. `code` signs it together with the code of the entry before: a chain (P-10)."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_created_at", "created_at"),
        Index("ix_audit_entries_actor_id", "actor_id", "sequence"),
        Index("ix_audit_entries_object", "object_kind", "object_id", "sequence"),
        Index("ix_audit_entries_tenant_id", "tenant_id", "sequence"),
    )

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    created_at: Mapped[Moment]
    actor_kind: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[str] = mapped_column(Text)
    actor_name: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    request_id: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    object_kind: Mapped[str] = mapped_column(Text)
    object_id: Mapped[str] = mapped_column(Text)
    tenant_id: Mapped[Identifier | None]
    changes: Mapped[str] = mapped_column(Text)
    outcome: Mapped[Literal["ok", "refused"]] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)


class AuditHeadRow(Row):
    """The one row that says where the trail ends, so that a last entry cannot be taken away unnoticed."""

    __tablename__ = "audit_head"

    name: Mapped[Identifier] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str] = mapped_column(Text)
