"""Routing decisions, and what requests have of them: their route, whether they were held out, what they saved."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_ROUTED = sa.text("route <> ''")


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("request_id", _ID, nullable=False),
        sa.Column("decision_id", _ID, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="pk_decisions"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_decisions_decision_id", "decisions", ["decision_id"])
    op.add_column("requests", sa.Column("route", sa.Text, nullable=False, server_default=""))
    op.add_column("requests", sa.Column("holdout", sa.Boolean, nullable=False, server_default=sa.text("false")))
    op.add_column("requests", sa.Column("savings_nano_usd", sa.BigInteger, nullable=True))
    op.create_index(
        "ix_requests_route", "requests", ["route", "created_at", "id"], sqlite_where=_ROUTED, postgresql_where=_ROUTED
    )


def downgrade() -> None:
    op.drop_index("ix_requests_route", "requests")
    for name in ("savings_nano_usd", "holdout", "route"):
        op.drop_column("requests", name)
    op.drop_index("ix_decisions_decision_id", "decisions")
    op.drop_table("decisions")
