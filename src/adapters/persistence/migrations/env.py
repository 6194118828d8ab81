"""Run by Alembic: migrate the one connection that `schema` hands over, inside its transaction."""

from alembic import context
from sqlalchemy import Connection

from adapters.persistence.tables import Row


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Row.metadata,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,  # also on SQLite: the caller has begun the transaction, and its DDL rolls back
    )
    context.run_migrations()


_migrate(context.config.attributes["connection"])
