"""The work beside the requests: a row a job, which says how often, and whether one process does it for all."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
from dishka import AsyncContainer

from application.admin.store_watch import StoreWatch
from application.admission.last_used import LastUsed
from application.alerts.dispatch import AlertDispatch
from application.alerts.watch import AlertWatch
from application.audit.refusals import RefusalLog
from application.availability import AvailabilityKeeper
from application.configuration.renewal import RENEW_SECONDS as SECRETS_SECONDS
from application.configuration.renewal import SecretRenewal
from application.health_checks import HealthChecks
from application.measurements import LiveMeasurements
from application.ownership import RENEW_SECONDS as LEASE_RENEW_SECONDS
from application.ownership import Ownership
from application.pricing.book import LivePriceBook
from application.routing.shared_places import SharedPlaces
from application.sign_in.sessions import Sessions
from application.snapshot import GatewayState
from application.telemetry.page import MetricsPage
from domain.ports.budgets import BudgetStore
from domain.ports.idempotency import IdempotencyStore
from domain.ports.ledger import LedgerBacklog
from domain.ports.limits import LimitStore
from domain.ports.runtime import Announcements, Clock
from domain.ports.usage import Retention, UsageRollUps
from entrypoints.http.metrics import MetricsAccess
from entrypoints.http.services import HttpServices
from entrypoints.settings.model import Settings
from entrypoints.workers import Job, Workers

CONFIG_POLL_SECONDS = 1.0
UNHEARD_POLL_SECONDS = 0.5
"""The same where a pooler lets no announcement through."""
AVAILABILITY_FLUSH_SECONDS = 1.0
SHARED_FLUSH_SECONDS = 0.25
"""The same where other processes wait for it: what one learns holds in all within a second."""
PRUNE_SECONDS = 3600.0
"""How often single requests that were kept long enough are looked for; first an hour after the start."""
PLACES_SECONDS = 600.0
"""How often it is forgotten where conversations were that ended."""
PRICE_KEEP_SECONDS = 1.0
ALERT_SECONDS = 1.0
REFUSALS_SECONDS = 1.0
LIMITS_SECONDS = 1.0
"""How late what is used of daily limits is written down, in memory; leases are renewed every tenth time."""
SESSIONS_SECONDS = 1800.0
ROLL_UP_SECONDS = 60.0
"""How soon usage of days that have ended is summed up for reports; they read single requests until then."""
RESPONSES_SECONDS = 60.0
"""How soon responses of the background are looked for that are due, and written down where the database was away."""
RENEW_SECONDS = 10.0
STREAMS_SECONDS = 3.0
"""How often streams look whether their keys still hold, after a change: they end within five seconds of it (P-11)."""
LAST_USED_SECONDS = 5.0
"""How late a key's `last_used_at` is written, beside the seconds for which a key is remembered."""
METRICS_SECONDS = 1.0
ORPHAN_SECONDS = 15.0
"""How soon the usage of a killed sibling is booked. At a start it is at once, and nothing waits for it."""
BOOKS_SECONDS = 60.0
"""How soon the books are asked again for what was measured before the start, where the database was away."""
MODEL_REFRESH_SECONDS = 2.0
"""How soon a new provider's models are read; lists that are known and fresh cost nothing."""


class BackgroundJob(msgspec.Struct, frozen=True):
    """`seconds` is the rest after each end. With `one_owner` the process that holds the lease does it for all; the
    others concern what each process, or each host's disk, has for itself.
    """

    seconds: float
    name: str
    run: Job
    one_owner: bool = False


async def start_jobs(container: AsyncContainer, services: HttpServices) -> Workers:
    """Run every job from now on."""
    ownership = await container.get(Ownership)
    workers = Workers(ownership.while_held)
    for job in await background_jobs(container, services, ownership):
        workers.every(job.seconds, job.name, job.run, one_owner=job.one_owner)
    return workers


async def background_jobs(
    container: AsyncContainer, services: HttpServices, ownership: Ownership
) -> tuple[BackgroundJob, ...]:
    shared = not (await container.get(Settings)).uses_sqlite
    directory, reload = services.directory, following(services.state, await container.get(StoreWatch))
    announcements = await container.get(Announcements)
    checks = await container.get(HealthChecks)
    keeper = await container.get(AvailabilityKeeper)
    prices = await container.get(LivePriceBook)
    ledger = await container.get(LedgerBacklog)
    refusals = await container.get(RefusalLog)
    limits = await container.get(LimitStore)
    places = await container.get(SharedPlaces)
    rows = BackgroundJob
    metered = (await container.get(MetricsAccess)).mode != "off"
    metrics = [rows(METRICS_SECONDS, "add up metrics", (await container.get(MetricsPage)).turn)] if metered else []
    telling = [
        rows(SHARED_FLUSH_SECONDS, "tell where conversations are", places.tell),
        rows(0.0, "forget where conversations were", resting_first(PLACES_SECONDS, places.forget), one_owner=True),
    ]
    renewal = await container.get(SecretRenewal)
    renewals = [rows(SECRETS_SECONDS, "take up renewed secrets", renewal.turn)] if renewal.has_work else []
    return (
        *metrics,
        *renewals,
        *(telling if places.on else []),  # else nobody is there to be told
        rows(LEASE_RENEW_SECONDS, "hold the background work", ownership.renew),
        # one process for all
        rows(0.0, "check the health of providers", resting_first(checks.interval_seconds, checks.turn), one_owner=True),
        rows(MODEL_REFRESH_SECONDS, "list models", directory.refresh_stale, one_owner=True),
        rows(SESSIONS_SECONDS, "forget sessions that ended", _forgetting_sessions(container), one_owner=True),
        rows(0.0, "sum up usage of ended days", await _rolling_up(container), one_owner=True),
        rows(0.0, "look for responses", resting_first(RESPONSES_SECONDS, services.background.turn), one_owner=True),
        rows(0.0, "delete requests that were kept long enough", _pruning(container), one_owner=True),
        # each for itself
        rows(RESPONSES_SECONDS, "write down responses that run", services.background.write_down),
        rows(MODEL_REFRESH_SECONDS, "list models of changed providers", directory.read_changed),
        rows(BOOKS_SECONDS, "measure what the books say", (await container.get(LiveMeasurements)).read_books),
        rows(UNHEARD_POLL_SECONDS if announcements.missed else CONFIG_POLL_SECONDS, "follow configuration", reload),
        rows(0.0, "hear of changes of the configuration", lambda: announcements.listen(reload)),
        rows(SHARED_FLUSH_SECONDS if shared else AVAILABILITY_FLUSH_SECONDS, "keep availability", keeper.flush),
        rows(PRICE_KEEP_SECONDS, "keep used prices", prices.keep_used),
        rows(LIMITS_SECONDS, "keep what is used of limits", limits.keep),
        rows(REFUSALS_SECONDS, "write down who was refused", refusals.write_down),
        rows(STREAMS_SECONDS, "end streams of revoked keys", ending_streams(services)),
        rows(0.0, "carry usage to the database", ledger.turn),
        rows(ORPHAN_SECONDS, "book what dead processes left", ledger.book_orphans),  # on this disk, under its locks
        rows(ALERT_SECONDS, "watch for alerts", (await container.get(AlertWatch)).turn),  # each tells once, by a row
        rows(0.0, "send alerts", (await container.get(AlertDispatch)).turn),  # what it has claimed
        rows(LAST_USED_SECONDS, "note used keys", (await container.get(LastUsed)).flush),
        rows(RENEW_SECONDS, "renew holds of budgets", (await container.get(BudgetStore)).renew),
        rows(RENEW_SECONDS, "renew keys of idempotency", (await container.get(IdempotencyStore)).renew),
    )


def ending_streams(services: HttpServices) -> Callable[[], Awaitable[None]]:
    """A job that ends the streams of keys which were revoked, once something was changed; else it does nothing."""
    seen = services.authenticator.revision

    async def check() -> None:
        nonlocal seen
        now = services.authenticator.revision
        if now != seen:
            await services.drain.check_all_again()
            seen = now

    return check


def resting_first(seconds: float, work: Callable[[], Awaitable[object]]) -> Job:
    """A job that waits before it works: a start has better things to do."""

    async def rest_and_work() -> None:
        await asyncio.sleep(seconds)
        await work()

    return rest_and_work


def following(state: GatewayState, watch: StoreWatch) -> Callable[[], Awaitable[None]]:
    """Look for changes of the configuration, by which the store shows each second that it is there."""

    async def follow() -> None:
        if await state.reload_if_changed():
            watch.answered()

    return follow


def _forgetting_sessions(container: AsyncContainer) -> Job:
    async def forget() -> None:
        await (await container.get(Sessions)).forget_ended()

    return resting_first(SESSIONS_SECONDS, forget)


def _pruning(container: AsyncContainer) -> Job:
    async def prune() -> None:
        days = (await container.get(Settings)).retain_requests_days
        if days is not None:
            now = (await container.get(Clock)).now()
            await (await container.get(Retention)).prune(now - timedelta(days=days))

    return resting_first(PRUNE_SECONDS, prune)


async def _rolling_up(container: AsyncContainer) -> Job:
    async def roll_up() -> None:
        await (await container.get(UsageRollUps)).turn()

    return resting_first(ROLL_UP_SECONDS, roll_up)
