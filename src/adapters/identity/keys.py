"""The keys an issuer signs with: kept, asked for again when one is unknown or they are old, kept while it is away.

Source: RFC 7517; OpenID Connect Core 1.0, 10.1.1 (read 2026-11).
"""

import asyncio
import base64
import logging
import math
from collections.abc import Iterable, Mapping
from typing import Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from adapters.identity.discovery import COLD_RETRY_SECONDS, RETRY_SECONDS, Discovery, IssuerCalls
from domain.ports.issuers import IssuerAway, IssuerRefused
from domain.ports.runtime import Clock

log = logging.getLogger(__name__)

Key = RSAKey | ECKey | OKPKey

FRESH_SECONDS: Final = 3600.0
LONGEST_SECONDS: Final = 24 * 3600.0
"""How long keys serve while the issuer is away. Then one that was taken back might be among them for too long."""

MAX_KEYS: Final = 100
MIN_RSA_BITS: Final = 2048

_TYPES: Final[Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})


class SigningKey:
    """A public key, with the algorithm that it says it is for (empty where it says none)."""

    __slots__ = ("algorithm", "key", "kid")

    def __init__(self, kid: str, algorithm: str, key: Key) -> None:
        self.kid = kid
        self.algorithm = algorithm
        self.key = key


class IssuerKeys:
    """An unknown key id makes the set be read again, once in 30 seconds; an old set is renewed beside requests."""

    def __init__(self, discovery: Discovery, calls: IssuerCalls, clock: Clock) -> None:
        self._discovery = discovery
        self._calls = calls
        self._clock = clock
        self._keys: tuple[SigningKey, ...] | None = None
        self._asked_at = -math.inf
        self._read_at = -math.inf
        self._missed_at = -math.inf  # when an unknown key id last made it be read
        self._turns = 0
        self._reading = asyncio.Lock()
        self._renewing: asyncio.Task[None] | None = None

    async def find(self, kid: str, algorithm: str) -> Key:
        """Raises `IssuerRefused` for a key that is none of the issuer's, `IssuerAway` where no keys are known."""
        now = self._clock.monotonic()
        age = now - self._read_at
        if self._keys is None or age > LONGEST_SECONDS:
            if self._reading.locked() or now - self._asked_at >= COLD_RETRY_SECONDS:
                await self._read_once(self._turns)
        elif not self._has(kid):
            if self._reading.locked() or now - self._missed_at >= RETRY_SECONDS:
                self._missed_at = now
                await self._read_once(self._turns)
        elif age > FRESH_SECONDS and now - self._asked_at >= RETRY_SECONDS and self._renewing is None:
            self._renewing = asyncio.create_task(self._renew())
        if self._keys is None or self._clock.monotonic() - self._read_at > LONGEST_SECONDS:
            raise IssuerAway("its keys are not known, or too old")
        for found in self._keys:
            if found.kid == kid and found.algorithm in ("", family_of(algorithm)):
                return found.key
        raise IssuerRefused("no key of the issuer has this id and algorithm")

    async def aclose(self) -> None:
        """Stops what is being read."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait({self._renewing})

    def _has(self, kid: str) -> bool:
        return any(key.kid == kid for key in self._keys or ())

    async def _renew(self) -> None:
        try:
            await self._read_once(self._turns)
        finally:
            self._renewing = None

    async def _read_once(self, turn: int) -> None:
        """One call for all who wait; `turn` is the last one they saw. What fails leaves the keys that are known."""
        async with self._reading:
            if turn != self._turns:
                return  # another one has just asked
            self._turns += 1
            self._asked_at = self._clock.monotonic()
            try:
                metadata = await self._discovery.get()
                document = await self._calls.get_json(metadata.jwks_uri)
            except IssuerAway as error:
                log.warning("an issuer's keys cannot be read", extra={"reason": str(error)})
                return
            listed = document.get("keys")
            keys = tuple(_usable(listed)) if isinstance(listed, list) else ()
            if not keys and self._keys:
                log.warning("an issuer lists no key that can be used; the known ones serve on")
                return
            self._keys = keys
            self._read_at = self._clock.monotonic()


def family_of(algorithm: str) -> str:
    """RFC 9864 gave EdDSA over Ed25519 a second name; keys and tokens have either."""
    return "EdDSA" if algorithm == "Ed25519" else algorithm


def _usable(listed: Iterable[object]) -> Iterable[SigningKey]:
    """Those to verify signatures with. What cannot be read is none of them, and takes no other one along."""
    for _, entry in zip(range(MAX_KEYS), listed, strict=False):
        if not isinstance(entry, Mapping):
            continue
        kid, kind, algorithm = entry.get("kid"), entry.get("kty"), entry.get("alg", "")
        type_ = _TYPES.get(kind) if isinstance(kind, str) else None
        if type_ is None or not isinstance(kid, str) or not kid or not isinstance(algorithm, str):
            continue
        if entry.get("use", "sig") != "sig" or _only_for_others(entry.get("key_ops")):
            continue
        try:
            if kind == "RSA" and _bits_of(entry.get("n")) < MIN_RSA_BITS:
                continue
            key = type_.import_key({name: value for name, value in entry.items() if name not in _PRIVATE})
        except (JoseError, ValueError, TypeError, KeyError) as error:
            log.warning("a key of an issuer cannot be read", extra={"error": type(error).__name__})
            continue
        yield SigningKey(kid, family_of(algorithm), key)


def _bits_of(modulus: object) -> int:
    """Of a number in base64url. Raises `ValueError`."""
    if not isinstance(modulus, str):
        raise ValueError("no number")  # noqa: TRY004 - whatever is wrong with a key is a wrong value
    return int.from_bytes(base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4))).bit_length()


def _only_for_others(operations: object) -> bool:
    return isinstance(operations, list) and "verify" not in operations
