"""Limits and budgets that are stored by themselves."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Json, Moment, Row


class SubjectRuleRow(Row):
    """Limits, or a budget, of one subject."""

    __tablename__ = "subject_rules"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    subject_kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[str] = mapped_column(Text)
    limits: Mapped[dict[str, int]] = mapped_column(Json)
    budget: Mapped[dict[str, object] | None] = mapped_column(Json)
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
