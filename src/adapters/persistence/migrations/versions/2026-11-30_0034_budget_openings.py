"""What was spent in a period before its budget was set."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "budget_periods", sa.Column("opening_nano_usd", sa.BigInteger, server_default=sa.text("0"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("budget_periods", "opening_nano_usd")
