"""The use cases of an admin on a store, without a server: what commands change that do not ask a running gateway.

Gateways that run on the same store learn of it as they learn of one another: within a second.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from dishka import make_async_container

from application.bootstrap import FirstStart
from application.desired_state.state import DesiredState
from application.pricing.book import LivePriceBook
from application.pricing.catalogs import CatalogUpdates
from application.snapshot import GatewayState
from domain.configuration import Section
from domain.ports.repositories import UnitOfWork
from entrypoints.data_folder import prepare_data_folder
from entrypoints.http.edge.drain import DrainState
from entrypoints.ioc import providers
from entrypoints.ioc.persistence import PatientStoreModule, upgrade_schema
from entrypoints.lifespan import seed
from entrypoints.settings.model import Settings
from entrypoints.startup import make_objects, own_objects


class OpenedStore(msgspec.Struct, frozen=True):
    """A store that is open, and what its first start made where this is the first.

    `declared` are the providers that the environment and the settings file declare.
    """

    desired_state: DesiredState
    catalogs: CatalogUpdates
    first_start: FirstStart | None
    declared: frozenset[str] = frozenset()


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[OpenedStore]:
    """Migrates and seeds where nobody did. Raises `SettingsError`, `StoreUnavailable`."""
    prepare_data_folder(settings)
    container = make_async_container(
        *providers(), PatientStoreModule(), context={Settings: settings, DrainState: DrainState()}, skip_validation=True
    )
    try:
        await upgrade_schema(settings)
        first_start = await seed(container, settings)
        state = await container.get(GatewayState)
        prices = await container.get(LivePriceBook)
        await prices.load()
        _follow(state, prices)
        await state.reload()
        try:
            if first_start is not None:
                await make_objects(container, settings)
            await own_objects(container, settings)
            declared = frozenset(provider.id for provider in state.declared.providers)
            catalogs = await container.get(CatalogUpdates)
            yield OpenedStore(await container.get(DesiredState), catalogs, first_start, declared)
        finally:
            await state.aclose()
    finally:
        await container.close()


def _follow(state: GatewayState, prices: LivePriceBook) -> None:
    """Nothing is served here: only what the use cases themselves look at is read again after a write."""

    async def nothing(_: UnitOfWork) -> None:
        return None

    state.follow(Section.PRICES, prices.reload)
    for section in Section:
        if section not in state.followed:
            state.follow(section, nothing, only_foreign=True)
