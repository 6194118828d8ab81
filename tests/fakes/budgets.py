"""What was spent before, as a test says."""

from collections.abc import Mapping

from typing_extensions import override

from domain.budget_periods import Bucket
from domain.errors import StoreUnavailable
from domain.ports.budgets import BudgetTerm, SpendReader
from domain.records import Charge


class NothingSpent(SpendReader):
    """Nothing, but for what is put into `by_account`. Set `broken` and it cannot be asked; `reads` counts."""

    def __init__(self) -> None:
        self.by_account: dict[str, dict[int, int]] = {}
        self.kept_by_account: dict[str, dict[str, Charge]] = {}
        self.broken = False
        self.reads = 0

    @override
    async def spent(self, term: BudgetTerm, bucket: Bucket) -> Mapping[int, int]:
        self.reads += 1
        if self.broken:
            raise StoreUnavailable("broken by the test")
        found = self.by_account.get(term.account, {})
        return {start: nano for start, nano in found.items() if start >= bucket.counts_from}

    @override
    async def kept(self, account: str) -> Mapping[str, Charge]:
        if self.broken:
            raise StoreUnavailable("broken by the test")
        return self.kept_by_account.get(account, {})
