"""Reads the tables of a LiteLLM database. Nothing is written there, and what is not asked for is not read."""

from collections.abc import Mapping
from typing import Any

from adapters.litellm.source import TABLES

SECONDS = 60.0


class DatabaseUnreadable(Exception):
    """The database cannot be asked, or is none of LiteLLM. The message is one line, without the password."""


async def read_tables(url: str | None) -> Mapping[str, list[dict[str, Any]]]:
    """The rows of those tables that are there, by name without `LiteLLM_`; none where there is no database.

    Raises `DatabaseUnreadable`.

    `url` is as LiteLLM's DATABASE_URL; parameters of its own client (`schema`, `connection_limit`, …) are understood.
    """
    if url is None:
        return {}
    import asyncpg  # type: ignore[import-untyped]  # it ships no types

    address, schema = _address(url)
    try:
        connection = await asyncpg.connect(address, timeout=SECONDS, statement_cache_size=0)
    except (OSError, ValueError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseUnreadable(f"the database of LiteLLM cannot be reached: {type(error).__name__}") from error
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            there = await connection.fetch(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = $1", schema
            )
            names = {row[0] for row in there}
            if "LiteLLM_VerificationToken" not in names:
                raise DatabaseUnreadable(f"this is no database of LiteLLM: it has no tables of it in schema {schema}")
            return {
                table: [dict(row) for row in await connection.fetch(_select(schema, table))]
                for table in TABLES
                if f"LiteLLM_{table}" in names
            }
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise DatabaseUnreadable(f"the database of LiteLLM cannot be read: {error}") from error
    finally:
        await connection.close()


def _select(schema: str, table: str) -> str:
    quoted = schema.replace('"', '""')
    return f'SELECT * FROM "{quoted}"."LiteLLM_{table}" ORDER BY 1'  # noqa: S608 - our own names, and a quoted one


def _address(url: str) -> tuple[str, str]:
    """For asyncpg, and the schema: Prisma's client takes it from a parameter."""
    from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise DatabaseUnreadable(
            "--database-url is no address such as postgresql://user:password@host/litellm"
        ) from error
    scheme = parts.scheme.partition("+")[0]
    if scheme not in {"postgres", "postgresql"}:
        raise DatabaseUnreadable("--database-url is an address such as postgresql://user:password@host/litellm")
    query = dict(parse_qsl(parts.query))
    kept = {name: value for name, value in query.items() if name in {"sslmode", "host"}}
    return urlunsplit((scheme, parts.netloc, parts.path, urlencode(kept), "")), query.get("schema", "public")
