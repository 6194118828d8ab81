"""The tables: importing this package makes them all known to one metadata."""

from adapters.persistence.tables.keys import TenantRow, VirtualKeyRow
from adapters.persistence.tables.ledger import AttemptRow, RequestRow, SpoolOffsetRow
from adapters.persistence.tables.prices import PriceTableRow
from adapters.persistence.tables.providers import OfferingsRow, ProviderKeyRow, ProviderRow
from adapters.persistence.tables.row import Row
from adapters.persistence.tables.state import FactRow, KeyStateRow
from adapters.persistence.tables.usage import UsageDayRow, UsageHourOfKeyRow, UsageHourOfModelRow, UsageHourRow

__all__ = [
    "AttemptRow",
    "FactRow",
    "KeyStateRow",
    "OfferingsRow",
    "PriceTableRow",
    "ProviderKeyRow",
    "ProviderRow",
    "RequestRow",
    "Row",
    "SpoolOffsetRow",
    "TenantRow",
    "UsageDayRow",
    "UsageHourOfKeyRow",
    "UsageHourOfModelRow",
    "UsageHourRow",
    "VirtualKeyRow",
]
