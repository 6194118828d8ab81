"""Decides which addresses a connection may go to: on the address itself, after the name was resolved (S-08).

Text checks on URLs miss `127.1`, `2130706433`, v4 addresses inside v6 ones and names that change their
answer, so the transports ask here, once for a connection, and connect to the very addresses returned.
Two classes of client: a provider may live on a private network where an operator typed that very origin;
everything else (`public_only`) may not. Metadata services and link-local addresses are closed to both.

Source: RFC 6890, 6052, 3056, 4380, 5214 and the clouds' metadata pages (read 2026-11).
"""

import asyncio
import socket
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

import httpx
from typing_extensions import override

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """`host` is lower-case ASCII without brackets, `port` always explicit."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: httpx.URL) -> "Origin":
        """The URL's origin. Raises `httpx.UnsupportedProtocol` for anything but http and https."""
        port = url.port or _PORTS.get(url.scheme)
        host = url.raw_host.decode("ascii").lower()
        if port is None or not host or url.scheme not in _PORTS:
            raise httpx.UnsupportedProtocol(f"An upstream URL starts with http:// or https:// and a host, not {url}.")
        return cls(url.scheme, host, port)

    @property
    def tls(self) -> bool:
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """What the Host header says: the default port is left out (RFC 9110 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @override
    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


_THREADS = 8  # a dead name server keeps these busy, never the loop and never the default executor
_CACHED_NAMES = 256

Lookup = Callable[[str], Sequence[str]]


def system_lookup(name: str) -> Sequence[str]:
    """Every address of a name, in the system's order (RFC 6724). Blocks; raises `OSError`."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Resolver:
    """Names to addresses. One for the process is enough: share it between the guards."""

    def __init__(
        self, lookup: Lookup = system_lookup, *, limit_seconds: float = 3.0, cache_seconds: float = 5.0
    ) -> None:
        self._lookup = lookup
        self._limit_seconds = limit_seconds
        self._cache_seconds = cache_seconds
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._pending: dict[str, asyncio.Future[Sequence[str]]] = {}
        self._threads: ThreadPoolExecutor | None = None

    async def resolve(self, name: str) -> tuple[str, ...]:
        """At least one address. Raises `httpx.ConnectError`: no such name, no address, or no answer in time."""
        now = asyncio.get_running_loop().time()
        known = self._known.get(name)
        if known is not None and now - known[0] < self._cache_seconds:
            return known[1]
        try:
            async with asyncio.timeout(self._limit_seconds):
                addresses = tuple(await asyncio.shield(self._shared_lookup(name)))
        except TimeoutError:
            raise httpx.ConnectError(
                f"The name '{name}' was not resolved within {self._limit_seconds:g} s; check the DNS server."
            ) from None
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"The name '{name}' cannot be resolved: {error}.") from error
        if not addresses:
            raise httpx.ConnectError(f"The name '{name}' has no address.")
        if len(self._known) >= _CACHED_NAMES:
            self._known.clear()
        self._known[name] = (now, addresses)
        return addresses

    def _shared_lookup(self, name: str) -> asyncio.Future[Sequence[str]]:
        pending = self._pending.get(name)
        if pending is None or pending.get_loop() is not asyncio.get_running_loop():
            if self._threads is None:
                self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="resolver")
            pending = asyncio.get_running_loop().run_in_executor(self._threads, self._lookup, name)
            self._pending[name] = pending
            pending.add_done_callback(lambda done: self._forget(name, done))
        return pending

    def _forget(self, name: str, done: asyncio.Future[Sequence[str]]) -> None:
        if self._pending.get(name) is done:
            del self._pending[name]
        if not done.cancelled():
            done.exception()  # whoever waited may have left: the failure is told to the next one


Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NEVER: tuple[Network, ...] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this host
            "169.254.0.0/16",  # link-local, most clouds' metadata
            "100.100.100.200/32",  # metadata (Alibaba)
            "168.63.129.16/32",  # platform services (Azure)
            "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is metadata (Oracle)
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved and broadcast
            "::/128",
            "fe80::/10",  # link-local
            "fec0::/10",  # site-local, deprecated
            "ff00::/8",  # multicast
            "fd00:ec2::/32",  # metadata (AWS)
            "fd20:ce::/32",  # metadata (Google)
            "fd00:42::42/128",  # metadata (Scaleway)
            "64:ff9b:1::/48",  # local-use NAT64: what is behind it is unknown
        ),
    )
)
_PRIVATE: tuple[Network, ...] = tuple(
    map(
        ip_network,
        ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7"),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_V4_COMPATIBLE = IPv6Network("::/96")
_LOW_32 = 0xFFFF_FFFF
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


class EgressRefused(httpx.ConnectError):
    """The guard refused the destination; nothing was connected."""


class EgressGuard:
    """Says which addresses an origin may be reached at. `private_origins` are those an operator typed."""

    def __init__(self, resolver: Resolver | None = None, *, private_origins: Iterable[Origin] = ()) -> None:
        self._resolver = resolver or Resolver()
        self._private_origins = frozenset(private_origins)

    @classmethod
    def public_only(cls, resolver: Resolver | None = None) -> "EgressGuard":
        """For URLs that others choose: webhooks, discovery documents, images."""
        return cls(resolver)

    @classmethod
    def for_provider(
        cls, base_url: str | httpx.URL, *, allow_private_network: bool = False, resolver: Resolver | None = None
    ) -> "EgressGuard":
        """For a provider's base URL: an address in it, or `localhost`, was meant; a name must resolve publicly.

        `allow_private_network` lets the name resolve to a private address. Raises `httpx.InvalidURL` or
        `httpx.UnsupportedProtocol`.
        """
        origin = Origin.of(httpx.URL(base_url))
        typed = origin.host.rstrip(".") == "localhost" or _literal(origin.host) is not None
        return cls(resolver, private_origins=(origin,) if typed or allow_private_network else ())

    async def addresses(self, origin: Origin) -> tuple[str, ...]:
        """The addresses to connect to, best first. Raises `EgressRefused` if even one is not allowed."""
        literal = _literal(origin.host)
        if literal is not None:
            self.check(origin, str(literal))
            return (str(literal),)
        found = await self._resolver.resolve(origin.host)
        for address in found:
            self.check(origin, address)
        return found

    def check(self, origin: Origin, address: str) -> None:
        """Raise `EgressRefused` unless a connection for `origin` may go to `address`."""
        parsed = ip_address(address.partition("%")[0])
        if is_public(parsed):
            return
        if origin in self._private_origins:
            if is_private(parsed):
                return
            raise EgressRefused(f"{origin} was not called: {address} is reserved or a metadata address.")
        raise EgressRefused(
            f"{origin} was not called: {address} is not a public address. "
            "If this provider runs on your network, put that address in its base URL or allow private addresses for it."
        )


def is_closed_address(host: str) -> bool:
    """Whether a URL's host is an address that no connection may ever go to, whoever typed it."""
    literal = _literal(host)
    return literal is not None and not is_public(literal) and not is_private(literal)


def is_public(address: Address) -> bool:
    """Whether the address, and every address inside it, is on the public Internet."""
    inner = embedded(address)
    if inner:
        return all(is_public(one) for one in inner)
    return address.is_global and not _within(address, _NEVER)


def is_private(address: Address) -> bool:
    """Whether it is this machine, a private network or a carrier's (VPNs live there), and no metadata service."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return _within(address, _PRIVATE) and not _within(address, _NEVER)


def embedded(address: Address) -> tuple[IPv4Address, ...]:
    """The v4 addresses a v6 one leads to: mapped, compatible, NAT64, 6to4, Teredo, ISATAP."""
    if isinstance(address, IPv4Address):
        return ()
    low = IPv4Address(int(address) & _LOW_32)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64 or (address in _V4_COMPATIBLE and int(low) > 1):
        return (low,)
    if (int(address) >> 32) & _LOW_32 in _ISATAP:
        return (low,)
    return ()


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None
