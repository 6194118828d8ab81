"""Answers that are kept for clients' `Idempotency-Key`s."""

from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Row


class IdempotentAnswerRow(Row):
    """One key of one caller and route, by its digest. Seconds since 1970.

    `status` is null while its request is under way, as long as `leased_until` is renewed; `answer` is sealed, and null
    where it cannot be given again.
    """

    __tablename__ = "idempotent_answers"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(Text)
    leased_until: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    status: Mapped[int | None] = mapped_column(BigInteger)
    answer: Mapped[str | None] = mapped_column(Text)
    bytes: Mapped[int] = mapped_column(BigInteger)
    replays: Mapped[int] = mapped_column(BigInteger)
