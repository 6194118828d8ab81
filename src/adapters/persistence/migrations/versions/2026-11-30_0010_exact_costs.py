"""Keep what a cost was computed from, what the provider reported, and what had no price.

Rows from before have none of it: their cost was computed. With defaults in the database, so that processes of the
version before may go on writing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_SUMS = ("usage_hourly", "usage_daily", "usage_hourly_by_model", "usage_hourly_by_key")


def upgrade() -> None:
    op.add_column("requests", sa.Column("inexact", sa.Boolean, nullable=False, server_default=sa.text("false")))
    for table in _SUMS:
        op.add_column(table, sa.Column("inexact_requests", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.add_column("attempts", sa.Column("computed_nano_usd", sa.BigInteger))
    op.add_column("attempts", sa.Column("reported_nano_usd", sa.BigInteger))
    op.add_column("attempts", sa.Column("cost_missing", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("attempts", sa.Column("billing", sa.Text))


def downgrade() -> None:
    """Both databases can drop a column in place: the tables are large, and SQLite's have no row ids to keep."""
    for column in ("computed_nano_usd", "reported_nano_usd", "cost_missing", "billing"):
        op.drop_column("attempts", column)
    for table in _SUMS:
        op.drop_column(table, "inexact_requests")
    op.drop_column("requests", "inexact")
