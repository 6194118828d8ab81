"""Make the audit trail, and triggers by which the database itself refuses to change or delete an entry (P-10)."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_TEXTS = ("actor_kind", "actor_id", "actor_name", "address", "request_id", "action", "object_kind", "object_id")
_REFUSED = {"audit_entries": ("UPDATE", "DELETE"), "audit_head": ("DELETE",)}
_WORDS = "the audit trail is append-only"


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in _TEXTS),
        sa.Column("tenant_id", _ID),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("changes", "outcome", "code")),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit_entries"),
    )
    op.create_index("ix_audit_entries_created_at", "audit_entries", ["created_at"])
    op.create_index("ix_audit_entries_actor_id", "audit_entries", ["actor_id", "sequence"])
    op.create_index("ix_audit_entries_object", "audit_entries", ["object_kind", "object_id", "sequence"])
    op.create_index("ix_audit_entries_tenant_id", "audit_entries", ["tenant_id", "sequence"])
    op.create_table(
        "audit_head",
        sa.Column("name", _ID, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_audit_head"),
    )
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgres()
    else:
        _guard_sqlite()


def downgrade() -> None:
    op.drop_table("audit_head")
    op.drop_table("audit_entries")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_append_only()")


def _guard_sqlite() -> None:
    for table, events in _REFUSED.items():
        for event in events:
            op.execute(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END"
            )


def _guard_postgres() -> None:
    op.execute(
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_WORDS}'; END $$"
    )
    for table, events in _REFUSED.items():
        op.execute(
            f"CREATE TRIGGER {table}_rows BEFORE {' OR '.join(events)} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION audit_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
        )
