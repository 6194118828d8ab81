"""Work on the store without a running gateway: copies of it, a new master key for it, a check of its books."""

import os
import secrets
from pathlib import Path

from adapters.ledger.inspection import ended_before, segments_below
from adapters.persistence import backup, schema
from adapters.persistence.backup import Backup, BackupRefused
from adapters.persistence.ledger.verification import AppliedSegment, Verification, verify
from adapters.persistence.store import SqlAlchemyStore
from adapters.security.key_ring import KeyRing
from adapters.security.secret_box import AesGcmSecretBox
from entrypoints.ioc.security import key_file, key_ring
from entrypoints.settings.model import Settings

__all__ = ["Backup", "BackupRefused", "back_up", "restore", "rotate_master_key", "verify_ledger"]


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
    segments = segments_below(settings.data_dir / "spool")

    def look_at(segment: str, applied_bytes: int) -> AppliedSegment | None:
        path = segments.get(segment)
        if path is None or not path.exists():
            return None
        return AppliedSegment(path.stat().st_size, tuple(ended_before(path, applied_bytes)))

    try:
        return await verify(store, look_at)
    finally:
        await store.aclose()


async def rotate_master_key(settings: Settings) -> tuple[int, str]:
    """Seal every stored secret under the newest master key: how many changed, and the key's id.

    A key file gets a new key first; the old ones stay in it, so that a stop in between loses nothing.
    """
    ring = key_ring(settings)
    if not settings.master_keys:
        ring = ring.rotated()
        _replace(key_file(settings), ring)
    store = SqlAlchemyStore(settings.database, AesGcmSecretBox(ring), unit_seconds=60.0)
    try:
        async with store.write() as unit:
            changed = await unit.keys.reencrypt_all()
    finally:
        await store.aclose()
    return changed, ring.kids[0]


def _replace(path: Path, ring: KeyRing) -> None:
    """The file has the old content or the new one, never a part."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(ring.reveal() + "\n")
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
