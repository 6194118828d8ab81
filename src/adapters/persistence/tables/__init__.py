"""The tables: importing this package makes them all known to one metadata."""

from adapters.persistence.tables.keys import TenantRow, VirtualKeyRow
from adapters.persistence.tables.providers import OfferingsRow, ProviderKeyRow, ProviderRow
from adapters.persistence.tables.row import Row
from adapters.persistence.tables.state import FactRow, KeyStateRow

__all__ = [
    "FactRow",
    "KeyStateRow",
    "OfferingsRow",
    "ProviderKeyRow",
    "ProviderRow",
    "Row",
    "TenantRow",
    "VirtualKeyRow",
]
