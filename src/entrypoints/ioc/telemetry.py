"""What is told to those who watch: metrics for who asks, traces and metrics for who collects them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NewType

from dishka import Provider, Scope, provide

from adapters.telemetry.logs import current_output
from adapters.telemetry.opening import (
    LibraryMissing,
    open_export,
    prometheus_format,
    sibling_readings,
    traces_go_somewhere,
)
from adapters.telemetry.worker_sums import begin, end, folder_of
from application.admin.health import HealthReport, gateway_version
from application.admin.subject_rules import RuleAdmin
from application.inference.books import Books
from application.snapshot import GatewayState
from application.telemetry.exports import Exports
from application.telemetry.gauges import GatewayGauges
from application.telemetry.page import MetricsPage
from application.telemetry.request_sums import RequestSums
from application.telemetry.traced_books import TracedBooks
from domain.ports.limits import LimitStore
from domain.ports.policies import AvailabilityPolicy
from domain.ports.runtime import Clock, IdFactory
from entrypoints.http.edge.drain import DrainState
from entrypoints.http.metrics import MetricsAccess
from entrypoints.settings.model import Settings, SettingsError

Traces = NewType("Traces", bool)
"""Whether traces are collected."""

BOOKS: dict[bool, type[Books]] = {False: Books, True: TracedBooks}
"""By whether traces are collected."""


class TelemetryModule(Provider):
    scope = Scope.APP

    @provide
    def access(self, settings: Settings) -> MetricsAccess:
        return MetricsAccess(settings.metrics)

    @provide
    def traces(self, settings: Settings) -> Traces:
        return Traces(traces_go_somewhere(settings.variables))

    @provide
    def exports(self, settings: Settings, state: GatewayState, traces: Traces, ids: IdFactory) -> Exports:
        try:
            export = open_export(
                settings.variables,
                gateway_version(),
                ids.new("proc"),
                lambda provider_id: state.current.by_id.get(provider_id),  # noqa: PLW0108 - `current` is swapped
                subjects=settings.telemetry_subjects,
            )
        except LibraryMissing as error:
            raise SettingsError(str(error)) from None
        return Exports(export, traces=traces)

    @provide
    def sums(self, settings: Settings) -> RequestSums:
        return RequestSums(subjects=settings.telemetry_subjects)

    @provide
    def gauges(
        self,
        health: HealthReport,
        state: GatewayState,
        availability: AvailabilityPolicy,
        rules: RuleAdmin,
        limits: LimitStore,
        clock: Clock,
        drain: DrainState,
        exports: Exports,
        settings: Settings,
    ) -> GatewayGauges:
        output = current_output()
        return GatewayGauges(
            health,
            state,
            availability,
            rules,
            limits,
            clock,
            lambda: drain.in_flight,
            lambda: output.dropped_total,
            exports.readings,
            subjects=settings.telemetry_subjects,
        )

    @provide
    def page(self, sums: RequestSums, gauges: GatewayGauges, ids: IdFactory, settings: Settings) -> MetricsPage:
        siblings = sibling_readings(settings.data_dir, settings.workers, ids.new("proc"))
        return MetricsPage(sums, gauges, siblings, prometheus_format)


@contextmanager
def worker_sums(settings: Settings, *, go_on: bool = False) -> Iterator[None]:
    """What the workers of this process have counted, for as long as it runs; `go_on`: and did before it was renewed."""
    folder = folder_of(settings.data_dir, os.getpid())
    begin(folder, go_on=go_on)
    try:
        yield
    finally:
        end(folder)
