"""The Host header: exactly one, of a strict shape, and on the allow-list (F5, S-27)."""

import ipaddress
import re
from collections.abc import Iterable

from domain.errors import RequestInvalid
from entrypoints.http.edge.head import Head

_SHAPE = re.compile(
    rb"(?P<name>(?=.{1,253}(?::|\Z))[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*"
    rb"|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)
_REMEMBERED = 1000


class AllowedHosts:
    """Knows the names the gateway answers to. What it accepted once is remembered byte for byte."""

    def __init__(self, names: Iterable[str]) -> None:
        wanted = [name.strip().strip("[]").lower() for name in names]
        self._any = "*" in wanted
        self._names = frozenset(_canonical(name) for name in wanted)
        self._suffixes = tuple(name[1:] for name in wanted if name.startswith("*."))
        self._accepted: set[bytes] = set()

    def check(self, head: Head) -> None:
        """Raises `RequestInvalid` unless the request has one Host that is well-formed and allowed."""
        host = head.singles.get(b"host", b"")
        if head.hosts == 1 and host in self._accepted:
            return
        if head.hosts != 1:
            raise RequestInvalid("A request has exactly one Host header.", code="invalid_host")
        match = _SHAPE.fullmatch(host)
        if match is None or int(match["port"] or 0) > 65535:
            raise RequestInvalid("The Host header is not a host name with an optional port.", code="invalid_host")
        name = _canonical(match["name"].decode().strip("[]").lower())
        if not (self._any or name in self._names or (self._suffixes and name.endswith(self._suffixes))):
            raise RequestInvalid(
                f"This gateway does not answer to the host '{name}'. Its operator can add it to OMG_ALLOWED_HOSTS.",
                code="invalid_host",
            )
        if len(self._accepted) < _REMEMBERED:
            self._accepted.add(host)


def _canonical(name: str) -> str:
    """One spelling for each address: `::1` for `0:0:0:0:0:0:0:1`. Names that are no address stay as they are."""
    if ":" not in name:
        return name
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name
