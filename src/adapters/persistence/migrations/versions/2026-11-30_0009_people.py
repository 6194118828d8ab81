"""Tenants with what may be used in them, users, memberships, and keys that belong to a user."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_MOMENT = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("tenants") as table:
        table.add_column(sa.Column("updated_at", _MOMENT, nullable=True))
        table.add_column(sa.Column("status", sa.Text, nullable=False, server_default=sa.text("'active'")))
        for name in ("allowed_models", "allowed_providers", "cidrs"):
            table.add_column(sa.Column(name, _JSON, nullable=True))
        table.add_column(sa.Column("limits", _JSON, nullable=False, server_default=sa.text("'{}'")))
        table.add_column(sa.Column("budgets", _JSON, nullable=False, server_default=sa.text("'[]'")))
        table.add_column(sa.Column("tags", _JSON, nullable=False, server_default=sa.text("'[]'")))
        table.add_column(sa.Column("external_id", sa.Text, nullable=True))
        table.add_column(sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1")))
    op.execute("UPDATE tenants SET updated_at = created_at")
    with op.batch_alter_table("tenants") as table:
        table.alter_column("updated_at", existing_type=_MOMENT, nullable=False)
    op.create_index("ix_tenants_kind", "tenants", ["kind"])
    op.create_table(
        "users",
        sa.Column("id", _ID, nullable=False),
        sa.Column("email", sa.Text, nullable=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("platform_role", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("personal_tenant_id", _ID, nullable=True),
        sa.Column("last_seen_at", _MOMENT, nullable=True),
        sa.Column("limits", _JSON, nullable=False),
        sa.Column("budgets", _JSON, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "memberships",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("limits", _JSON, nullable=False),
        sa.Column("budgets", _JSON, nullable=False),
        sa.Column("managed_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", name="pk_memberships"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_memberships_tenant_id_tenants"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_memberships_user_id_users"),
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"])
    op.add_column("virtual_keys", sa.Column("owner_id", _ID, nullable=True))
    op.create_index("ix_virtual_keys_owner_id", "virtual_keys", ["owner_id"])


def downgrade() -> None:
    op.drop_index("ix_virtual_keys_owner_id", "virtual_keys")
    with op.batch_alter_table("virtual_keys") as table:
        table.drop_column("owner_id")
    op.drop_table("memberships")
    op.drop_table("users")
    op.drop_index("ix_tenants_kind", "tenants")
    added = ("updated_at", "status", "allowed_models", "allowed_providers", "cidrs", "limits", "budgets", "tags")
    with op.batch_alter_table("tenants") as table:
        for name in (*added, "external_id", "version"):
            table.drop_column(name)
