"""The present version of any object of the admin API, by its kind and id."""

from application.admin.config_write import READ_OF, ObjectKind
from application.audit.versions import version_of
from domain.ports.repositories import Store


class ObjectVersions:
    """Reads what `config_write` compares a change's expectation with. Raises `StoreUnavailable`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, kind: ObjectKind, object_id: str) -> str:
        """Also of what is not stored, such as a declared provider: all of that has one version."""
        async with self._store.read() as unit:
            return version_of(await READ_OF[kind](unit, object_id))
