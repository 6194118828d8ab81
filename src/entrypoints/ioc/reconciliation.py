"""What compares a provider's bill with the ledger, on the store and without a running gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.bills.reading import ExportedBills
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.reader import SqlAlchemyUsage
from adapters.security.secret_box import AesGcmSecretBox
from application.reconciliation.reconciliation import Reconciliation
from entrypoints.ioc.security import key_ring
from entrypoints.settings.model import Settings


@asynccontextmanager
async def opened_reconciliation(settings: Settings) -> AsyncIterator[Reconciliation]:
    """Reads only. Raises `StoreUnavailable`."""
    store = SqlAlchemyStore(settings.database, AesGcmSecretBox(key_ring(settings)))
    try:
        yield Reconciliation(ExportedBills(), SqlAlchemyUsage(store), store)
    finally:
        await store.aclose()
