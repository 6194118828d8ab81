"""Make the ledger: requests, their attempts, their sums in four grains, and prices."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_MOMENT = sa.DateTime(timezone=True)

_TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "image_tokens",
)
_GRAINS = {
    "usage_hourly": ("tenant_id", "key_id", "provider_id", "model", "task"),
    "usage_daily": ("tenant_id", "key_id", "provider_id", "model", "task"),
    "usage_hourly_by_model": ("tenant_id", "provider_id", "model", "task"),
    "usage_hourly_by_key": ("tenant_id", "key_id"),
}


def upgrade() -> None:
    _create_requests()
    _create_attempts()
    for table, groups in _GRAINS.items():
        _create_sums(table, groups)
    op.create_index("ix_usage_hourly_key_id", "usage_hourly", ["key_id", "starts_at"])
    op.create_table(
        "spool_offsets",
        sa.Column("segment", _ID, nullable=False),
        sa.Column("applied_bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("segment", name="pk_spool_offsets"),
    )
    _create_prices()


def downgrade() -> None:
    for table in ("prices", "spool_offsets", *_GRAINS, "attempts", "requests"):
        op.drop_table(table)


def _create_requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", _ID, nullable=False),
        sa.Column("decision_id", _ID, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("key_id", _ID),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("requested_model", sa.Text, nullable=False),
        sa.Column("provider_id", _ID),
        sa.Column("model", sa.Text),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("error_code", sa.Text),
        sa.Column("stream", sa.Boolean, nullable=False),
        sa.Column("estimated", sa.Boolean, nullable=False),
        sa.Column("unpriced", sa.Boolean, nullable=False),
        sa.Column("latency_ms", sa.Double, nullable=False),
        sa.Column("ttft_ms", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
    )
    op.create_index("ix_requests_created_at", "requests", ["created_at", "id"])
    for column in ("tenant_id", "key_id", "provider_id", "model"):
        op.create_index(f"ix_requests_{column}", "requests", [column, "created_at", "id"])
    not_ok = sa.text("outcome <> 'ok'")
    op.create_index(
        "ix_requests_not_ok",
        "requests",
        ["created_at", "id", "outcome", "status"],
        sqlite_where=not_ok,
        postgresql_where=not_ok,
    )


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("request_id", _ID, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("provider_id", _ID, nullable=False),
        sa.Column("key_id", _ID),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("duration_ms", sa.Double, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("usage_source", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _TOKENS),
        sa.Column("price_id", _ID),
        sa.Column("cost_nano_usd", sa.BigInteger),
        sa.PrimaryKeyConstraint("request_id", "number", name="pk_attempts"),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_attempts_request_id_requests"),
        sqlite_with_rowid=False,
    )


def _create_sums(table: str, groups: Sequence[str]) -> None:
    sums = ("requests", "errors", "attempts", *_TOKENS, "cost_nano_usd", "estimated_requests", "unpriced_requests")
    op.create_table(
        table,
        sa.Column("starts_at", _MOMENT, nullable=False),
        *(sa.Column(name, sa.Text if name in ("model", "task") else _ID, nullable=False) for name in groups),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in sums),
        sa.PrimaryKeyConstraint("starts_at", *groups, name=f"pk_{table}"),
        sqlite_with_rowid=False,
    )


def _create_prices() -> None:
    op.create_table(
        "prices",
        sa.Column("id", _ID, nullable=False),
        sa.Column("provider_id", _ID, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("prices", _JSON, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("effective_from", _MOMENT, nullable=False),
        sa.Column("superseded_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_prices"),
    )
    in_force = sa.text("superseded_at IS NULL AND source = 'admin'")
    op.create_index(
        "uq_prices_in_force",
        "prices",
        ["provider_id", "model"],
        unique=True,
        sqlite_where=in_force,
        postgresql_where=in_force,
    )
