"""How many connections one server takes, and how many from one address (F4)."""

import ipaddress
from collections import Counter

from domain.errors import ServiceUnavailable
from entrypoints.http.edge.config import ConnectionLimits
from entrypoints.http.edge.head import ClientAddress


class ConnectionCounts:
    """Counts by address. Loopback and the `exempt` addresses speak for many clients and are not counted."""

    def __init__(self, limits: ConnectionLimits, exempt: ClientAddress) -> None:
        self._limits = limits
        self._exempt = exempt
        self.by_address: Counter[str] = Counter()
        self.last_answers = False  # each connection's next answer is its last: its server is about to end

    def counted(self, address: str) -> bool:
        """Whether this address is counted; then `enter` and `leave` come in pairs."""
        return bool(address) and not _is_loopback(address) and not self._exempt.trusts(address)

    def enter(self, address: str) -> None:
        self.by_address[address] += 1

    def leave(self, address: str) -> None:
        self.by_address[address] -= 1
        if not self.by_address[address]:
            del self.by_address[address]

    def refusal(self, address: str | None, total: int) -> ServiceUnavailable | None:
        """Why a connection is one too many, where it is. `total` counts it, and so does its own address."""
        if total > self._limits.max_connections:
            return _full("The gateway has as many connections as it can hold; try again in a moment.")
        if address is not None and self.by_address[address] > self._limits.max_connections_per_address:
            return _full("Too many connections from this address; reuse them, or close some.")
        return None


def _full(message: str) -> ServiceUnavailable:
    return ServiceUnavailable(message, code="overloaded", retry_after_seconds=1)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
