"""Who took files of usage, requests or the trail away: an entry each, before anything is handed out (S-38)."""

from collections.abc import Mapping

import msgspec

from domain.actors import Actor
from domain.audit import NOTHING, AuditRecord, FieldChange
from domain.ports.repositories import Store

_encode = msgspec.json.Encoder(order="sorted").encode


class ExportTrail:
    """Writes exports into the audit trail. Raises `StoreUnavailable`, and then nothing is handed out."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def note(self, actor: Actor, operation: str, query: Mapping[str, str]) -> None:
        """`operation` is the route, as of a refusal: `GET /admin/usage`; `query` is what was asked for."""
        asked = FieldChange("query", NOTHING, msgspec.Raw(_encode(dict(query))))
        async with self._store.write() as unit:
            await unit.audit.append(
                AuditRecord(
                    actor=actor, action="export", object_kind="operation", object_id=operation, changes=(asked,)
                )
            )
