"""The store: short units of work on SQLite or Postgres, each with every repository over one session."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.pool import QueuePool
from typing_extensions import override

from adapters.clock import SystemClock
from adapters.persistence.engine import build_engines, file_identity, parse_url, sqlite_path
from adapters.persistence.repositories.admin_tokens import SqlAlchemyAdminTokenRepository
from adapters.persistence.repositories.alerts import (
    SqlAlchemyAlertConfigRepository,
    SqlAlchemyAlertLogRepository,
)
from adapters.persistence.repositories.audit import AuditVerification, SqlAlchemyAuditRepository, verify
from adapters.persistence.repositories.availability import SqlAlchemyAvailabilityRepository
from adapters.persistence.repositories.config_versions import SqlAlchemyConfigVersionRepository
from adapters.persistence.repositories.facts import SqlAlchemyFactRepository
from adapters.persistence.repositories.identities import SqlAlchemyIdentityRepository
from adapters.persistence.repositories.model_facts import SqlAlchemyModelFactRepository
from adapters.persistence.repositories.model_groups import SqlAlchemyModelGroupRepository
from adapters.persistence.repositories.offerings import SqlAlchemyOfferingRepository
from adapters.persistence.repositories.prices import SqlAlchemyPriceRepository
from adapters.persistence.repositories.providers import SqlAlchemyKeyRepository, SqlAlchemyProviderRepository
from adapters.persistence.repositories.routes import SqlAlchemyRouteRepository
from adapters.persistence.repositories.rules import SqlAlchemyRuleRepository
from adapters.persistence.repositories.sign_in import (
    SqlAlchemyOneTimeTokenRepository,
    SqlAlchemyPasswordRepository,
    SqlAlchemyPreferencesRepository,
    SqlAlchemySessionRepository,
)
from adapters.persistence.repositories.tenants import SqlAlchemyTenantRepository
from adapters.persistence.repositories.users import SqlAlchemyMembershipRepository, SqlAlchemyUserRepository
from adapters.persistence.repositories.virtual_keys import SqlAlchemyVirtualKeyRepository
from adapters.persistence.work import Work
from domain.errors import StoreUnavailable
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock
from domain.ports.security import SecretBox


class SqlAlchemyUnitOfWork(UnitOfWork):
    """Repositories are made when first asked for: most units need one."""

    def __init__(self, work: Work, box: SecretBox, clock: Clock) -> None:
        self._work = work
        self._box = box
        self._clock = clock

    @cached_property
    @override
    def providers(self) -> SqlAlchemyProviderRepository:
        return SqlAlchemyProviderRepository(self._work, self._box)

    @cached_property
    @override
    def keys(self) -> SqlAlchemyKeyRepository:
        return SqlAlchemyKeyRepository(self._work, self._box)

    @cached_property
    @override
    def virtual_keys(self) -> SqlAlchemyVirtualKeyRepository:
        return SqlAlchemyVirtualKeyRepository(self._work)

    @cached_property
    @override
    def admin_tokens(self) -> SqlAlchemyAdminTokenRepository:
        return SqlAlchemyAdminTokenRepository(self._work)

    @cached_property
    @override
    def tenants(self) -> SqlAlchemyTenantRepository:
        return SqlAlchemyTenantRepository(self._work)

    @cached_property
    @override
    def users(self) -> SqlAlchemyUserRepository:
        return SqlAlchemyUserRepository(self._work)

    @cached_property
    @override
    def memberships(self) -> SqlAlchemyMembershipRepository:
        return SqlAlchemyMembershipRepository(self._work)

    @cached_property
    @override
    def model_groups(self) -> SqlAlchemyModelGroupRepository:
        return SqlAlchemyModelGroupRepository(self._work)

    @cached_property
    @override
    def routes(self) -> SqlAlchemyRouteRepository:
        return SqlAlchemyRouteRepository(self._work)

    @cached_property
    @override
    def availability(self) -> SqlAlchemyAvailabilityRepository:
        return SqlAlchemyAvailabilityRepository(self._work)

    @cached_property
    @override
    def offerings(self) -> SqlAlchemyOfferingRepository:
        return SqlAlchemyOfferingRepository(self._work)

    @cached_property
    @override
    def rules(self) -> SqlAlchemyRuleRepository:
        return SqlAlchemyRuleRepository(self._work)

    @cached_property
    @override
    def prices(self) -> SqlAlchemyPriceRepository:
        return SqlAlchemyPriceRepository(self._work)

    @cached_property
    @override
    def model_facts(self) -> SqlAlchemyModelFactRepository:
        return SqlAlchemyModelFactRepository(self._work)

    @cached_property
    @override
    def config_versions(self) -> SqlAlchemyConfigVersionRepository:
        return SqlAlchemyConfigVersionRepository(self._work)

    @cached_property
    @override
    def facts(self) -> SqlAlchemyFactRepository:
        return SqlAlchemyFactRepository(self._work)

    @cached_property
    @override
    def sessions(self) -> SqlAlchemySessionRepository:
        return SqlAlchemySessionRepository(self._work)

    @cached_property
    @override
    def identities(self) -> SqlAlchemyIdentityRepository:
        return SqlAlchemyIdentityRepository(self._work)

    @cached_property
    @override
    def one_time_tokens(self) -> SqlAlchemyOneTimeTokenRepository:
        return SqlAlchemyOneTimeTokenRepository(self._work)

    @cached_property
    @override
    def passwords(self) -> SqlAlchemyPasswordRepository:
        return SqlAlchemyPasswordRepository(self._work)

    @cached_property
    @override
    def preferences(self) -> SqlAlchemyPreferencesRepository:
        return SqlAlchemyPreferencesRepository(self._work)

    @cached_property
    @override
    def alert_config(self) -> SqlAlchemyAlertConfigRepository:
        return SqlAlchemyAlertConfigRepository(self._work, self._box)

    @cached_property
    @override
    def alert_log(self) -> SqlAlchemyAlertLogRepository:
        return SqlAlchemyAlertLogRepository(self._work)

    @cached_property
    @override
    def audit(self) -> SqlAlchemyAuditRepository:
        return SqlAlchemyAuditRepository(self._work, self._box, self._clock)


_PING = text("SELECT version_num FROM alembic_version")


class SqlAlchemyStore(Store):
    """`Store` on `database_url`, whose schema must be up to date (`schema.upgrade`).

    A unit may take `unit_seconds`; whatever the database, its driver or its pool cannot do within that time
    is `StoreUnavailable`. Raises `DatabaseUrlInvalid`, and `OSError` for a SQLite folder that cannot be used.
    """

    def __init__(self, database_url: str, box: SecretBox, *, unit_seconds: float = 2.0) -> None:
        url = parse_url(database_url)
        self._engines = build_engines(url)
        self._path = sqlite_path(url)
        self._identity = file_identity(self._path) if self._path else None
        self._read = async_sessionmaker(self._engines.reader, expire_on_commit=False)
        self._write = async_sessionmaker(self._engines.writer, expire_on_commit=False)
        self._report = async_sessionmaker(self._engines.reports, expire_on_commit=False)
        self._box = box
        self._clock = SystemClock()
        self._unit_seconds = unit_seconds
        self._closing: set[asyncio.Task[None]] = set()

    @contextmanager
    def patient(self, seconds: float) -> Iterator[None]:
        """A unit begun in here may take so long: of a process that starts, whose requests nobody awaits yet."""
        usual, self._unit_seconds = self._unit_seconds, seconds
        try:
            yield
        finally:
            self._unit_seconds = usual

    @override
    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        work = self._work(self._read, self._unit_seconds)
        try:
            yield SqlAlchemyUnitOfWork(work, self._box, self._clock)
        finally:
            await work.leave(commit=False)

    @override
    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        work = self._work(self._write, self._unit_seconds)
        try:
            yield SqlAlchemyUnitOfWork(work, self._box, self._clock)
        except BaseException:
            await work.leave(commit=False)
            raise
        await work.leave(commit=True)

    @asynccontextmanager
    async def reading(self, seconds: float) -> AsyncIterator[Work]:
        """A session for what is no repository's, and may take longer than a unit."""
        work = self._work(self._read, seconds)
        try:
            yield work
        finally:
            await work.leave(commit=False)

    @asynccontextmanager
    async def reporting(self, seconds: float) -> AsyncIterator[Work]:
        """The same for what reads much: on SQLite it stands back behind the requests that are being served."""
        work = self._work(self._report, seconds)
        try:
            yield work
        finally:
            await work.leave(commit=False)

    async def verify_audit(self, seconds: float, expected: tuple[int, str] | None = None) -> AuditVerification:
        """Whether the audit trail is as it was written. Raises `StoreUnavailable`."""
        async with self.reporting(seconds) as work:
            return await work.run(verify(work.session, self._box, expected))

    @asynccontextmanager
    async def writing(self, seconds: float | None = None) -> AsyncIterator[Work]:
        """A session that commits when left and rolls back on an exception, for what is no repository's. Of a unit's
        seconds, unless it says others.
        """
        work = self._work(self._write, self._unit_seconds if seconds is None else seconds)
        try:
            yield work
        except BaseException:
            await work.leave(commit=False)
            raise
        await work.leave(commit=True)

    @override
    async def ping(self) -> None:
        await self._look_for_file()
        work = self._work(self._read, 1.0)
        try:
            await work.run(work.session.execute(_PING))
        finally:
            await work.leave(commit=False)

    async def _look_for_file(self) -> None:
        """SQLite's connections go on with a file that has been removed or replaced, and what they write is lost."""
        if self._path is None:
            return
        identity = file_identity(self._path)
        if identity != self._identity:
            await self._engines.aclose()  # each connection that is opened from now on opens what lies there
        self._identity = identity
        if identity is None:
            raise StoreUnavailable(f"The database file {self._path} is not there.")

    @property
    def checked_out(self) -> int:
        """Connections in use at this moment."""
        pools = {engine.pool for engine in (self._engines.reader, self._engines.writer, self._engines.reports)}
        return sum(pool.checkedout() for pool in pools if isinstance(pool, QueuePool))

    @override
    async def aclose(self) -> None:
        """Wait for units whose callers have left, then close every connection."""
        if self._closing:
            await asyncio.wait(set(self._closing))
        await self._engines.aclose()

    def _work(self, sessions: async_sessionmaker[AsyncSession], seconds: float) -> Work:
        return Work(sessions(), seconds, self._closing)
