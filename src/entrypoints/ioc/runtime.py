"""The process itself: settings, time, ids, where records go."""

import sys

from dishka import Provider, Scope, from_context, provide

from adapters.clock import SystemClock, Uuid7Ids
from adapters.telemetry.log_lines import LogUsageSink
from adapters.telemetry.logs import choose_format, configure_logging, current_output
from adapters.telemetry.opening import keeping
from application.telemetry.exports import Exports
from application.telemetry.request_sums import RequestSums
from domain.ports.runtime import Clock, IdFactory, UsageSink
from entrypoints.http.edge.drain import DrainState
from entrypoints.settings.model import Settings


class RuntimeModule(Provider):
    scope = Scope.APP

    settings = from_context(Settings)
    drain = from_context(DrainState)

    @provide
    def clock(self) -> Clock:
        return SystemClock()

    @provide
    def ids(self) -> IdFactory:
        return Uuid7Ids()

    @provide
    def usage_sink(self, settings: Settings, sums: RequestSums, exports: Exports) -> UsageSink:
        keep = keeping({"off": None}.get(settings.metrics, sums.keep), exports.keep)
        style = choose_format(settings.log_format, sys.stderr)
        return LogUsageSink(current_output(), style, settings.log_level, keep)


def set_up_logging(settings: Settings) -> None:
    """Route the process's logging to stderr, as the settings say; again, what was routed before is written first."""
    finish_logging()
    configure_logging(settings.log_level, choose_format(settings.log_format, sys.stderr))


def finish_logging() -> None:
    """Write what waits, and end the thread that does so."""
    current_output().close()
