"""What admins set of models beside their prices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "model_facts",
        sa.Column("provider_id", _ID, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("facts", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "model", name="pk_model_facts"),
    )


def downgrade() -> None:
    op.drop_table("model_facts")
