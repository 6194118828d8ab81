"""Starts and stops one gateway process, in the order in which the parts need each other."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from dishka import AsyncContainer, Provider, make_async_container

from application.admin.health import HealthReport
from application.availability import AvailabilityKeeper
from application.bootstrap import Bootstrap, FirstStart, forget_changed_secrets
from application.pricing.book import LivePriceBook
from domain.ports.ledger import LedgerBacklog
from domain.ports.repositories import Store
from entrypoints.http.app import create_http_app
from entrypoints.http.edge.drain import DrainState
from entrypoints.http.services import HttpServices
from entrypoints.ioc import providers
from entrypoints.ioc.persistence import prepare_data_folder, upgrade_schema
from entrypoints.settings.model import Settings
from entrypoints.workers import Workers

log = logging.getLogger(__name__)

CONFIG_POLL_SECONDS = 1.0
AVAILABILITY_FLUSH_SECONDS = 1.0
PRICE_FOLLOW_SECONDS = 1.0
ORPHAN_SECONDS = 15.0
"""How soon the usage of a killed sibling is booked. At a start it is at once, and nothing waits for it."""
MODEL_REFRESH_SECONDS = 2.0
"""How soon a new provider's models are read; lists that are known and fresh cost nothing."""

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class RunningGateway(msgspec.Struct, frozen=True):
    """A started gateway: what serves HTTP, and what must be stopped again."""

    container: AsyncContainer
    services: HttpServices
    workers: Workers
    http: Asgi
    first_start: FirstStart | None

    async def stop(self) -> None:
        """Stop the jobs, keep what was learned, and close every connection. What fails does not stop the rest."""
        await self.workers.stop()
        keeper = await self.container.get(AvailabilityKeeper)
        prices = await self.container.get(LivePriceBook)
        ledger = await self.container.get(LedgerBacklog)
        for close in (
            self.services.pipeline.aclose,
            keeper.flush,
            prices.follow,
            ledger.finish,
            self.services.state.aclose,
        ):
            try:
                await close()
            except Exception:
                log.exception("closing failed")
        await self.container.close()


async def start_gateway(settings: Settings, drain: DrainState, overrides: tuple[Provider, ...]) -> RunningGateway:
    """Prepare the store, take up what is stored, start the jobs and build the HTTP application."""
    prepare_data_folder(settings)
    container = make_async_container(
        *providers(), *overrides, context={Settings: settings, DrainState: drain}, skip_validation=True
    )
    try:
        await upgrade_schema(settings)
        first_start = await seed(container, settings)
        services = await container.get(HttpServices)
        await container.get(HealthReport)  # it counts the uptime from here
        await restore(container, services)
        workers = await start_workers(container, services)
        return RunningGateway(container, services, workers, create_http_app(services), first_start)
    except BaseException:
        await container.close()
        raise


async def seed(container: AsyncContainer, settings: Settings) -> FirstStart | None:
    """What a first start made, else None."""
    bootstrap = await container.get(Bootstrap)
    return await bootstrap.run(settings.admin_token or None, settings.bootstrap_key or None)


async def restore(container: AsyncContainer, services: HttpServices) -> None:
    """Availability, configuration, prices and model lists as they were before the restart."""
    await (await container.get(AvailabilityKeeper)).restore()
    await forget_changed_secrets(await container.get(Store), services.availability, services.state.declared.keys)
    await services.state.reload()
    await (await container.get(LivePriceBook)).load()
    await services.directory.load()


async def start_workers(container: AsyncContainer, services: HttpServices) -> Workers:
    keeper = await container.get(AvailabilityKeeper)
    prices = await container.get(LivePriceBook)
    ledger = await container.get(LedgerBacklog)
    services.state.on_foreign_change(services.authenticator.forget_all)
    services.state.on_foreign_change(prices.forget)
    workers = Workers()
    workers.every(CONFIG_POLL_SECONDS, "follow configuration", services.state.reload_if_changed)
    workers.every(AVAILABILITY_FLUSH_SECONDS, "keep availability", keeper.flush)
    workers.every(PRICE_FOLLOW_SECONDS, "follow prices", prices.follow)
    workers.every(0.0, "carry usage to the database", ledger.turn)
    workers.every(ORPHAN_SECONDS, "book what dead processes left", ledger.book_orphans)
    workers.every(MODEL_REFRESH_SECONDS, "list models", services.directory.refresh_stale)
    return workers
