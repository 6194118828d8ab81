"""Answers under clients' keys, in a table: compressed, and sealed as secrets are, for they are users' texts."""

import asyncio
import base64
import zlib
from typing import Final

import msgspec
from sqlalchemy import Executable, delete, func, select, update
from typing_extensions import override

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import IdempotentAnswerRow
from adapters.persistence.work import insert_into
from domain.ports.idempotency import KEPT_SECONDS, Claim, IdempotencyStore, KeptAnswer, KeptTotals
from domain.ports.runtime import Clock
from domain.ports.security import SecretBox, SecretUnreadable
from domain.secrets import Secret

LEASE_SECONDS: Final = 30
SWEEP_SECONDS: Final = 60
ASIDE_BYTES: Final = 32 * 1024
"""An answer above it is compressed in a thread."""

MAX_BYTES: Final = 256 * 1024 * 1024
"""Of all that is kept: beyond it the oldest go first."""

_AT_ONCE: Final = 500
_Row = IdempotentAnswerRow
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(KeptAnswer).decode


class SqlAlchemyIdempotency(IdempotencyStore):
    """Beside the store's other tables, on both databases."""

    def __init__(self, store: SqlAlchemyStore, box: SecretBox, clock: Clock, *, max_bytes: int = MAX_BYTES) -> None:
        self._store = store
        self._box = box
        self._clock = clock
        self._max_bytes = max_bytes
        self._open: set[str] = set()
        self._swept_at = -float(SWEEP_SECONDS)

    @override
    async def claim(self, key: str, fingerprint: str) -> Claim:
        now = self._now
        fields = {
            "fingerprint": fingerprint, "leased_until": now + LEASE_SECONDS, "expires_at": now + KEPT_SECONDS,
            "status": None, "answer": None, "bytes": 0, "replays": 0,
        }  # fmt: skip
        async with self._store.writing() as work:
            claimed = insert_into(work.session, _Row).values(id=key, **fields)
            claimed = claimed.on_conflict_do_update(index_elements=["id"], set_=fields, where=_Row.expires_at <= now)
            taken = (await work.run(work.session.execute(claimed.returning(_Row.id)))).first() is not None
            row = None if taken else await work.run(work.session.get(_Row, key))
            found = (row.fingerprint, row.status, row.answer, row.leased_until) if row is not None else None
        if taken:
            self._open.add(key)
            return Claim("claimed", fingerprint)
        if found is None:  # given back just now: its request ended without a trace
            return Claim("running", "")
        of, status, sealed, leased_until = found
        if status is None:
            return Claim("running" if leased_until > now else "lost", of)
        answer = await self._opened(key, sealed) if sealed is not None else None
        return Claim("lost" if answer is None else "done", of, answer)

    @override
    async def keep(self, key: str, answer: KeptAnswer | None) -> None:
        self._open.discard(key)
        sealed = await self._sealed(key, answer) if answer is not None else None
        status = answer.status if answer is not None else 0
        kept = update(_Row).where(_Row.id == key)
        await self._execute(kept.values(status=status, answer=sealed, bytes=len(sealed or "")))

    @override
    async def release(self, key: str) -> None:
        self._open.discard(key)
        await self._execute(delete(_Row).where(_Row.id == key, _Row.status.is_(None)))

    @override
    async def replayed(self, key: str) -> None:
        await self._execute(update(_Row).where(_Row.id == key).values(replays=_Row.replays + 1))

    @override
    async def renew(self) -> None:
        if self._open:
            mine = update(_Row).where(_Row.id.in_(sorted(self._open)), _Row.status.is_(None))
            await self._execute(mine.values(leased_until=self._now + LEASE_SECONDS))
        if self._clock.monotonic() - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = self._clock.monotonic()
            await self._sweep()

    @override
    async def totals(self) -> KeptTotals:
        sums = select(func.count(), func.coalesce(func.sum(_Row.bytes), 0), func.coalesce(func.sum(_Row.replays), 0))
        async with self._store.reading(LEASE_SECONDS) as work:
            answers, size, replays = (await work.run(work.session.execute(sums))).one()
        return KeptTotals(int(answers), int(size), int(replays))

    async def _sweep(self) -> None:
        await self._execute(delete(_Row).where(_Row.expires_at <= self._now))
        over = (await self.totals()).bytes - self._max_bytes
        while over > 0:
            oldest = select(_Row.id, _Row.bytes).where(_Row.bytes > 0).order_by(_Row.expires_at).limit(_AT_ONCE)
            async with self._store.writing() as work:
                rows = (await work.run(work.session.execute(oldest))).all()
                gone: list[str] = []
                for key, size in rows:
                    if over > 0:
                        gone.append(key)
                        over -= size
                # Their keys stay: what was answered once must not be done again.
                emptied = update(_Row).where(_Row.id.in_(gone)).values(answer=None, bytes=0)
                await work.run(work.session.execute(emptied))
            if not rows:
                return

    async def _execute(self, statement: Executable) -> None:
        async with self._store.writing() as work:
            await work.run(work.session.execute(statement))

    async def _sealed(self, key: str, answer: KeptAnswer) -> str:
        if len(answer.body) > ASIDE_BYTES:
            return await asyncio.to_thread(self._seal, key, answer)
        return self._seal(key, answer)

    def _seal(self, key: str, answer: KeptAnswer) -> str:
        packed = base64.b64encode(zlib.compress(_encode(answer), 1)).decode()
        return self._box.seal(Secret(packed), _bound(key))

    async def _opened(self, key: str, sealed: str) -> KeptAnswer | None:
        """None where nobody can read it any more: the master key that it was sealed with is gone."""
        if len(sealed) > ASIDE_BYTES:
            return await asyncio.to_thread(self._unseal, key, sealed)
        return self._unseal(key, sealed)

    def _unseal(self, key: str, sealed: str) -> KeptAnswer | None:
        try:
            packed = self._box.open(sealed, _bound(key)).reveal()
        except SecretUnreadable:
            return None
        return _decode(zlib.decompress(base64.b64decode(packed)))

    @property
    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _bound(key: str) -> str:
    return f"idempotent_answers:{key}"
