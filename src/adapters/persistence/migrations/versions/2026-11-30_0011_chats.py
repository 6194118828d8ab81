"""Conversations, their messages, templates and pictures of the chat app, and what people used in it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_MOMENT = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_COUNTS = (
    "requests", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens",
    "cost_nano_usd", "estimated_requests", "unpriced_requests", "inexact_requests",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", _ID, nullable=False),
        sa.Column("owner_id", _ID, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("searchable", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("system_prompt", sa.Text, nullable=False),
        sa.Column("device_id", sa.Text, nullable=True),
        sa.Column("parent_id", _ID, nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    op.create_index("ix_conversations_owner", "conversations", ["owner_id", "updated_at", "id"])
    _create_messages()
    op.create_table(
        "chat_templates",
        sa.Column("id", _ID, nullable=False),
        sa.Column("owner_id", _ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("system", sa.Boolean, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chat_templates"),
    )
    op.create_index("ix_chat_templates_owner_id", "chat_templates", ["owner_id"])
    op.create_table(
        "chat_pictures",
        sa.Column("id", _ID, nullable=False),
        sa.Column("owner_id", _ID, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chat_pictures"),
    )
    op.create_index("ix_chat_pictures_owner_id", "chat_pictures", ["owner_id"])
    op.create_table(
        "chat_totals",
        sa.Column("owner_id", _ID, nullable=False),
        sa.Column("device_id", _ID, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _COUNTS),
        sa.PrimaryKeyConstraint("owner_id", "device_id", "model", name="pk_chat_totals"),
    )


def _create_messages() -> None:
    op.create_table(
        "chat_messages",
        sa.Column("id", _ID, nullable=False),
        sa.Column("conversation_id", _ID, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("content", _JSON, nullable=False),
        sa.Column("searchable", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("parent_id", _ID, nullable=True),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("model", sa.Text, nullable=True),
        sa.Column("provider", sa.Text, nullable=True),
        sa.Column("temperature", sa.Float, nullable=True),
        sa.Column("reasoning", sa.Text, nullable=False),
        *(
            sa.Column(name, sa.BigInteger, nullable=True)
            for name in ("tokens_input", "tokens_output", "cost_nano_usd", "latency_ms")
        ),
        sa.Column("request_id", sa.Text, nullable=True),
        sa.Column("error", sa.Text, nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_chat_messages_conversation_id_conversations"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_chat_messages"),
    )
    op.create_index("ix_chat_messages_conversation", "chat_messages", ["conversation_id", "id"])


def downgrade() -> None:
    for name in ("chat_totals", "chat_pictures", "chat_templates", "chat_messages", "conversations"):
        op.drop_table(name)
