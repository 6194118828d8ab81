"""What processes tell each other: rests of providers and models, and whose the background work is."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "provider_rests",
        sa.Column("cause", _ID, nullable=False),
        sa.Column("owner_id", _ID, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("cause", "owner_id", "model", name="pk_provider_rests"),
    )
    op.create_table(
        "leases",
        sa.Column("name", _ID, nullable=False),
        sa.Column("holder", _ID, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )


def downgrade() -> None:
    op.drop_table("leases")
    op.drop_table("provider_rests")
