"""Virtual keys with all that narrows them, a secret that outlives its rotation, and model groups."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_MOMENT = sa.DateTime(timezone=True)
_LISTS = ("allowed_endpoints", "scopes", "cidrs")
_ADDED = (*_LISTS, "tags", "metadata", "previous_digest", "previous_until", "last_used_at")


def upgrade() -> None:
    for name in _LISTS:
        op.add_column("virtual_keys", sa.Column(name, _JSON, nullable=True))
    op.add_column("virtual_keys", sa.Column("tags", _JSON, nullable=False, server_default="[]"))
    op.add_column("virtual_keys", sa.Column("metadata", _JSON, nullable=False, server_default="{}"))
    op.add_column("virtual_keys", sa.Column("previous_digest", sa.LargeBinary, nullable=True))
    op.add_column("virtual_keys", sa.Column("previous_until", _MOMENT, nullable=True))
    op.add_column("virtual_keys", sa.Column("last_used_at", _MOMENT, nullable=True))
    op.create_index("ix_virtual_keys_previous_digest", "virtual_keys", ["previous_digest"])
    op.create_table(
        "model_groups",
        sa.Column("name", _ID, nullable=False),
        sa.Column("patterns", _JSON, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_model_groups"),
    )


def downgrade() -> None:
    op.drop_table("model_groups")
    op.drop_index("ix_virtual_keys_previous_digest", "virtual_keys")
    with op.batch_alter_table("virtual_keys") as table:
        for name in _ADDED:
            table.drop_column(name)
