"""Sums of days whatever the key and whatever the model, roll-ups by attribute, and an index of what had no price.

The tables are filled from `usage_daily`, which has a row for each key and model of a day: a second or two for a million
requests, as the index takes. The roll-ups are made while the gateway runs.
"""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_GROUPS: dict[str, tuple[tuple[str, sa.types.TypeEngine[str]], ...]] = {
    "usage_daily_by_model": (("tenant_id", _ID), ("provider_id", _ID), ("model", sa.Text()), ("task", sa.Text())),
    "usage_daily_by_key": (("tenant_id", _ID), ("key_id", _ID)),
}
_MOMENT = sa.DateTime(timezone=True)
_ANSWERED = (
    "requests",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "cost_nano_usd",
    "estimated_requests",
    "unpriced_requests",
    "inexact_requests",
    "failed_requests",
    "refused_requests",
)
_SUMS = (
    "requests",
    "errors",
    "attempts",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "image_tokens",
    "cache_write_1h_tokens",
    "cost_nano_usd",
    "estimated_requests",
    "unpriced_requests",
    "inexact_requests",
    "refused_requests",
    "cancelled_requests",
)
_DEFAULTS = dict.fromkeys(
    ("cache_write_1h_tokens", "inexact_requests", "refused_requests", "cancelled_requests"), sa.text("0")
)


def upgrade() -> None:
    for table, groups in _GROUPS.items():
        op.create_table(
            table,
            sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
            *(sa.Column(name, kind, nullable=False) for name, kind in groups),
            *(sa.Column(name, sa.BigInteger, nullable=False, server_default=_DEFAULTS.get(name)) for name in _SUMS),
            sa.PrimaryKeyConstraint("starts_at", *(name for name, _ in groups), name=f"pk_{table}"),
            sqlite_with_rowid=False,
        )
        key = ", ".join(("starts_at", *(name for name, _ in groups)))
        sums = ", ".join(f"CAST(SUM({name}) AS BIGINT)" for name in _SUMS)
        op.execute(
            f"INSERT INTO {table} ({key}, {', '.join(_SUMS)}) "  # noqa: S608 - our own names
            f"SELECT {key}, {sums} FROM usage_daily GROUP BY {key}"
        )
    _create_roll_ups()
    op.create_index(
        "ix_requests_inexact",
        "requests",
        ["created_at", "id"],
        sqlite_where=sa.text("inexact"),
        postgresql_where=sa.text("inexact"),
    )


def downgrade() -> None:
    op.drop_index("ix_requests_inexact", "requests")
    for table in ("usage_rolled_days", "usage_roll_ups", "usage_days", *reversed(_GROUPS)):
        op.drop_table(table)


def _create_roll_ups() -> None:
    """Every day that has requests is there from the start, as written to once."""
    op.create_table(
        "usage_days",
        sa.Column("starts_at", _MOMENT, nullable=False),
        sa.Column("ends_at", _MOMENT, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("starts_at", name="pk_usage_days"),
        sqlite_with_rowid=False,
    )
    days = sa.table(
        "usage_days",
        sa.column("starts_at", _MOMENT),
        sa.column("ends_at", _MOMENT),
        sa.column("version", sa.BigInteger),
    )
    daily = sa.table("usage_daily", sa.column("starts_at", _MOMENT))
    bind = op.get_bind()
    found = [row[0] for row in bind.execute(sa.select(daily.c.starts_at).distinct())]
    if found:
        rows = [{"starts_at": day, "ends_at": day + timedelta(days=1), "version": 1} for day in found]
        bind.execute(days.insert(), rows)
    op.create_table(
        "usage_roll_ups",
        sa.Column("attribute", sa.Text, nullable=False),
        sa.Column("breakdown", sa.Text, nullable=False),
        sa.Column("starts_at", _MOMENT, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("value", sa.Text, nullable=False),
        *(sa.Column(name, _ID, nullable=False, server_default="") for name in ("tenant_id", "key_id", "provider_id")),
        *(sa.Column(name, sa.Text, nullable=False, server_default="") for name in ("model", "task")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _ANSWERED),
        sa.PrimaryKeyConstraint("attribute", "breakdown", "starts_at", "number", name="pk_usage_roll_ups"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_rolled_days",
        sa.Column("starts_at", _MOMENT, nullable=False),
        sa.Column("attribute", sa.Text, nullable=False),
        sa.Column("breakdown", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("kept", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("starts_at", "attribute", "breakdown", name="pk_usage_rolled_days"),
        sqlite_with_rowid=False,
    )
