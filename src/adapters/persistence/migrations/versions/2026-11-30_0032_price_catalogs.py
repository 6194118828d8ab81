"""Catalogs of list prices that were taken in after the release."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "price_catalogs",
        sa.Column("version", _ID, nullable=False),
        sa.Column("sha256", _ID, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("models", sa.Integer, nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_price_catalogs"),
    )


def downgrade() -> None:
    op.drop_table("price_catalogs")
