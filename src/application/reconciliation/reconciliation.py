"""A provider's bill beside the ledger: what both have of each day, model and meter, and why they part."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from application.reconciliation.reasons import bill_tells_costs, compared
from application.reconciliation.sides import Cell, Ours, paired
from application.usage.explanation import MAX_ROWS, cost_parts
from application.usage.moments import timezone_of
from domain.bills import Bill, Compared, Reason
from domain.errors import RequestInvalid
from domain.ports.bills import BillReader
from domain.ports.repositories import Store
from domain.ports.usage import UsageReader
from domain.prices import PriceRow
from domain.usage_periods import midnight
from domain.usage_queries import UsageFilter, UsageQuery

MAX_DAYS: Final = 400
_DAY: Final = timedelta(days=1)


class Reconciled(msgspec.Struct, frozen=True):
    """Every day and model that either side has, and what there is to know of the bill."""

    provider: str
    bill: Bill
    timezone: str
    cells: tuple[Compared, ...]
    tells_costs: bool

    @property
    def our_cost_femto_usd(self) -> int:
        return sum(cell.our_cost_femto_usd for cell in self.cells)

    @property
    def their_cost_femto_usd(self) -> int | None:
        """None of an export that tells tokens alone."""
        return sum(cell.their_cost_femto_usd or 0 for cell in self.cells) if self.tells_costs else None

    @property
    def by_reason(self) -> Mapping[Reason, int]:
        """What each reason comes to, of those that there are."""
        found: dict[Reason, int] = {}
        for each in (each for cell in self.cells for each in cell.differences):
            found[each.reason] = found.get(each.reason, 0) + each.amount_femto_usd
        return {reason: found[reason] for reason in Reason if reason in found}

    @property
    def agrees(self) -> bool:
        """Whether nothing but rounding is between both."""
        return self.by_reason.keys() <= {Reason.ROUNDING}


class Reconciliation:
    """Reads bills and compares them. Raises `RequestInvalid` and `StoreUnavailable`."""

    def __init__(self, bills: BillReader, reader: UsageReader, store: Store) -> None:
        self._bills = bills
        self._reader = reader
        self._store = store

    async def compare(
        self,
        provider_id: str,
        files: Mapping[str, bytes],
        columns: Mapping[str, str],
        timezone: str = "UTC",
        names: Mapping[str, str] | None = None,
    ) -> Reconciled:
        """`columns` are those of a table (empty: a known export), `names` the bill's models to the ledger's."""
        zone = timezone_of(timezone)
        bill = self._bills.read(files, columns, zone)
        if (bill.last - bill.first).days >= MAX_DAYS:
            raise RequestInvalid(f"The export covers more than {MAX_DAYS} days ({bill.first} to {bill.last}).")
        ours = await self._ledger(provider_id, bill, zone)
        if not ours:
            nothing = f"The ledger has nothing of provider '{provider_id}' on these days; is that its id here?"
            bill = msgspec.structs.replace(bill, notes=(*bill.notes, nothing))
        cells = compared(paired(bill, ours, names or {}), bill)
        return Reconciled(provider_id, bill, zone.key, cells, bill_tells_costs(bill))

    async def _ledger(self, provider_id: str, bill: Bill, zone: ZoneInfo) -> dict[Cell, Ours]:
        """What the ledger has of the days of the bill."""
        found: dict[Cell, Ours] = {}
        filter_ = UsageFilter(provider_id=provider_id)
        whole = UsageQuery(
            midnight(bill.first, zone), midnight(bill.last + _DAY, zone), ("day", "model"), zone.key, filter_
        )
        for row in await self._reader.sums(whole, MAX_ROWS):
            if row.day is not None and row.model is not None:
                found.setdefault((row.day, row.model), Ours()).add_sums(row.sums)
        prices: dict[str, PriceRow | None] = {"": None}
        for day in sorted({day for day, _ in found}):
            one = UsageQuery(midnight(day, zone), midnight(day + _DAY, zone), (), zone.key, filter_)
            for calls in await self._reader.priced(one, MAX_ROWS):
                if calls.price_id not in prices:
                    async with self._store.read() as unit:
                        prices[calls.price_id] = await unit.prices.get(calls.price_id)
                price = prices[calls.price_id]
                cell = found.setdefault((day, calls.model), Ours())
                for part in cost_parts(calls, price):
                    cell.add_part(part)
                if price is not None:
                    cell.list_rates = price.prices.over(cell.list_rates)
        return found
