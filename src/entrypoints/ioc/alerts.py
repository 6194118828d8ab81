"""Alerts: what is looked at, and the ways out."""

from collections.abc import AsyncIterator

from dishka import Provider, Scope, provide

from adapters.alerts.email import EmailSender, SmtpServer, SmtpUrlInvalid, parse_smtp_url
from adapters.alerts.webhook import WebhookSender
from application.admin.alerts import AlertAdmin
from application.admission.limits import LimitGate
from application.alerts.book import AlertBook
from application.alerts.budgets import BudgetReadings
from application.alerts.dispatch import AlertDispatch, ChannelCheck, Senders
from application.alerts.error_rates import ErrorRates
from application.alerts.readings import ExpiryReadings, ModelReadings, ProviderReadings
from application.alerts.watch import AlertWatch
from application.catalog import ModelDirectory
from application.snapshot import GatewayState
from application.usage.report import UsageReport
from domain.ports.policies import AvailabilityPolicy
from domain.ports.repositories import Store
from domain.ports.runtime import Clock, IdFactory
from entrypoints.ioc.outbound import calls_out
from entrypoints.settings.model import Settings, SettingsError


class AlertModule(Provider):
    scope = Scope.APP

    admin = provide(AlertAdmin)
    book = provide(AlertBook)
    check = provide(ChannelCheck)
    error_rates = provide(ErrorRates)

    @provide
    def senders(self, settings: Settings, clock: Clock) -> Senders:
        webhook = WebhookSender(
            calls_out(settings),
            clock,
            allow_private_network=settings.allow_private_network,
        )
        return {"webhook": webhook, "email": EmailSender(smtp_server(settings), ca_file=settings.ca_file)}

    @provide
    async def dispatch(
        self, store: Store, book: AlertBook, senders: Senders, clock: Clock
    ) -> AsyncIterator[AlertDispatch]:
        dispatch = AlertDispatch(store, book, senders, clock)
        yield dispatch
        await dispatch.aclose()

    @provide
    def budgets(self, gate: LimitGate) -> BudgetReadings:
        return BudgetReadings(gate.spending)

    @provide
    def watch(
        self,
        store: Store,
        book: AlertBook,
        dispatch: AlertDispatch,
        budgets: BudgetReadings,
        error_rates: ErrorRates,
        state: GatewayState,
        availability: AvailabilityPolicy,
        directory: ModelDirectory,
        usage: UsageReport,
        clock: Clock,
        ids: IdFactory,
    ) -> AlertWatch:
        sources = (
            budgets.source(),
            ProviderReadings(state, availability, clock).source(),
            error_rates.source(),
            ExpiryReadings(clock).source(),
            *ModelReadings(directory, usage, clock).sources(),
        )
        watch = AlertWatch(store, book, sources, clock, ids)
        watch.on_told = dispatch.wake
        return watch


def smtp_server(settings: Settings) -> SmtpServer | None:
    """Raises `SettingsError`."""
    try:
        return parse_smtp_url(settings.smtp_url.reveal())
    except SmtpUrlInvalid as error:
        raise SettingsError(f"OMG_SMTP_URL: {error}") from None
