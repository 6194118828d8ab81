"""Where a connection goes: scheme, host and port."""

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
