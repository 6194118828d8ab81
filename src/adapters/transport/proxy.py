"""Outbound proxies: which origins are reached through one, and the tunnel that is asked of it.

Every connection through a proxy is a tunnel (CONNECT), for `http://` upstreams too: so a pool belongs to one origin,
the password is said to the proxy once a connection and never beside a request, and no page of the proxy can be taken
for an upstream's answer. Names are resolved by the proxy.

Source: RFC 9110 9.3.6 (CONNECT), 11.7 (Proxy-Authorization), RFC 7617 (basic); curl's and Go's habits for `NO_PROXY`.
"""

import asyncio
import base64
import re
import socket
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import httpx
from typing_extensions import override

from adapters.transport.egress import EgressGuard, Origin

_MAX_ANSWER_BYTES = 32 * 1024
_NO_PROXY_URL = "A proxy is an address such as http://proxy.example:3128 or http://user:password@host:port."
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r?\n")


class Proxy(NamedTuple):
    """One proxy. `authorization` is its header's value, empty without a password; no text form shows it."""

    origin: Origin
    authorization: str
    guard: EgressGuard

    @classmethod
    def of(cls, url: str, *, allow_private_network: bool = False) -> "Proxy":
        """Of `http://user:password@host:port`; the port is 80 where none is given.

        Its address must be public unless it was typed as an address, or private ones are allowed. Raises `ValueError`,
        whose message never holds a part of the URL.
        """
        try:
            parts = urlsplit(url)
            host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
            address = httpx.URL(f"{parts.scheme}://{host}:{parts.port or 80}")
            origin = Origin.of(address)
        except (ValueError, httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise ValueError(_NO_PROXY_URL) from None
        if origin.tls or parts.path not in {"", "/"} or parts.query or parts.fragment or not url.isprintable():
            raise ValueError(_NO_PROXY_URL)
        authorization = ""
        if parts.username or parts.password:
            pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
            authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
        guard = EgressGuard.for_provider(address, allow_private_network=allow_private_network)
        return cls(origin, authorization, guard)

    @property
    def name(self) -> str:
        """Host and port."""
        host = f"[{self.origin.host}]" if ":" in self.origin.host else self.origin.host
        return f"{host}:{self.origin.port}"

    @override
    def __repr__(self) -> str:
        return f"Proxy({self.name})"

    async def addresses(self, target: Origin, guard: EgressGuard) -> tuple[str, ...]:
        """The proxy's addresses. An address in the target's place is held to the target's `guard`; a name goes unseen.

        Raises `EgressRefused`, or `httpx.ProxyError` where the proxy's name cannot be resolved.
        """
        if _is_address(target.host):
            await guard.addresses(target)
        return await self.guard.addresses(self.origin)

    async def tunnel(self, connected: socket.socket, target: Origin) -> None:
        """Ask for a connection to the target. Raises `httpx.ProxyError` with the proxy's refusal in words."""
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_sendall(connected, self._request(target))
            answer = bytearray()
            while b"\r\n\r\n" not in answer and len(answer) <= _MAX_ANSWER_BYTES:
                piece = await loop.sock_recv(connected, 4096)
                if not piece:
                    break
                answer += piece
        except OSError as error:
            raise httpx.ProxyError(f"The proxy {self.name} broke the connection off: {error}.") from error
        status = _STATUS.match(answer)
        if status is None or b"\r\n\r\n" not in answer:
            raise httpx.ProxyError(f"What is at {self.name} does not answer as an HTTP proxy does.")
        code = int(status[1])
        if not 200 <= code < 300:
            raise httpx.ProxyError(self._refusal(code, target))
        if not answer.endswith(b"\r\n\r\n") or answer.count(b"\r\n\r\n") != 1:
            raise httpx.ProxyError(f"The proxy {self.name} sent more than its answer; nothing was sent through it.")

    def _request(self, target: Origin) -> bytes:
        host = f"[{target.host}]" if ":" in target.host else target.host
        place = f"{host}:{target.port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
        if self.authorization:
            lines.append(f"Proxy-Authorization: {self.authorization}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _refusal(self, status: int, target: Origin) -> str:
        if status in {401, 407}:
            if self.authorization:
                return f"The proxy {self.name} refused its user name or password (HTTP {status})."
            return f"The proxy {self.name} asks for a user name and password (HTTP {status})."
        if status in {403, 405}:
            return f"The proxy {self.name} does not allow connections to {target.host}:{target.port} (HTTP {status})."
        if status >= 500:
            return f"The proxy {self.name} could not reach {target.host}:{target.port} (HTTP {status})."
        return f"The proxy {self.name} refused the connection to {target.host}:{target.port} (HTTP {status})."


class Proxies:
    """Says which origins go through the proxy: all, but those on the list of `NO_PROXY`."""

    def __init__(self, proxy: Proxy, excepted: Iterable[str] = ()) -> None:
        self._proxy = proxy
        self._excepted = tuple(entry.strip().lower() for entry in excepted if entry.strip())

    def to(self, origin: Origin) -> Proxy | None:
        """None where the origin is reached directly."""
        return None if any(_covers(entry, origin) for entry in self._excepted) else self._proxy


def _covers(entry: str, origin: Origin) -> bool:
    """Whether an entry names the host: itself or a domain above it, an address (with a port or not), a network, `*`.

    `example.com`, `.example.com` and `*.example.com` mean the same: the name and all below it.
    """
    if entry == "*":
        return True
    if "/" in entry:
        return _in_network(entry, origin.host)
    host, port = _split(entry)
    if port and port != str(origin.port):
        return False
    if _is_address(host) or _is_address(origin.host):
        return _is_address(host) and _is_address(origin.host) and ip_address(host) == ip_address(origin.host)
    domain = host.removeprefix("*").strip(".")
    name = origin.host.rstrip(".")
    return bool(domain) and (name == domain or name.endswith(f".{domain}"))


def _split(entry: str) -> tuple[str, str]:
    """Host and port of an entry; an IPv6 address with a port stands in brackets."""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, rest.removeprefix(":")
    if entry.count(":") == 1:
        host, _, port = entry.partition(":")
        return host, port
    return entry, ""


def _in_network(entry: str, host: str) -> bool:
    try:
        network = ip_network(entry, strict=False)
        address = ip_address(host)
    except ValueError:
        return False
    return address.version == network.version and address in network


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
