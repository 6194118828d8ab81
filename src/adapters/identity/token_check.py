"""Whether a token is an issuer's, and for us: the one place that decides (S-30, RFC 7519, RFC 8725).

Refused by our own rules before the library is asked, or beside it: algorithms that are not on the issuer's list, what
is too large, a head with `crit`, `b64` or an inner token, names that stand twice, a key that is for another algorithm.
What a head says of keys (`jwk`, `jku`, `x5u`, `x5c`) is never followed. A library that is wrong about one of them must
not be enough.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from typing import Final

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact
from typing_extensions import override

from adapters.identity.keys import IssuerKeys, family_of
from domain.issuers import Claims, Issuer, VerifiedToken
from domain.ports.issuers import IssuerRefused
from domain.ports.runtime import Clock

LEEWAY_SECONDS: Final = 30.0
OLDEST_SECONDS: Final = 24 * 3600.0
"""Of an ID token that answers a sign-in: how long ago it was made, at most."""

MAX_TOKEN: Final = 16 * 1024
MAX_HEADER: Final = 4096
MAX_SUBJECT: Final = 255
_MAX_DEPTH: Final = 16
_LATEST: Final = 1e11

_TYPES: Final = frozenset({"", "jwt", "at+jwt"})


class TokenCheck:
    """Checks tokens of one issuer."""

    def __init__(self, issuer: Issuer, keys: IssuerKeys, clock: Clock) -> None:
        self._issuer = issuer
        self._keys = keys
        self._clock = clock
        families = {family_of(algorithm) for algorithm in issuer.algorithms}
        self._algorithms = families | ({"Ed25519"} if "EdDSA" in families else set())
        self._registry = SignatureAlgorithms(sorted(self._algorithms))

    async def bearer(self, token: str) -> VerifiedToken:
        """A token that a program sends, for the issuer's `audience`. Raises `IssuerRefused`, `IssuerAway`."""
        claims = await self._signed(token)
        self._check_times(claims)
        audiences = _audiences(claims)
        if not self._issuer.audience or self._issuer.audience not in audiences:
            raise IssuerRefused("it is for another audience")
        return VerifiedToken(self._issuer, _subject(claims), claims, _expiry(claims))

    async def id_token(self, token: str, nonce: str | None) -> Claims:
        """Of a sign-in with this nonce; None: of a renewal, which has none. Raises `IssuerRefused`, `IssuerAway`.

        Source: OpenID Connect Core 1.0, 3.1.3.7 and 12.2.
        """
        claims = await self._signed(token)
        self._check_times(claims)
        audiences, client, party = _audiences(claims), self._issuer.client_id, claims.get("azp")
        if not client or client not in audiences:
            raise IssuerRefused("it is for another client")
        if (len(audiences) > 1 or party is not None) and party != client:
            raise IssuerRefused("it was made for another party")
        issued_at = _moment(claims.get("iat"))
        if issued_at is None or self._clock.now().timestamp() - issued_at > OLDEST_SECONDS:
            raise IssuerRefused("it does not say when it was made, or was made long ago")
        said = claims.get("nonce")
        if nonce is not None and not (isinstance(said, str) and _same(said, nonce)):
            raise IssuerRefused("it answers another sign-in")
        _subject(claims)
        return claims

    async def _signed(self, token: str) -> Claims:
        """The claims of a token whose signature, issuer and form hold."""
        header = header_of(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise IssuerRefused("its algorithm is not allowed")
        if not isinstance(kid, str) or not kid:
            raise IssuerRefused("it names no key")
        key = await self._keys.find(kid, algorithm)
        try:
            payload = deserialize_compact(token, key, registry=self._registry).payload
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise IssuerRefused(f"its signature does not hold ({type(error).__name__})") from error
        claims = _object(payload or b"")
        if claims.get("iss") != self._issuer.issuer:
            raise IssuerRefused("it is of another issuer")
        return claims

    def _check_times(self, claims: Claims) -> None:
        now = self._clock.now().timestamp()
        if now >= _expiry(claims):
            raise IssuerRefused("it has expired")
        for name in ("nbf", "iat"):
            moment = _moment(claims.get(name, 0))
            if moment is None or moment > now + LEEWAY_SECONDS:
                raise IssuerRefused(f"'{name}' is ahead of us, or no time")


class SignatureAlgorithms(JWSRegistry):
    """The library's, with our list alone, and room for the certificates that some put into the head."""

    max_header_length = MAX_HEADER
    max_payload_length = MAX_TOKEN

    def __init__(self, algorithms: list[str]) -> None:
        super().__init__(algorithms=algorithms, strict_check_header=False)

    @override
    def get_alg(self, name: str):  # type: ignore[no-untyped-def]  # the library's own type is private
        """Without the warning that the older name of EdDSA is old: issuers choose it, not we."""
        if name not in (self.allowed or ()):
            raise ValueError(name)
        return self.algorithms[name]


def header_of(token: str) -> Mapping[str, object]:
    """The head of a token of three parts, unverified. Raises `IssuerRefused`."""
    if len(token) > MAX_TOKEN or not token.isascii():
        raise IssuerRefused("it is too long, or no token")
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):
        raise IssuerRefused("it has not three parts")
    header = _object(_decoded(parts[0]))
    if len(parts[0]) > MAX_HEADER or "crit" in header or "b64" in header or "cty" in header or "zip" in header:
        raise IssuerRefused("its head asks for what is not understood")
    type_ = header.get("typ", "")
    if not isinstance(type_, str) or type_.lower().removeprefix("application/") not in _TYPES:
        raise IssuerRefused("it is a token for something else")
    return header


def unverified_issuer(token: str) -> str:
    """Who the token says it is of: to choose who is asked, and for nothing else. Raises `IssuerRefused`."""
    header_of(token)
    issuer = _object(_decoded(token.split(".")[1])).get("iss")
    if not isinstance(issuer, str):
        raise IssuerRefused("it names no issuer")
    return issuer


def _decoded(part: str) -> bytes:
    """Base64url without padding, in its one form: what decodes alike must not be two tokens."""
    try:
        found = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise IssuerRefused("it is no base64url") from error
    if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != part:
        raise IssuerRefused("it is no base64url")
    return found


def _object(text: bytes) -> dict[str, object]:
    """A JSON object in which no name stands twice, however deep. Raises `IssuerRefused`."""
    try:
        found = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise IssuerRefused("it holds no JSON, or a name twice") from error
    if not isinstance(found, dict) or _depth(found) > _MAX_DEPTH:
        raise IssuerRefused("it holds no JSON object, or one too deep")
    return found


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(one) for one in value.values()), default=0)
    return 1 + max((_depth(one) for one in value), default=0) if isinstance(value, list) else 0


def _audiences(claims: Claims) -> tuple[str, ...]:
    found = claims.get("aud")
    if isinstance(found, str):
        return (found,)
    if isinstance(found, list) and found and all(isinstance(one, str) for one in found):
        return tuple(found)
    raise IssuerRefused("it is for nobody")


def _subject(claims: Claims) -> str:
    found = claims.get("sub")
    if not isinstance(found, str) or not found.strip() or len(found) > MAX_SUBJECT or not found.isprintable():
        raise IssuerRefused("it names no subject")
    return found


def _expiry(claims: Claims) -> float:
    """Until when it is taken, with the leeway, in seconds since 1970."""
    found = _moment(claims.get("exp"))
    if found is None:
        raise IssuerRefused("it does not say when it expires")
    return found + LEEWAY_SECONDS


def _moment(value: object) -> float | None:
    """Seconds since 1970; None for what is no number, or no time."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < _LATEST else None  # false of what is not a number


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())
