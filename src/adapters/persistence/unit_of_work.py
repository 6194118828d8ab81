"""Every repository over one session."""

from functools import cached_property

from typing_extensions import override

from adapters.persistence.repositories.availability import SqlAlchemyAvailabilityRepository
from adapters.persistence.repositories.facts import SqlAlchemyFactRepository
from adapters.persistence.repositories.offerings import SqlAlchemyOfferingRepository
from adapters.persistence.repositories.prices import SqlAlchemyPriceRepository
from adapters.persistence.repositories.provider_keys import SqlAlchemyKeyRepository
from adapters.persistence.repositories.providers import SqlAlchemyProviderRepository
from adapters.persistence.repositories.tenants import SqlAlchemyTenantRepository
from adapters.persistence.repositories.virtual_keys import SqlAlchemyVirtualKeyRepository
from adapters.persistence.work import Work
from domain.ports.repositories import UnitOfWork
from domain.ports.security import SecretBox


class SqlAlchemyUnitOfWork(UnitOfWork):
    """Repositories are made when first asked for: most units need one."""

    def __init__(self, work: Work, box: SecretBox) -> None:
        self._work = work
        self._box = box

    @cached_property
    @override
    def providers(self) -> SqlAlchemyProviderRepository:
        return SqlAlchemyProviderRepository(self._work)

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
    def tenants(self) -> SqlAlchemyTenantRepository:
        return SqlAlchemyTenantRepository(self._work)

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
    def prices(self) -> SqlAlchemyPriceRepository:
        return SqlAlchemyPriceRepository(self._work)

    @cached_property
    @override
    def facts(self) -> SqlAlchemyFactRepository:
        return SqlAlchemyFactRepository(self._work)
