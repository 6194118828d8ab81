"""`Idempotency-Key`: a request that is sent again gets the first one's answer, and nobody is asked twice (P-13)."""

import asyncio
import hashlib
import logging
from typing import Final

from domain.errors import Conflict, RequestInvalid, ServiceUnavailable, StoreUnavailable
from domain.keys import Principal
from domain.ports.idempotency import IdempotencyStore, KeptAnswer

log = logging.getLogger(__name__)

MAX_KEY_LENGTH: Final = 255
ASIDE_BYTES: Final = 1024 * 1024
"""A body above it is hashed in a thread."""

LATE_SECONDS: Final = (1, 2, 4, 8)
"""When it is tried again to keep an answer: as long as its claim lasts."""

MAX_KEPT_BYTES: Final = 1024 * 1024
"""Of an answer. A larger one is passed on, and cannot be given again."""


class IdempotentRequests:
    """Whether a request may go on, and what is kept of its answer."""

    def __init__(self, store: IdempotencyStore) -> None:
        self._store = store
        self._late: set[asyncio.Task[None]] = set()

    async def begin(
        self, principal: Principal, route: str, key: str, body: bytes, boundary: bytes = b""
    ) -> tuple[str, KeptAnswer | None]:
        """The name to keep the answer under, or the answer that is kept already.

        A key is one caller's, for one route. `boundary` is a form's, which each retry draws anew. Raises
        `RequestInvalid` for a key that is none, or that another body had (`idempotency_mismatch`); `Conflict` where the
        first request is still under way or its answer is not there (`replay_unavailable`); and `ServiceUnavailable`.
        """
        if not 0 < len(key) <= MAX_KEY_LENGTH or not key.isascii() or not key.isprintable():
            raise RequestInvalid(
                f"An Idempotency-Key has 1 to {MAX_KEY_LENGTH} visible ASCII characters.", param="Idempotency-Key"
            )
        name = _name(principal, route, key)
        if len(body) > ASIDE_BYTES:
            fingerprint = await asyncio.to_thread(_fingerprint, body, boundary)
        else:
            fingerprint = _fingerprint(body, boundary)
        try:
            claim = await self._store.claim(name, fingerprint)
        except StoreUnavailable as error:
            raise ServiceUnavailable(
                "Whether this Idempotency-Key was used before cannot be read now; try again soon.",
                code="store_unavailable",
                retry_after_seconds=1,
            ) from error
        if claim.state == "claimed":
            return name, None
        if claim.state == "running":
            raise Conflict("A request with this Idempotency-Key is under way.", code="idempotency_in_progress")
        if claim.fingerprint != fingerprint:
            raise RequestInvalid(
                "This Idempotency-Key was used with another body. Choose a new one for another request.",
                code="idempotency_mismatch",
                param="Idempotency-Key",
            )
        if claim.answer is None:
            raise Conflict(
                "A request with this Idempotency-Key was made, and its answer is not there to be given again: it was "
                f"larger than {MAX_KEPT_BYTES} bytes, or did not come to its end. Choose a new key to ask again.",
                code="replay_unavailable",
            )
        await self._counted(name)
        return name, claim.answer

    async def end(self, name: str, answer: KeptAnswer | None, *, dispatched: bool) -> None:
        """The request is over. What no provider was asked for leaves no trace; else its answer is kept.

        Never raises: a client has its answer whether or not that can be kept.
        """
        try:
            await self._end(name, answer, dispatched=dispatched)
        except StoreUnavailable:
            late = asyncio.get_running_loop().create_task(self._end_later(name, answer, dispatched=dispatched))
            self._late.add(late)
            late.add_done_callback(self._late.discard)

    async def _end(self, name: str, answer: KeptAnswer | None, *, dispatched: bool) -> None:
        if dispatched:
            await self._store.keep(name, answer)
        else:
            await self._store.release(name)

    async def _end_later(self, name: str, answer: KeptAnswer | None, *, dispatched: bool) -> None:
        """A database that is slow or away for a moment must not cost the answer."""
        for seconds in LATE_SECONDS:
            await asyncio.sleep(seconds)
            try:
                await self._end(name, answer, dispatched=dispatched)
            except StoreUnavailable:
                continue
            return
        log.warning("an answer could not be kept for its Idempotency-Key")

    async def _counted(self, name: str) -> None:
        try:
            await self._store.replayed(name)
        except StoreUnavailable:
            log.debug("a replay was not counted")


def _name(principal: Principal, route: str, key: str) -> str:
    """A digest: keys of clients need not be readable by whoever reads the database."""
    whose = principal.key_id or f"{principal.kind}/{principal.tenant_id}/{principal.user_id or ''}"
    return hashlib.sha256("\0".join((whose, route, key)).encode()).hexdigest()


def _fingerprint(body: bytes, boundary: bytes) -> str:
    return hashlib.sha256(body.replace(boundary, b"") if boundary else body).hexdigest()
