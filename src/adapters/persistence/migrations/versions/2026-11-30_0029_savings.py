"""What routing saved, in every table of sums. Nothing from before saved anything."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_TABLES = (
    "usage_hourly",
    "usage_daily",
    "usage_hourly_by_model",
    "usage_hourly_by_key",
    "usage_daily_by_model",
    "usage_daily_by_key",
    "usage_roll_ups",
)


def upgrade() -> None:
    for table in _TABLES:
        column = sa.Column("savings_nano_usd", sa.BigInteger, nullable=False, server_default=sa.text("0"))
        op.add_column(table, column)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_column(table, "savings_nano_usd")
