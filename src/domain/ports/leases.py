"""The port to leases: which process of all on one database may do what only one should."""

from typing import Protocol


class Leases(Protocol):
    """A lease ends by itself, by the store's own clock: who died or hangs loses it. All raise `StoreUnavailable`."""

    async def take(self, name: str, holder: str, seconds: float) -> bool:
        """Take the lease, or renew it, for so long from now; False where another holds it. `holder` is an id of one
        process.
        """
        ...

    async def give_back(self, name: str, holder: str) -> None:
        """End it, if it is this holder's: another may take it at once."""
        ...
