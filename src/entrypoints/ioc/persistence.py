"""The store and its schema."""

import os
from collections.abc import AsyncIterator

from dishka import AnyOf, Provider, Scope, alias, provide

from adapters.persistence import schema
from adapters.persistence.engine import DatabaseUrlInvalid, parse_url, sqlite_path
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.reader import SqlAlchemyUsage
from domain.ports.repositories import Store
from domain.ports.security import SecretBox
from domain.ports.usage import RequestLog, UsageReader
from entrypoints.settings.model import Settings, SettingsError

FOLDER_MODE = 0o700


class PersistenceModule(Provider):
    scope = Scope.APP

    port = alias(source=SqlAlchemyStore, provides=Store)
    usage = provide(SqlAlchemyUsage, provides=AnyOf[UsageReader, RequestLog])

    @provide
    async def store(self, settings: Settings, box: SecretBox) -> AsyncIterator[SqlAlchemyStore]:
        store = SqlAlchemyStore(settings.database, box)
        yield store
        await store.aclose()


def prepare_data_folder(settings: Settings) -> None:
    """Make the data folder and the spool's for this user only. Raises `SettingsError` where that cannot be."""
    folder = settings.data_dir
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        (folder / "spool").mkdir(mode=FOLDER_MODE, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"OMG_DATA_DIR: the folder {folder} cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError(f"OMG_DATA_DIR: the folder {folder} cannot be written by this user")


def is_sqlite_behind(settings: Settings) -> bool:
    """Whether the store is a SQLite file that is yet to be made, or was made by an older version."""
    try:
        path = sqlite_path(parse_url(settings.database))
    except DatabaseUrlInvalid:
        return False
    return path is not None and schema.is_behind(path)


async def upgrade_schema(settings: Settings) -> schema.SchemaState:
    """Migrate where that is needed; what was there before. Raises `SettingsError`, `StoreUnavailable`."""
    try:
        return await schema.upgrade(settings.database)
    except (schema.SchemaUnknown, DatabaseUrlInvalid) as error:
        raise SettingsError(str(error)) from None


async def check_schema(settings: Settings) -> schema.SchemaState:
    """Look, and change nothing. Raises `SettingsError`, `StoreUnavailable`."""
    try:
        return await schema.check(settings.database)
    except (schema.SchemaUnknown, DatabaseUrlInvalid) as error:
        raise SettingsError(str(error)) from None
