"""Tables of what happened: one row a request, one a call it took, and how far the spool has been read."""

from sqlalchemy import BigInteger, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Json, Moment, Row
from domain.records import Outcome, UsageSource


def _indexes_of_attribution() -> list[Index]:
    named = ("end_user", "session", "route")
    there = {"user_id": "user_id IS NOT NULL"} | {name: f"{name} <> ''" for name in named}
    return [
        Index(f"ix_requests_{name}", name, "created_at", "id", sqlite_where=text(has), postgresql_where=text(has))
        for name, has in there.items()
    ]


class RequestRow(Row):
    """A settled request. `estimated`, `unpriced` and `inexact` are true where one of its attempts is. `charges` are
    what it cost its budgets, as `Charge`s. Tokens and cost are those of all its attempts, for questions that no table
    of sums answers; null, in what an older version wrote, says that the attempts have to be asked.
    """

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
    inexact: Mapped[bool] = mapped_column(server_default=text("false"))
    latency_ms: Mapped[float]
    ttft_ms: Mapped[float | None]
    charges: Mapped[list[list[str | int]] | None] = mapped_column(Json)
    refused_by: Mapped[str] = mapped_column(Text, server_default="", default="")
    user_id: Mapped[Identifier | None]
    tags: Mapped[list[str] | None] = mapped_column(Json)
    end_user: Mapped[str] = mapped_column(Text, server_default="", default="")
    session: Mapped[str] = mapped_column(Text, server_default="", default="")
    device: Mapped[str] = mapped_column(Text, server_default="", default="")
    would_refuse: Mapped[list[str] | None] = mapped_column(Json)
    input_tokens: Mapped[int | None] = mapped_column(BigInteger)
    output_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cache_read_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cache_write_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cache_write_1h_tokens: Mapped[int | None] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cost_nano_usd: Mapped[int | None] = mapped_column(BigInteger)
    route: Mapped[str] = mapped_column(Text, server_default="", default="")
    holdout: Mapped[bool] = mapped_column(server_default=text("false"), default=False)
    savings_nano_usd: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        Index("ix_requests_created_at", "created_at", "id"),
        # Behind the id is what may be filtered by as well: rows that do not match need not be looked up.
        Index("ix_requests_tenant_id", "tenant_id", "created_at", "id", "outcome", "status"),
        Index("ix_requests_key_id", "key_id", "created_at", "id", "provider_id", "model", "outcome", "status"),
        Index("ix_requests_provider_id", "provider_id", "created_at", "id", "outcome", "status"),
        Index("ix_requests_model", "model", "created_at", "id", "provider_id", "outcome", "status"),
        # Of what most requests do not have: those that do not cost nothing here.
        *_indexes_of_attribution(),
        # What used something without a price, newest first.
        Index(
            "ix_requests_inexact",
            "created_at",
            "id",
            sqlite_where=text("inexact"),
            postgresql_where=text("inexact"),
        ),
        # One request in sixteen, by the end of an id that nobody chooses: what percentiles of very many are taken of.
        Index(
            "ix_requests_sample",
            "created_at",
            "decision_id",
            sqlite_where=text("substr(decision_id, -1) = '0'"),
            postgresql_where=text("right(decision_id, 1) = '0'"),
        ),
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
    """One upstream call. Without tokens and cost where `usage_source` is `none`; unpriced where the cost is null.

    `cost_nano_usd` is what the provider reported, where it did, else what was computed. `cost_missing` are the names of
    what has no price, with commas between; `billing` is JSON of what else the answer said (`BillingFacts`).
    """

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
    computed_nano_usd: Mapped[int | None] = mapped_column(BigInteger)
    reported_nano_usd: Mapped[int | None] = mapped_column(BigInteger)
    cost_missing: Mapped[str] = mapped_column(Text, server_default=text("''"))
    billing: Mapped[str | None] = mapped_column(Text)

    __table_args__ = ({"sqlite_with_rowid": False},)


class DecisionRow(Row):
    """What decided where a request went that named a route or `auto`; of other requests there is none.

    `body` is a `DecisionNote` as JSON, packed where that makes it smaller: the first byte says which.
    """

    __tablename__ = "decisions"

    request_id: Mapped[Identifier] = mapped_column(primary_key=True)
    decision_id: Mapped[Identifier]
    body: Mapped[bytes]

    __table_args__ = (Index("ix_decisions_decision_id", "decision_id"), {"sqlite_with_rowid": False})


class SpoolOffsetRow(Row):
    """Up to where a spool segment is applied, in bytes."""

    __tablename__ = "spool_offsets"

    segment: Mapped[Identifier] = mapped_column(primary_key=True)
    applied_bytes: Mapped[int] = mapped_column(BigInteger)
