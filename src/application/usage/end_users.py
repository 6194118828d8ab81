"""How many end users of a tenant are told apart in a month: so many, and the rest are one (contract 9)."""

from collections import OrderedDict
from datetime import datetime
from typing import Final

MOST: Final = 10_000
"""End users of a tenant in a calendar month (UTC) that are told apart."""

OTHER: Final = "other"

_MOST_TENANTS: Final = 1_000


class EndUsers:
    """Who was seen this month, by tenant, in the memory of one process: a client that makes up a name for each request
    fills no report, and takes no more than half a megabyte here.

    Each process tells its own first ones apart, and begins anew at a start.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._seen: OrderedDict[str, tuple[int, set[int]]] = OrderedDict()

    def counted(self, tenant_id: str, end_user: str, now: datetime) -> str:
        """The end user as they are counted: themselves, or `other`."""
        month = now.year * 12 + now.month
        known = self._seen.get(tenant_id)
        if known is None or known[0] != month:
            known = self._seen[tenant_id] = (month, set())
            self._seen.move_to_end(tenant_id)
            while len(self._seen) > _MOST_TENANTS:
                self._seen.popitem(last=False)
        names, name = known[1], hash(end_user)
        if name in names:
            return end_user
        if len(names) >= self._most:
            return OTHER
        names.add(name)
        return end_user
