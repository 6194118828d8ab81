"""From a token to a principal: a bounded cache of immutable snapshots over the stored keys (S-06, S-09, R-25)."""

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict

import msgspec

from domain.errors import ServiceUnavailable, StoreUnavailable, Unauthenticated
from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX, Principal, VirtualKey, well_formed
from domain.ports.repositories import Store
from domain.ports.runtime import Clock
from domain.ports.security import KeyHasher
from domain.secrets import Secret

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

    key: VirtualKey | None
    principal: Principal | None
    read_at: float
    expires_at: float | None  # wall-clock seconds, from the key


class Authenticator:
    """Authenticates clients' virtual keys. With `open_access`, a request without a key is let in as well."""

    def __init__(self, store: Store, hasher: KeyHasher, clock: Clock, *, open_access: bool = False) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock
        self._open_access = open_access
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._loading: dict[bytes, asyncio.Future[_Entry]] = {}
        self._revision = 0

    def cached(self, token: str) -> Principal | None:
        """The principal of a key read less than five seconds ago, else None. Never awaits."""
        entry = self._entries.get(_mark(token))
        if entry is None or entry.principal is None:
            return None
        if self._clock.monotonic() - entry.read_at > FRESH_SECONDS or self._expired(entry):
            return None
        return entry.principal

    async def authenticate(self, token: str | None) -> Principal:
        """Raises `Unauthenticated`, or `ServiceUnavailable` where the store cannot be asked about an unknown key."""
        if token is None:
            if self._open_access:
                return OPEN_PRINCIPAL
            raise Unauthenticated("You didn't provide an API key. Send it as 'Authorization: Bearer sk-omg-…'.")
        if principal := self.cached(token):
            return principal
        if not _plausible(token):
            if self._open_access:
                return OPEN_PRINCIPAL
            raise Unauthenticated
        return self._admitted(await self._entry(token))

    def forget(self, key_id: str) -> None:
        """A key changed: the next request reads it again, and reads under way do not write it back (S-09)."""
        self._revision += 1
        for digest in [d for d, e in self._entries.items() if e.key is not None and e.key.id == key_id]:
            del self._entries[digest]

    def forget_all(self) -> None:
        """Something changed and it is not known what."""
        self._revision += 1
        self._entries.clear()

    def _admitted(self, entry: _Entry) -> Principal:
        if entry.key is None and self._open_access:
            return OPEN_PRINCIPAL
        if entry.principal is None:
            raise Unauthenticated
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
        if known is not None and known.key is None and age <= NEGATIVE_SECONDS:
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

    async def _load(self, token: str, digest: bytes) -> _Entry:
        revision = self._revision
        async with self._store.read() as unit:
            key = await unit.virtual_keys.find(self._hasher.digests(token))
        entry = _Entry(
            key,
            _principal(key) if key is not None and key.revoked_at is None else None,
            self._clock.monotonic(),
            key.expires_at.timestamp() if key is not None and key.expires_at is not None else None,
        )
        if revision == self._revision:
            self._entries[digest] = entry
            self._entries.move_to_end(digest)
            while len(self._entries) > MAX_ENTRIES:
                self._entries.popitem(last=False)
        return entry


class AdminAuthenticator:
    """Authenticates the platform admin's token: the configured one, else the one whose digest is stored."""

    def __init__(self, store: Store, hasher: KeyHasher, configured: Secret | None) -> None:
        self._store = store
        self._hasher = hasher
        self._configured = hasher.digest(configured.reveal()) if configured else None
        self._stored: str | None = None

    async def authenticate(self, token: str | None) -> Principal:
        """Raises `Unauthenticated`, or `ServiceUnavailable` where the stored digest was never read and cannot be."""
        if token is None:
            raise Unauthenticated("You didn't provide an admin token. Send it as 'Authorization: Bearer omg-admin-…'.")
        if self._configured is not None:
            if hmac.compare_digest(self._hasher.digest(token), self._configured):
                return Principal("admin", None, DEFAULT_TENANT_ID)
            raise Unauthenticated("Incorrect admin token provided.")
        if not well_formed(token, ADMIN_TOKEN_PREFIX):
            raise Unauthenticated("Incorrect admin token provided.")
        if self._stored is None:
            self._stored = await self._read_stored()
        stored = self._stored or ""
        if any(hmac.compare_digest(digest.hex(), stored) for digest in self._hasher.digests(token)):
            return Principal("admin", None, DEFAULT_TENANT_ID)
        raise Unauthenticated("Incorrect admin token provided.")

    async def _read_stored(self) -> str | None:
        try:
            async with self._store.read() as unit:
                return await unit.facts.get(ADMIN_TOKEN_DIGEST)
        except StoreUnavailable:
            raise ServiceUnavailable("The store is away.", code="store_unavailable", retry_after_seconds=1) from None


def _mark(token: str) -> bytes:
    """What stands for a token in this process's memory: a keyed digest, three times as quick as the stored one."""
    return hashlib.blake2b(token.encode(), digest_size=32, key=_MARK_KEY).digest()


def _plausible(token: str) -> bool:
    """Whether a token is worth a look-up: our own format, or a key the operator chose (`OMG_BOOTSTRAP_KEY`)."""
    if token.startswith(VIRTUAL_KEY_PREFIX):
        return well_formed(token, VIRTUAL_KEY_PREFIX)
    return 16 <= len(token) <= 256


def _principal(key: VirtualKey) -> Principal:
    return Principal(
        "virtual_key",
        key.id,
        key.tenant_id,
        frozenset(key.allowed_models) if key.allowed_models is not None else None,
        frozenset(key.allowed_providers) if key.allowed_providers is not None else None,
        key.strict,
    )
