"""Which deployment a conversation is with, for all processes."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "conversation_places",
        sa.Column("conversation", _ID, nullable=False),
        sa.Column("provider_id", _ID, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("keeps_seconds", sa.Integer, nullable=False),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("conversation", name="pk_conversation_places"),
    )
    op.create_index("ix_conversation_places_served_at", "conversation_places", ["served_at"])


def downgrade() -> None:
    op.drop_table("conversation_places")
