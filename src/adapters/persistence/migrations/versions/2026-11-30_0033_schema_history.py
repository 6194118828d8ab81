"""Write down what each migration from this one on takes away, for versions that are older than it."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "schema_history",
        sa.Column("revision", _ID, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("needs", sa.Text, nullable=False),
        sa.Column("taken", sa.Text, nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_schema_history"),
    )


def downgrade() -> None:
    op.drop_table("schema_history")
