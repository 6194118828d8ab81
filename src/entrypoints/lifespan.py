"""Starts and stops one gateway process, in the order in which the parts need each other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from dishka import AsyncContainer, Provider, make_async_container

from application.admin.health import HealthReport
from application.admission.last_used import LastUsed
from application.admission.rule_book import RuleBook
from application.alerts.book import AlertBook
from application.alerts.budgets import BudgetReadings
from application.alerts.error_rates import ErrorRates
from application.availability import AvailabilityKeeper
from application.bootstrap import Bootstrap, FirstStart, forget_changed_secrets
from application.model_facts import LiveModelFacts
from application.ownership import Ownership
from application.pricing.book import LivePriceBook
from application.routing.route_book import RouteBook
from application.routing.settings import LiveRoutingSettings
from application.sign_in.first_user import FirstUser
from application.sign_in.sessions import Origin
from application.sign_in.sign_in import OneTimeLinks
from application.telemetry.exports import Exports
from domain.actors import SYSTEM
from domain.configuration import Learned, Section
from domain.ports.ledger import LedgerBacklog
from domain.ports.limits import LimitStore
from domain.ports.repositories import Store, UnitOfWork
from domain.secrets import Secret
from entrypoints.background import start_jobs
from entrypoints.data_folder import prepare_data_folder
from entrypoints.http.app import create_http_app
from entrypoints.http.edge.base_path import below
from entrypoints.http.edge.drain import DrainState
from entrypoints.http.edge.tracing import TracedApp
from entrypoints.http.services import HttpServices
from entrypoints.ioc import providers
from entrypoints.ioc.persistence import upgrade_schema, while_starting
from entrypoints.settings.model import Settings
from entrypoints.startup import make_objects
from entrypoints.workers import Workers

log = logging.getLogger(__name__)

CLOSE_SECONDS = 1.0
FINISH_SECONDS = 5.0
"""What a step of the way down may take, and what keeps something: with grace, drain and last words under 30 s."""

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class RunningGateway(msgspec.Struct, frozen=True):
    """A started gateway: what serves HTTP, and what must be stopped again."""

    container: AsyncContainer
    services: HttpServices
    workers: Workers
    http: Asgi
    first_start: FirstStart | None
    sign_in_token: Secret | None = None  # of the link that a first start prints

    async def make_sign_in_token(self) -> Secret:
        """The secret of a new one-time link for the first user."""
        return await sign_in_token(self.container)

    async def stop(self) -> None:
        """Stop the jobs, keep what was learned, and close every connection. What fails does not stop the rest."""
        await self.workers.stop()
        await _closed((await self.container.get(Ownership)).give_up)
        keeper = await self.container.get(AvailabilityKeeper)
        prices = await self.container.get(LivePriceBook)
        ledger = await self.container.get(LedgerBacklog)
        last_used = await self.container.get(LastUsed)
        exports = await self.container.get(Exports)
        await _closed(self.services.pipeline.aclose)
        await _closed(lambda: self.services.refusals.write_down(everything=True))
        last = (keeper.flush, prices.keep_used, last_used.flush, ledger.finish)
        await asyncio.gather(*(_closed(keep, FINISH_SECONDS) for keep in last))
        await _closed(lambda: asyncio.to_thread(exports.close), FINISH_SECONDS)
        await _closed(self.services.state.aclose)
        await self.container.close()


async def _closed(close: Callable[[], Awaitable[object]], seconds: float = CLOSE_SECONDS) -> None:
    """A step of the way down: neither its failure nor its length stops the rest."""
    try:
        async with asyncio.timeout(seconds):
            await close()
    except Exception:
        log.exception("closing failed")


async def start_gateway(settings: Settings, drain: DrainState, overrides: tuple[Provider, ...]) -> RunningGateway:
    """Prepare the store, take up what is stored, start the jobs and build the HTTP application."""
    prepare_data_folder(settings)
    container = make_async_container(
        *providers(), *overrides, context={Settings: settings, DrainState: drain}, skip_validation=True
    )
    try:
        state = await upgrade_schema(settings)
        if state.is_newer:
            log.warning("the database is of a newer version", extra={"revision": state.current})
        async with while_starting(container):
            first_start = await seed(container, settings)
            services = await container.get(HttpServices)
            await container.get(HealthReport)  # it counts the uptime from here
            await restore(container, services)
            await make_objects(container, settings)
            token = await sign_in_token(container) if first_start is not None else None
        workers = await start_jobs(container, services)
        http = below(followed(create_http_app(services), await container.get(Exports)), services.edge.base_path)
        return RunningGateway(container, services, workers, http, first_start, token)
    except BaseException:
        await container.close()
        raise


def followed(app: Asgi, exports: Exports) -> Asgi:
    """The application, which takes part in its callers' traces where these are collected."""
    exports.start()
    return TracedApp(app, exports.sampled) if exports.sampled is not None else app


async def seed(container: AsyncContainer, settings: Settings) -> FirstStart | None:
    """What a first start made, else None."""
    bootstrap = await container.get(Bootstrap)
    return await bootstrap.run(
        settings.admin_token or None, settings.bootstrap_key or None, objects_follow=bool(settings.bootstrap)
    )


async def sign_in_token(container: AsyncContainer) -> Secret:
    """Raises `NotFound` where the first user was deleted or disabled."""
    first_user = await container.get(FirstUser)
    user, _ = await first_user.get(Origin())
    links = await container.get(OneTimeLinks)
    secret, _ = await links.make(SYSTEM, user.id, "link")
    return secret


async def restore(container: AsyncContainer, services: HttpServices) -> None:
    """Availability, configuration, prices and model lists as they were before the restart."""
    await (await container.get(AvailabilityKeeper)).restore()
    await (await container.get(LimitStore)).restore()
    await forget_changed_secrets(await container.get(Store), services.availability, services.state.declared.keys)
    prices = await container.get(LivePriceBook)
    await prices.load()
    follow_sections(services, prices, await container.get(RuleBook), await container.get(RouteBook))
    follow_model_facts(services, await container.get(LiveModelFacts))
    services.state.follow(Section.ROUTES, (await container.get(LiveRoutingSettings)).reload)
    (await container.get(AvailabilityKeeper)).follow(services.state)
    if not (await container.get(Settings)).uses_sqlite:
        services.state.follow(Learned.MODEL_LISTS, services.directory.take_up)
    await follow_alerts(container, services)
    await services.state.reload()
    await services.directory.load()


def follow_sections(services: HttpServices, prices: LivePriceBook, rules: RuleBook, routes: RouteBook) -> None:
    """Who reads each section of the configuration when it changed. Providers the state reads itself."""

    async def forget_keys(_: UnitOfWork) -> None:
        services.authenticator.forget_all()

    services.state.follow(Section.PRICES, prices.reload)
    services.state.follow(Section.LIMITS, rules.reload)
    services.state.follow(Section.ROUTES, routes.reload)
    for section in (Section.VIRTUAL_KEYS, Section.TENANTS, Section.PEOPLE):
        services.state.follow(section, forget_keys, only_foreign=True)


def follow_model_facts(services: HttpServices, facts: LiveModelFacts) -> None:
    """What admins say of models, which is read with the prices."""

    async def reload(unit: UnitOfWork) -> None:
        await facts.reload(unit)
        services.directory.facts_changed()

    services.state.follow(Section.PRICES, reload)


async def follow_alerts(container: AsyncContainer, services: HttpServices) -> None:
    """Channels and rules, and what is counted only while a rule asks for it."""
    book = await container.get(AlertBook)
    budgets = await container.get(BudgetReadings)
    error_rates = await container.get(ErrorRates)

    async def reload(unit: UnitOfWork) -> None:
        await book.reload(unit)
        budgets.follow_rules(book)
        error_rates.follow_rules()

    services.state.follow(Section.ALERTS, reload)
