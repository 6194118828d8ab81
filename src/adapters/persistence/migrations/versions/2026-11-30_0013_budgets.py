"""Keep what was spent of budgets, what each request was charged, and whose limit refused it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "budget_periods",
        sa.Column("account", _ID, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("spent_nano_usd", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account", "starts_at", name="pk_budget_periods"),
        sqlite_with_rowid=False,
    )
    op.add_column("requests", sa.Column("charges", _JSON))
    op.add_column("requests", sa.Column("refused_by", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("requests", "refused_by")
    op.drop_column("requests", "charges")
    op.drop_table("budget_periods")
