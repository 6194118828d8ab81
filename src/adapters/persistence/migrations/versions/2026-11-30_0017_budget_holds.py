"""Hold of budgets in the database, for several processes."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("budget_periods", sa.Column("held_nano_usd", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "budget_holds",
        sa.Column("hold_id", _ID, nullable=False),
        sa.Column("account", _ID, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("nano_usd", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("hold_id", "account", name="pk_budget_holds"),
    )


def downgrade() -> None:
    op.drop_table("budget_holds")
    op.drop_column("budget_periods", "held_nano_usd")
