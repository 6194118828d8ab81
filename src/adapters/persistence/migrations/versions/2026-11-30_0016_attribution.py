"""Requests with whom and what they are for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_THERE = {"user_id": "user_id IS NOT NULL", "end_user": "end_user <> ''", "session": "session <> ''"}


def upgrade() -> None:
    op.add_column("requests", sa.Column("user_id", _ID, nullable=True))
    op.add_column("requests", sa.Column("tags", _JSON, nullable=True))
    for name in ("end_user", "session", "device"):
        op.add_column("requests", sa.Column(name, sa.Text, nullable=False, server_default=""))
    for name, has in _THERE.items():
        op.create_index(
            f"ix_requests_{name}",
            "requests",
            [name, "created_at", "id"],
            sqlite_where=sa.text(has),
            postgresql_where=sa.text(has),
        )


def downgrade() -> None:
    for name in _THERE:
        op.drop_index(f"ix_requests_{name}", "requests")
    for name in ("device", "session", "end_user", "tags", "user_id"):
        op.drop_column("requests", name)
