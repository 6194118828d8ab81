"""Work on the store without a running gateway: copies of it, a new master key for it, a check of its books."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from adapters.clock import SystemClock
from adapters.ledger.inspection import applied_segments
from adapters.persistence import backup, schema
from adapters.persistence.backup import Backup, BackupRefused
from adapters.persistence.ledger.verification import VERIFY_SECONDS, Verification, verify
from adapters.persistence.repositories.audit import AuditVerification
from adapters.persistence.retention import SqlAlchemyRetention
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.rolling import SqlAlchemyRollUps
from adapters.security.secret_box import AesGcmSecretBox
from entrypoints.ioc.security import key_ring, key_ring_to_rotate
from entrypoints.settings.model import Settings

__all__ = [
    "Backup",
    "BackupRefused",
    "back_up",
    "count_old_requests",
    "prune_requests",
    "restore",
    "rotate_master_key",
    "verify_audit",
    "verify_ledger",
]


PATIENT_SECONDS = 60.0
"""A command has no client waiting."""


async def back_up(settings: Settings, target: Path) -> Backup:
    """A copy of the database, also while it is in use. Raises `BackupRefused`."""
    return await backup.backup(settings.database, target)


async def restore(settings: Settings, source: Path) -> Backup:
    """Put a copy back, where nobody uses the database, and bring it up to date. Raises `BackupRefused`."""
    restored = await backup.restore(settings.database, source)
    await schema.upgrade(settings.database)
    return restored


async def verify_ledger(settings: Settings) -> Verification:
    """Whether the ledger adds up. Raises `StoreUnavailable`."""
    store = SqlAlchemyStore(settings.database, AesGcmSecretBox(key_ring(settings)))
    try:
        return await verify(store, applied_segments(settings.data_dir / "spool"))
    finally:
        await store.aclose()


@asynccontextmanager
async def _retention(settings: Settings) -> AsyncIterator[SqlAlchemyRetention]:
    store = SqlAlchemyStore(settings.database, AesGcmSecretBox(key_ring(settings)), unit_seconds=PATIENT_SECONDS)
    clock = SystemClock()
    try:
        yield SqlAlchemyRetention(store, SqlAlchemyRollUps(store, clock), clock)
    finally:
        await store.aclose()


async def count_old_requests(settings: Settings, before: datetime) -> int:
    """Single requests of days before. Raises `StoreUnavailable`."""
    async with _retention(settings) as retention:
        return await retention.count(before)


async def prune_requests(settings: Settings, before: datetime) -> int:
    """Delete them; how many. Raises `StoreUnavailable`."""
    async with _retention(settings) as retention:
        return await retention.prune(before)


async def verify_audit(settings: Settings, expected: tuple[int, str] | None) -> AuditVerification:
    """Whether the audit trail is as it was written; `expected` is an entry written down earlier. `StoreUnavailable`."""
    store = SqlAlchemyStore(settings.database, AesGcmSecretBox(key_ring(settings)))
    try:
        return await store.verify_audit(VERIFY_SECONDS, expected)
    finally:
        await store.aclose()


async def rotate_master_key(settings: Settings) -> tuple[int, str]:
    """Seal every stored secret under the newest master key: how many changed, and the key's id.

    A key file gets a new key first; the old ones stay in it, so that a stop in between loses nothing.
    """
    ring = key_ring_to_rotate(settings)
    store = SqlAlchemyStore(settings.database, AesGcmSecretBox(ring), unit_seconds=60.0)
    try:
        async with store.write() as unit:
            changed = await unit.keys.reencrypt_all() + await unit.alert_config.reencrypt_all()
    finally:
        await store.aclose()
    return changed, ring.kids[0]
