"""Make the first tables: tenants, keys, providers, and what is known of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_clients()
    _create_providers()
    _create_state()


def downgrade() -> None:
    for table in ("facts", "key_states", "offerings", "provider_keys", "providers", "virtual_keys", "tenants"):
        op.drop_table(table)


def _create_clients() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
    )
    op.create_table(
        "virtual_keys",
        sa.Column("id", _ID, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("last4", sa.Text, nullable=False),
        sa.Column("allowed_models", _JSON),
        sa.Column("allowed_providers", _JSON),
        sa.Column("expires_at", _MOMENT),
        sa.Column("revoked_at", _MOMENT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_virtual_keys"),
        sa.UniqueConstraint("digest", name="uq_virtual_keys_digest"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_virtual_keys_tenant_id_tenants"),
    )
    op.create_index("ix_virtual_keys_tenant_id", "virtual_keys", ["tenant_id"])


def _create_providers() -> None:
    op.create_table(
        "providers",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("base_url", sa.Text),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("settings", _JSON, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_providers"),
    )
    op.create_table(
        "provider_keys",
        sa.Column("id", _ID, nullable=False),
        sa.Column("provider_id", _ID, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("sealed_secret", sa.Text, nullable=False),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_provider_keys"),
    )
    op.create_index("ix_provider_keys_provider_id", "provider_keys", ["provider_id"])
    op.create_table(
        "offerings",
        sa.Column("provider_id", _ID, nullable=False),
        sa.Column("listed_at", _MOMENT, nullable=False),
        sa.Column("models", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("provider_id", name="pk_offerings"),
    )


def _create_state() -> None:
    op.create_table(
        "key_states",
        sa.Column("key_id", _ID, nullable=False),
        sa.Column("condition", sa.Text, nullable=False),
        sa.Column("until", _MOMENT),
        sa.Column("since", _MOMENT),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("strikes", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_key_states"),
    )
    op.create_table(
        "facts",
        sa.Column("name", _ID, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_facts"),
    )
