"""Run by Alembic: migrate the one connection that `schema` hands over, inside its transaction."""

from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script
from sqlalchemy import Connection

from adapters.persistence.schema_history import forget_step, write_step
from adapters.persistence.tables import Row


def _note(ctx: MigrationContext, step: MigrationInfo, heads: Any, run_args: Any) -> None:  # noqa: ARG001 - given by name
    """Called after each migration, up or down."""
    script = step.up_revision
    if ctx.connection is None or not isinstance(script, Script):
        return
    if step.is_upgrade:
        write_step(ctx.connection, script.revision, script.doc, script.module)
    else:
        forget_step(ctx.connection, script.revision)


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Row.metadata,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
        on_version_apply=_note,
        transactional_ddl=True,  # also on SQLite: the caller has begun the transaction, and its DDL rolls back
    )
    context.run_migrations()


_migrate(context.config.attributes["connection"])
