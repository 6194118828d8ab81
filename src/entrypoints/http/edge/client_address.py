"""Whose request it is: the peer's address, or what trusted proxies say of it (S-28)."""

import ipaddress
from collections.abc import Iterable, Sequence


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
