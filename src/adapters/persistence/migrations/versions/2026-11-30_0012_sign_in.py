"""Make the tables of sign-in: sessions, one-time tokens, hashes of passwords, preferences."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        *(
            sa.Column(name, _MOMENT, nullable=False)
            for name in ("created_at", "last_seen_at", "confirmed_at", "ends_at")
        ),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("user_agent", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("digest", name="uq_sessions_digest"),
        _of_user("sessions"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_table(
        "one_time_tokens",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ends_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_one_time_tokens"),
        _of_user("one_time_tokens"),
    )
    op.create_index("ix_one_time_tokens_user_id", "one_time_tokens", ["user_id"])
    op.create_table(
        "passwords",
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_passwords"),
        _of_user("passwords"),
    )
    op.create_table(
        "preferences",
        sa.Column("user_id", _ID, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("timezone", "locale", "theme")),
        sa.PrimaryKeyConstraint("user_id", name="pk_preferences"),
        _of_user("preferences"),
    )


def downgrade() -> None:
    for table in ("preferences", "passwords", "one_time_tokens", "sessions"):
        op.drop_table(table)


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=f"fk_{table}_user_id_users", ondelete="CASCADE")
