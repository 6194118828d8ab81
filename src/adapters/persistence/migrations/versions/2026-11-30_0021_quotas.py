"""Quotas of provider keys, and what was used of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.add_column("provider_keys", sa.Column("quota", _JSON, nullable=True))
    op.create_table(
        "quota_counts",
        sa.Column("owner_id", _ID, nullable=False),
        sa.Column("name", _ID, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "name", "starts_at", name="pk_quota_counts"),
    )
    op.create_index("ix_quota_counts_ends_at", "quota_counts", ["ends_at"])
    op.create_table(
        "quota_findings",
        sa.Column("owner_id", _ID, nullable=False),
        sa.Column("name", _ID, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "name", name="pk_quota_findings"),
    )


def downgrade() -> None:
    op.drop_table("quota_findings")
    op.drop_index("ix_quota_counts_ends_at", "quota_counts")
    op.drop_table("quota_counts")
    op.drop_column("provider_keys", "quota")
