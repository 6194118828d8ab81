"""Whose budgets in shadow would have refused a request."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.add_column("requests", sa.Column("would_refuse", _JSON, nullable=True))


def downgrade() -> None:
    op.drop_column("requests", "would_refuse")
