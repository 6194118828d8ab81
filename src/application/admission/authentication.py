"""From a token to a principal: a bounded cache of immutable snapshots over the stored keys (S-06, S-09, R-25)."""

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from application.admission.bearer_tokens import BearerTokens
from application.admission.last_used import LastUsed
from application.admission.rights import Groups, groups_of, principal_of, refusal_of
from domain.actors import PLATFORM_ADMIN, SYSTEM, Actor
from domain.admin_tokens import actor_of_token
from domain.audit import SECRET_CHANGED, AuditRecord, FieldChange
from domain.errors import GatewayError, ServiceUnavailable, StoreUnavailable, Unauthenticated
from domain.keys import (
    ADMIN_TOKEN_PREFIX,
    VIRTUAL_KEY_PREFIX,
    IssuedKey,
    Principal,
    VirtualKey,
    imported_digest,
    well_formed,
)
from domain.ports.repositories import Store
from domain.ports.runtime import Clock
from domain.ports.security import KeyHasher
from domain.secrets import Secret

log = logging.getLogger(__name__)

ADMIN_TOKEN_DIGEST = "admin_token_digest"  # noqa: S105 - the name of a fact
DEFAULT_TENANT_ID = "ten_default"

FRESH_SECONDS = 5.0
STALE_SECONDS = 60.0  # a known key goes on this long while the store is away
NEGATIVE_SECONDS = 2.0
MAX_ENTRIES = 10_000

OPEN_PRINCIPAL = Principal("open", None, DEFAULT_TENANT_ID)

_MARK_KEY = secrets.token_bytes(32)


class _Entry(msgspec.Struct, frozen=True):
    """What one read of the store said of a digest. Only `_load` makes one."""

    key_id: str | None
    principal: Principal | None
    read_at: float
    expires_at: float | None = None  # wall-clock seconds, from the key
    refusal: GatewayError | None = None  # of a key that is there
    fresh_until: float = 0.0  # on the monotonic clock: no request has to ask two


class Authenticator:
    """Authenticates clients' virtual keys, and tokens of issuers where there are `bearer_tokens`.

    With `open_access`, a request without a key is let in as well.
    """

    def __init__(
        self,
        store: Store,
        hasher: KeyHasher,
        clock: Clock,
        last_used: LastUsed,
        *,
        open_access: bool = False,
        bearer_tokens: BearerTokens | None = None,
    ) -> None:
        self._store = store
        self._last_used = last_used
        self._hasher = hasher
        self._clock = clock
        self._open_access = open_access
        self._bearer_tokens = bearer_tokens
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._loading: dict[bytes, asyncio.Future[_Entry]] = {}
        self._revision = 0

    @property
    def revision(self) -> int:
        """Grows whenever something is forgotten: what was let in before may not be let in now."""
        return self._revision

    def cached(self, token: str) -> Principal | None:
        """The principal of a key read less than five seconds ago, else None. Never awaits."""
        entry = self._entries.get(_mark(token))
        if entry is None or entry.principal is None:
            return None
        return entry.principal if self._clock.monotonic() < entry.fresh_until else None

    async def authenticate(self, token: str | None) -> Principal:
        """Raises `Unauthenticated`, or `ServiceUnavailable` where the store cannot be asked about an unknown key."""
        if token is None:
            if self._open_access:
                return OPEN_PRINCIPAL
            raise Unauthenticated("You didn't provide an API key. Send it as 'Authorization: Bearer sk-omg-…'.")
        if principal := self.cached(token):
            return principal
        if not _plausible(token) and not self._is_bearer(token):
            if self._open_access:
                return OPEN_PRINCIPAL
            raise Unauthenticated
        return self._admitted(await self._entry(token))

    def forget(self, key_id: str) -> None:
        """A key changed: the next request reads it again, and reads under way do not write it back (S-09)."""
        self._revision += 1
        for digest in [d for d, e in self._entries.items() if e.key_id == key_id]:
            del self._entries[digest]

    def forget_all(self) -> None:
        """Something changed and it is not known what."""
        self._revision += 1
        self._entries.clear()

    def _admitted(self, entry: _Entry) -> Principal:
        if entry.key_id is None and self._open_access:
            return OPEN_PRINCIPAL
        if entry.principal is None:
            raise entry.refusal or Unauthenticated()
        if self._expired(entry):
            raise Unauthenticated("This API key has expired. Create a new one, or extend it.", code="invalid_api_key")
        return entry.principal

    def _expired(self, entry: _Entry) -> bool:
        return entry.expires_at is not None and self._clock.now().timestamp() >= entry.expires_at

    async def _entry(self, token: str) -> _Entry:
        """One store read for many waiting requests (R-28); a stale entry serves while the store is away."""
        digest = _mark(token)
        known = self._entries.get(digest)
        age = self._clock.monotonic() - known.read_at if known else 0.0
        if known is not None and known.key_id is None and age <= NEGATIVE_SECONDS:
            return known
        pending = self._loading.get(digest)
        if pending is None:
            pending = asyncio.ensure_future(self._load(token, digest))
            self._loading[digest] = pending
            pending.add_done_callback(lambda _: self._loading.pop(digest, None))
        try:
            return await asyncio.shield(pending)
        except StoreUnavailable:
            if known is not None and known.principal is not None and age <= STALE_SECONDS:
                return known
            raise ServiceUnavailable(
                "The key store is away and this key is not known here; try again soon.",
                code="store_unavailable",
                retry_after_seconds=1,
            ) from None

    def _is_bearer(self, token: str) -> bool:
        return self._bearer_tokens is not None and self._bearer_tokens.could_be(token)

    async def _load(self, token: str, digest: bytes) -> _Entry:
        revision = self._revision
        if self._bearer_tokens is not None and self._bearer_tokens.could_be(token):
            entry = await self._of_bearer(self._bearer_tokens, token)
            self._keep(digest, entry, revision)
            return entry
        digests: tuple[bytes, ...] = self._hasher.digests(token)
        if (imported := imported_digest(token)) is not None:
            digests = (*digests, imported)
        async with self._store.read() as unit:
            issued = await unit.virtual_keys.find(digests)
            groups = await unit.model_groups.patterns(groups_of(issued)) if issued is not None else {}
        entry = self._read_entry(issued, digests, groups)
        self._keep(digest, entry, revision)
        if entry.principal is not None and issued is not None and issued.key.digest == imported:
            await self._exchange(issued.key, digests[0])
        return entry

    def _keep(self, digest: bytes, entry: _Entry, revision: int) -> None:
        """Unless something was forgotten since it was read."""
        if revision == self._revision:
            self._entries[digest] = entry
            self._entries.move_to_end(digest)
            while len(self._entries) > MAX_ENTRIES:
                self._entries.popitem(last=False)

    async def _of_bearer(self, tokens: BearerTokens, token: str) -> _Entry:
        """Kept by the digest of the whole token, as keys are (S-10); never past its expiry."""
        found = await tokens.find(token)
        read_at = self._clock.monotonic()
        if found is None:
            return _Entry(None, None, read_at)
        until = self._fresh_until(read_at, found.expires_at)
        return _Entry(found.credential_id, found.principal, read_at, found.expires_at, found.refusal, until)

    def _fresh_until(self, read_at: float, expires_at: float | None) -> float:
        """Until when it is taken without another look, and never past its end."""
        left = FRESH_SECONDS if expires_at is None else expires_at - self._clock.now().timestamp()
        return read_at + min(FRESH_SECONDS, left)

    async def _exchange(self, key: VirtualKey, keyed: bytes) -> None:
        """The SHA-256 that a key was imported with gives way to the keyed digest: once, whoever else does the same."""
        try:
            async with self._store.write() as unit:
                if await unit.virtual_keys.exchange(key.id, key.digest, keyed):
                    changes = (FieldChange("secret", SECRET_CHANGED, SECRET_CHANGED),)
                    await unit.audit.append(
                        AuditRecord(
                            actor=SYSTEM,
                            action="rotate",
                            object_kind="virtual_key",
                            object_id=key.id,
                            tenant_id=key.tenant_id,
                            changes=changes,
                        )
                    )
        except StoreUnavailable:
            log.warning("an imported key keeps its digest until it is next read", extra={"key_id": key.id})

    def _read_entry(self, issued: IssuedKey | None, digests: Sequence[bytes], groups: Groups) -> _Entry:
        read_at = self._clock.monotonic()
        if issued is None:
            return _Entry(None, None, read_at)
        key, now = issued.key, self._clock.now()
        expires_at = key.expires_at.timestamp() if key.expires_at is not None else None
        refusal = refusal_of(issued)
        if key.digest not in digests:  # the secret before the last rotation
            until = key.previous_until
            if until is None or until <= now:  # replaced on purpose: refused in open mode too
                return _Entry(key.id, None, read_at)
            expires_at = min(until.timestamp(), expires_at or until.timestamp())
        if refusal is not None:
            return _Entry(key.id, None, read_at, expires_at, refusal)
        self._last_used.note(key.id, now)
        until_then = self._fresh_until(read_at, expires_at)
        return _Entry(key.id, principal_of(issued, groups), read_at, expires_at, None, until_then)


class AdminAuthenticator:
    """Authenticates admin tokens: the configured one, else the one whose digest is stored; and further ones.

    A further token is looked up each time: what is deleted or changed holds for the next request of every process.
    """

    def __init__(self, store: Store, hasher: KeyHasher, clock: Clock, configured: Secret | None) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock
        self._configured = hasher.digest(configured.reveal()) if configured else None
        self._stored: str | None = None

    async def authenticate(self, token: str | None) -> Actor:
        """Raises `Unauthenticated`, or `ServiceUnavailable` where the store has to be asked and is away."""
        if token is None:
            raise Unauthenticated("You didn't provide an admin token. Send it as 'Authorization: Bearer omg-admin-…'.")
        if self._configured is not None and hmac.compare_digest(self._hasher.digest(token), self._configured):
            return PLATFORM_ADMIN
        if not well_formed(token, ADMIN_TOKEN_PREFIX):
            raise _wrong_admin_token()
        digests = self._hasher.digests(token)
        try:
            if self._configured is None and await self._is_stored(digests):
                return PLATFORM_ADMIN
            async with self._store.read() as unit:
                found = await unit.admin_tokens.find(digests)
        except StoreUnavailable:
            raise ServiceUnavailable("The store is away.", code="store_unavailable", retry_after_seconds=1) from None
        if found is None:
            raise _wrong_admin_token()
        if found.expires_at is not None and self._clock.now() >= found.expires_at:
            raise Unauthenticated("This admin token has expired. Create a new one, or extend it.")
        return actor_of_token(found)

    async def _is_stored(self, digests: Sequence[bytes]) -> bool:
        """Whether it is the token that the first start printed, whose digest is read once."""
        if self._stored is None:
            async with self._store.read() as unit:
                self._stored = await unit.facts.get(ADMIN_TOKEN_DIGEST)
        stored = self._stored or ""
        return any(hmac.compare_digest(digest.hex(), stored) for digest in digests)


def _wrong_admin_token() -> Unauthenticated:
    return Unauthenticated("Incorrect admin token provided.")


def _mark(token: str) -> bytes:
    """What stands for a token in this process's memory: a keyed digest, three times as quick as the stored one."""
    return hashlib.blake2b(token.encode(), digest_size=32, key=_MARK_KEY).digest()


def _plausible(token: str) -> bool:
    """Whether a token is worth a look-up: our own format, or a key the operator chose (`OMG_BOOTSTRAP_KEY`)."""
    if token.startswith(VIRTUAL_KEY_PREFIX):
        return well_formed(token, VIRTUAL_KEY_PREFIX)
    return 16 <= len(token) <= 256
