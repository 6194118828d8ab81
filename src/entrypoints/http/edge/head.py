"""A request's head: one pass over its headers, and what is asked of it: size, host, one key, origin (F5, S-05, S-27).

Pages of other origins may call the inference routes only where an operator listed theirs. What such clients send and
read: captures of openai-node, anthropic-ts and Open WebUI (November 2026).
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote_plus

from application.usage.attribution import HEADERS
from domain.errors import RequestInvalid
from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX
from entrypoints.http.errors import Headers
from entrypoints.http.responses import header_value

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_.-]{1,128}")
_CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key"})
_SINGLE = frozenset(
    {
        b"host",
        b"x-goog-api-client",
        b"x-request-id",
        b"content-length",
        b"content-encoding",
        b"transfer-encoding",
        b"origin",
        b"access-control-request-method",
        b"anthropic-version",
        b"idempotency-key",
        *HEADERS,
    }
)
_LISTED = frozenset({b"x-forwarded-for", b"access-control-request-headers"})

_SMALL_BODY_BYTES = 64 * 1024
MAX_URL_BYTES = 4096


class Head:
    """The headers the edge itself reads. `credentials` keeps every carrier as (name, value), in order."""

    __slots__ = ("count", "credentials", "declared_bytes", "hosts", "lists", "request_id", "singles", "size_bytes")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.credentials: list[tuple[bytes, bytes]] = []
        self.singles: dict[bytes, bytes] = {}
        self.lists: dict[bytes, list[bytes]] = {}
        self.hosts = 0
        size = count = 0
        for name, value in headers:
            count += 1
            size += len(name) + len(value) + 4
            if name in _SINGLE:
                self.singles[name] = value
                if name == b"host":
                    self.hosts += 1
            elif name in _CREDENTIALS:
                self.credentials.append((name, value))
            elif name in _LISTED:
                self.lists.setdefault(name, []).append(value)
        self.size_bytes = size
        self.count = count
        wanted = self.singles.get(b"x-request-id")
        self.request_id = wanted if wanted is not None and _REQUEST_ID.fullmatch(wanted) else None
        declared = self.singles.get(b"content-length")
        self.declared_bytes = int(declared) if declared is not None and declared.isdigit() else None
        """`content-length`, None where the body is chunked or absent."""

    @property
    def announces_large_body(self) -> bool:
        """Whether more may follow than a server should read only to throw it away."""
        return b"transfer-encoding" in self.singles or (self.declared_bytes or 0) > _SMALL_BODY_BYTES

    def list_of(self, name: bytes) -> list[str]:
        """A comma-separated header, all its lines joined, empty items left out."""
        items = b",".join(self.lists.get(name, ())).decode("latin-1").split(",")
        return [item.strip() for item in items if item.strip()]


class HeaderLimits:
    """Refuses request heads that are too large. The server protocol bounds what is read of one at all."""

    def __init__(self, max_bytes: int, max_count: int) -> None:
        self._max_bytes = max_bytes
        self._max_count = max_count

    def check(self, head: Head, url_bytes: int) -> None:
        """Raises `RequestInvalid` (414, 431)."""
        if url_bytes > MAX_URL_BYTES:
            raise RequestInvalid(f"The address is longer than {MAX_URL_BYTES} bytes.", code="url_too_long")
        if head.size_bytes > self._max_bytes or head.count > self._max_count:
            raise RequestInvalid(
                f"The request headers are larger than {self._max_bytes} bytes, or more than {self._max_count}.",
                code="headers_too_large",
            )


_KEY_PARAMETERS = frozenset(
    {
        "accesskey", "accesstoken", "apikey", "apitoken", "auth", "authkey", "authorization", "authtoken", "bearer",
        "bearertoken", "secretkey", "virtualkey", "xapikey", "xgoogapikey",
    }
)  # fmt: skip
"""Names that mean a key, whatever their value; written without what separates their words."""

_PERHAPS_KEYS = frozenset({"key", "token"})  # Google's clients send `key=`; elsewhere it may be the name of a column
_SEPARATORS = str.maketrans("", "", "-_. []")
_KEY_LIKE = re.compile(r"(?!(?:key|pk|ten|req|dec)_)[A-Za-z0-9._~+/=-]{16,}")
_OUR_KEY = re.compile(
    rf"(?:{re.escape(VIRTUAL_KEY_PREFIX)}|{re.escape(ADMIN_TOKEN_PREFIX)})[0-9A-Z]{{3,}}", re.IGNORECASE
)
_PAIRS = re.compile(rb"[&;]")
_MAX_DECODINGS = 4  # a proxy may have encoded what was encoded


def extract_token(head: Head) -> str | None:
    """The caller's key, None where none was sent. Raises `RequestInvalid` for two different ones.

    `Authorization` counts with the scheme `Bearer`, or bare (some clients leave the scheme out).
    """
    found: str | None = None
    for name, value in head.credentials:
        token = _token(name, value)
        if not token:
            continue
        if found is not None and token != found:
            raise RequestInvalid(
                "The request carries two different API keys. Send one, or the same one in every header.",
                code="conflicting_api_keys",
            )
        found = token
    return found


def refuse_keys_in_query(query: bytes) -> None:
    """Raises `RequestInvalid` where a query parameter holds a key, however it is spelt: addresses end up in logs."""
    for part in _PAIRS.split(query):
        name, _, raw = part.partition(b"=")
        word = _decoded(name).lower().translate(_SEPARATORS)
        value = _decoded(raw)
        named = (word in _KEY_PARAMETERS and value) or (word in _PERHAPS_KEYS and _KEY_LIKE.fullmatch(value))
        if named or _OUR_KEY.search(value) or _OUR_KEY.search(_decoded(name)):
            raise RequestInvalid(
                "An API key in the address would end up in logs. Send it as 'Authorization: Bearer …' and replace it.",
                code="api_key_in_query",
            )


def _decoded(raw: bytes) -> str:
    text = raw.decode("latin-1")
    for _ in range(_MAX_DECODINGS):
        again = unquote_plus(text)
        if again == text:
            break
        text = again
    return text.strip()


def _token(name: bytes, value: bytes) -> str:
    text = value.decode("latin-1").strip()
    if name != b"authorization":
        return text
    scheme, space, rest = text.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    return "" if space else text


_SHAPE = re.compile(
    rb"(?P<name>(?=.{1,253}(?::|\Z))[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*"
    rb"|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)
_REMEMBERED = 1000

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - as a Host
"""What clients of the same machine write where a server listens on it. No DNS answer can be bent to such a name."""


class AllowedHosts:
    """Knows the names the gateway answers to. What it accepted once is remembered byte for byte."""

    def __init__(self, names: Iterable[str]) -> None:
        wanted = [name.strip().strip("[]").lower() for name in names]
        self._any = "*" in wanted
        names = frozenset(_canonical(name) for name in wanted)
        self._names = names | _ANY_ADDRESS if names & _LOOPBACK else names
        self._suffixes = tuple(name[1:] for name in wanted if name.startswith("*."))
        self._accepted: set[bytes] = set()

    def check(self, head: Head) -> None:
        """Raises `RequestInvalid` unless the request has one Host that is well-formed and allowed."""
        host = head.singles.get(b"host", b"")
        if head.hosts == 1 and host in self._accepted:
            return
        name = _name(head)
        if not (self._any or name in self._names or (self._suffixes and name.endswith(self._suffixes))):
            raise RequestInvalid(
                f"This gateway does not answer to the host '{name}'. Its operator can add it to OMG_ALLOWED_HOSTS.",
                code="invalid_host",
            )
        if len(self._accepted) < _REMEMBERED:
            self._accepted.add(host)

    @staticmethod
    def check_probe(head: Head, version: str) -> None:
        """For addresses that tell nothing but whether the process lives: any well-formed Host.

        Probes of orchestrators and balancers go by address, or in HTTP/1.0 without a Host. Raises `RequestInvalid`.
        """
        if head.hosts or version != "1.0":
            _name(head)


def _name(head: Head) -> str:
    """The one name of a Host header, canonical. Raises `RequestInvalid`."""
    if head.hosts != 1:
        raise RequestInvalid("A request has exactly one Host header.", code="invalid_host")
    match = _SHAPE.fullmatch(head.singles[b"host"])
    if match is None or int(match["port"] or 0) > 65535:
        raise RequestInvalid("The Host header is not a host name with an optional port.", code="invalid_host")
    return _canonical(match["name"].decode().strip("[]").lower())


def _canonical(name: str) -> str:
    """One spelling for each address: `::1` for `0:0:0:0:0:0:0:1`. Names that are no address stay as they are."""
    if ":" not in name:
        return name
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name


class ClientAddress:
    """Finds the first hop from the right that is not a trusted proxy. With none trusted that is the peer."""

    def __init__(self, trusted: Iterable[str]) -> None:
        """Raises `ValueError` naming an entry that is neither an address nor a network."""
        self._trusted = tuple(ipaddress.ip_network(entry.strip(), strict=False) for entry in trusted if entry.strip())

    @property
    def trusts_any(self) -> bool:
        return bool(self._trusted)

    def trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._trusted)

    def find(self, peer: str, forwarded_for: Sequence[str]) -> str:
        """`forwarded_for` are the header's hops, the nearest last. One that is no address ends the search."""
        client = peer
        for hop in reversed(forwarded_for):
            if not self.trusts(client):
                break
            address = _bare(hop)
            if address is None:
                break
            client = address
        return client


def _bare(hop: str) -> str | None:
    """The address of a hop, without brackets and port; None where it is none."""
    text = hop.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


_SENT = frozenset(
    {
        "accept", "accept-language", "api-key", "authorization", "content-language", "content-type", "http-referer",
        "idempotency-key", "openai-beta", "openai-organization", "openai-project", "user-agent", "x-api-key",
        "x-app", "x-goog-api-client", "x-goog-api-key", "x-request-id", "x-session-affinity", "x-session-id", "x-title",
    }
)  # fmt: skip
_SENT_PREFIXES = ("x-stainless-", "anthropic-", "x-openwebui-")
_READ = ", ".join(
    ["x-request-id", "retry-after", "x-should-retry", "idempotent-replayed", "x-omg-provider", "x-omg-model",
     "x-omg-model-retires", "x-omg-attempts", "x-omg-decision", "x-omg-overhead-ms", "x-omg-dropped-params",
     "x-omg-cost", "x-omg-route", "x-omg-task",
     "x-omg-cost-usd", "x-omg-cost-exact", "x-omg-cost-missing", "x-omg-budget-limit-usd", "x-omg-budget-remaining-usd",
     *(f"x-ratelimit-{what}-{of}" for what in ("limit", "remaining", "reset") for of in ("requests", "tokens"))]
).encode()  # fmt: skip
_PREFLIGHT_SECONDS = b"7200"


def is_foreign(head: Head, granted: Headers) -> bool:
    """Whether a web page of another origin sent this, one that `granted` nothing to."""
    origin = head.singles.get(b"origin")
    if origin is None or granted:
        return False
    _, _, authority = origin.partition(b"://")
    return authority.lower() != head.singles.get(b"host", b"").lower()


class Cors:
    """Knows the origins that may call the inference routes from a browser."""

    def __init__(self, origins: Iterable[str]) -> None:
        listed = [origin.strip().rstrip("/").lower() for origin in origins if origin.strip()]
        self._any = "*" in listed
        self._origins = frozenset(origin.encode() for origin in listed)

    def headers(self, head: Head) -> Headers:
        """What an answer to this origin carries; nothing for one that is not listed."""
        origin = head.singles.get(b"origin")
        if origin is None or not (self._any or origin.lower() in self._origins):
            return ()
        allowed = b"*" if self._any else header_value(origin)
        if allowed is None:
            return ()
        return (
            (b"access-control-allow-origin", allowed),
            (b"access-control-expose-headers", _READ),
            (b"vary", b"origin"),
        )

    def preflight(self, head: Head, methods: Iterable[str]) -> Headers:
        """The answer to a browser's question before its request."""
        granted = self.headers(head)
        if not granted or b"access-control-request-method" not in head.singles:
            return granted
        asked = {name.lower() for name in head.list_of(b"access-control-request-headers")}
        sent = sorted(name for name in asked if name in _SENT or name.startswith(_SENT_PREFIXES))
        return (
            *granted,
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", header_value(", ".join(sent or ["authorization"])) or b"authorization"),
            (b"access-control-max-age", _PREFLIGHT_SECONDS),
        )
