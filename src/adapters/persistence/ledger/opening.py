"""Which ledger store serves a database URL."""

from typing import Protocol

from adapters.persistence.engine import parse_url, sqlite_path
from adapters.persistence.ledger.sqlite import SqliteLedgerStore
from domain.ports.ledger import LedgerStore


class OpenLedgerStore(LedgerStore, Protocol):
    """A ledger store that must be closed."""

    async def aclose(self) -> None: ...


def open_ledger_store(database_url: str) -> OpenLedgerStore:
    """The store for the database; nothing is opened before it is asked. Raises `DatabaseUrlInvalid`."""
    url = parse_url(database_url)
    path = sqlite_path(url)
    if path is not None:
        return SqliteLedgerStore(path)
    from adapters.persistence.ledger.postgres import PostgresLedgerStore  # asyncpg is not there to be paid for

    return PostgresLedgerStore(url)
