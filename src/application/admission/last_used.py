"""When each key was last used: noted in memory whenever a key is read, and written down now and then."""

from datetime import datetime

from domain.ports.repositories import Store


class LastUsed:
    """What was noted and is not written yet. A store that is away loses nothing but time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: dict[str, datetime] = {}

    def note(self, key_id: str, at: datetime) -> None:
        """Never awaits."""
        self._noted[key_id] = at

    async def flush(self) -> None:
        """Write down what was noted. Raises `StoreUnavailable`, and keeps it."""
        noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            async with self._store.write() as unit:
                await unit.virtual_keys.used(noted)
        except BaseException:
            self._noted = noted | self._noted
            raise
