"""Tables of what happened: one row a request, one a call it took, and how far the spool has been read."""

from sqlalchemy import BigInteger, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Moment, Row
from domain.records import Outcome, UsageSource


class RequestRow(Row):
    """A settled request. `estimated` and `unpriced` are true where one of its attempts is."""

    __tablename__ = "requests"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    decision_id: Mapped[Identifier]
    created_at: Mapped[Moment]
    tenant_id: Mapped[Identifier]
    key_id: Mapped[Identifier | None]
    endpoint: Mapped[str] = mapped_column(Text)
    requested_model: Mapped[str] = mapped_column(Text)
    provider_id: Mapped[Identifier | None]
    model: Mapped[str | None] = mapped_column(Text)
    task: Mapped[str] = mapped_column(Text)
    status: Mapped[int]
    outcome: Mapped[Outcome] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(Text)
    stream: Mapped[bool]
    estimated: Mapped[bool]
    unpriced: Mapped[bool]
    latency_ms: Mapped[float]
    ttft_ms: Mapped[float | None]

    __table_args__ = (
        Index("ix_requests_created_at", "created_at", "id"),
        # Behind the id is what may be filtered by as well: rows that do not match need not be looked up.
        Index("ix_requests_tenant_id", "tenant_id", "created_at", "id", "outcome", "status"),
        Index("ix_requests_key_id", "key_id", "created_at", "id", "provider_id", "model", "outcome", "status"),
        Index("ix_requests_provider_id", "provider_id", "created_at", "id", "outcome", "status"),
        Index("ix_requests_model", "model", "created_at", "id", "provider_id", "outcome", "status"),
        Index(
            "ix_requests_not_ok",
            "created_at",
            "id",
            "outcome",
            "status",
            "tenant_id",
            sqlite_where=text("outcome <> 'ok'"),
            postgresql_where=text("outcome <> 'ok'"),
        ),
    )


class AttemptRow(Row):
    """One upstream call. Without tokens and cost where `usage_source` is `none`; unpriced where the cost is null."""

    __tablename__ = "attempts"

    request_id: Mapped[Identifier] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[Identifier]
    key_id: Mapped[Identifier | None]
    model: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    status: Mapped[int | None]
    duration_ms: Mapped[float]
    message: Mapped[str] = mapped_column(Text)
    usage_source: Mapped[UsageSource] = mapped_column(Text)
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger)
    audio_input_tokens: Mapped[int] = mapped_column(BigInteger)
    audio_output_tokens: Mapped[int] = mapped_column(BigInteger)
    image_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_write_1h_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    price_id: Mapped[Identifier | None]
    cost_nano_usd: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = ({"sqlite_with_rowid": False},)


class SpoolOffsetRow(Row):
    """Up to where a spool segment is applied, in bytes."""

    __tablename__ = "spool_offsets"

    segment: Mapped[Identifier] = mapped_column(primary_key=True)
    applied_bytes: Mapped[int] = mapped_column(BigInteger)
