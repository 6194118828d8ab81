"""What holds for every test: nothing in this process talks to anything but loopback."""

import ipaddress
import socket
import sys

RESERVED_SUFFIXES = (".example", ".invalid", ".test", ".localhost", ".local")


def _is_local(host: object) -> bool:
    if host in {None, "", b"", "localhost", b"localhost", "0.0.0.0", "::"}:  # listening anywhere is no call
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host)).is_loopback
    except ValueError:
        return False


def _is_address(host: object) -> bool:
    try:
        ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return True


def _loopback_only(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse the connection before a packet leaves; names reserved for documentation simply do not resolve."""
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and not _is_local(address[0]):
            raise RuntimeError(f"a test tried to connect to {address}; only loopback is allowed")
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        if _is_local(host) or _is_address(host):
            return
        name = str(host.decode() if isinstance(host, bytes) else host).rstrip(".").lower()
        if name.endswith(RESERVED_SUFFIXES):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        raise RuntimeError(f"a test tried to resolve {host!r}; only loopback is allowed")


sys.addaudithook(_loopback_only)
