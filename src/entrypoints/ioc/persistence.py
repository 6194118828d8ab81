"""The store and its schema."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dishka import AnyOf, AsyncContainer, Provider, Scope, alias, provide

from adapters.persistence import schema
from adapters.persistence.announcements import ConfigAnnouncements
from adapters.persistence.engine import DatabaseUrlInvalid, parse_url, sqlite_path
from adapters.persistence.retention import SqlAlchemyRetention
from adapters.persistence.schema_plan import UpgradePlan
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.decisions import SqlAlchemyDecisions
from adapters.persistence.usage_queries.names import SqlAlchemyNames
from adapters.persistence.usage_queries.reader import SqlAlchemyUsage
from adapters.persistence.usage_queries.rolling import SqlAlchemyRollUps
from domain.ports.decisions import DecisionLog
from domain.ports.repositories import Store
from domain.ports.runtime import Announcements
from domain.ports.security import SecretBox
from domain.ports.usage import Names, RequestLog, Retention, UsageReader, UsageRollUps
from entrypoints.settings.model import Settings, SettingsError

PATIENT_SECONDS = 60.0
START_SECONDS = 30.0


class PersistenceModule(Provider):
    scope = Scope.APP

    port = alias(source=SqlAlchemyStore, provides=Store)
    usage = provide(SqlAlchemyUsage, provides=AnyOf[UsageReader, RequestLog])
    decisions = provide(SqlAlchemyDecisions, provides=DecisionLog)
    names = provide(SqlAlchemyNames, provides=Names)
    roll_ups = provide(SqlAlchemyRollUps, provides=UsageRollUps)
    retention = provide(SqlAlchemyRetention, provides=Retention)

    @provide
    async def announcements(self, settings: Settings) -> AsyncIterator[Announcements]:
        announcements = ConfigAnnouncements(settings.database)
        yield announcements
        await announcements.aclose()

    @provide
    async def store(self, settings: Settings, box: SecretBox) -> AsyncIterator[SqlAlchemyStore]:
        store = SqlAlchemyStore(settings.database, box)
        yield store
        await store.aclose()


class PatientStoreModule(Provider):
    """The store for commands, which have no client waiting: a machine that is busy is no reason to give up."""

    scope = Scope.APP

    @provide(override=True)
    async def store(self, settings: Settings, box: SecretBox) -> AsyncIterator[SqlAlchemyStore]:
        store = SqlAlchemyStore(settings.database, box, unit_seconds=PATIENT_SECONDS)
        yield store
        await store.aclose()


def is_sqlite_behind(settings: Settings) -> bool:
    """Whether the store is a SQLite file that is yet to be made, or was made by an older version."""
    try:
        path = sqlite_path(parse_url(settings.database))
    except DatabaseUrlInvalid:
        return False
    return path is not None and schema.is_behind(path)


@asynccontextmanager
async def while_starting(container: AsyncContainer) -> AsyncIterator[None]:
    """The store's units take as long as a busy machine needs: giving up would end the start, and helps nobody."""
    with (await container.get(SqlAlchemyStore)).patient(START_SECONDS):
        yield


async def upgrade_schema(settings: Settings) -> schema.SchemaState:
    """Migrate where that is needed; what was there before. Raises `SettingsError`, `StoreUnavailable`."""
    try:
        return await schema.upgrade(settings.database)
    except (schema.SchemaUnknown, DatabaseUrlInvalid) as error:
        raise SettingsError(str(error)) from None


async def plan_upgrade(settings: Settings) -> UpgradePlan:
    """What `upgrade_schema` would do; nothing is changed. Raises `SettingsError`, `StoreUnavailable`."""
    from adapters.persistence.schema_changes import plan  # with Alembic, which a start does not need

    try:
        return await plan(settings.database)
    except (schema.SchemaUnknown, DatabaseUrlInvalid) as error:
        raise SettingsError(str(error)) from None


async def check_schema(settings: Settings) -> schema.SchemaState:
    """Look, and change nothing. Raises `SettingsError`, `StoreUnavailable`."""
    try:
        return await schema.check(settings.database)
    except (schema.SchemaUnknown, DatabaseUrlInvalid) as error:
        raise SettingsError(str(error)) from None
