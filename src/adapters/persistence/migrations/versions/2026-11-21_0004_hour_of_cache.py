"""Count apart what is written to a provider's cache for an hour.

Rows from before have none of it: nobody told it then. With a default in the database, so that processes of the version
before may go on writing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COUNTED = ("attempts", "usage_hourly", "usage_daily", "usage_hourly_by_model", "usage_hourly_by_key")
_COLUMN = "cache_write_1h_tokens"


def upgrade() -> None:
    for table in _COUNTED:
        op.add_column(table, sa.Column(_COLUMN, sa.BigInteger, nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    """Both databases can drop a column in place: the tables are large, and SQLite's have no row ids to keep."""
    for table in _COUNTED:
        op.drop_column(table, _COLUMN)
