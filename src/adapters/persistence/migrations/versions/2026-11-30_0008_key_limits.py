"""Give virtual keys limits and budgets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("virtual_keys", sa.Column("limits", _JSON, nullable=False, server_default="{}"))
    op.add_column("virtual_keys", sa.Column("budgets", _JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    with op.batch_alter_table("virtual_keys") as table:
        table.drop_column("budgets")
        table.drop_column("limits")
