"""What goes to a collector, where anything does: one object, whether it is switched on or not."""

from collections.abc import Callable

from domain.metrics import Readings
from domain.ports.telemetry import TelemetryExport
from domain.records import RequestRecord


class Exports:
    """`keep` is None where nothing goes anywhere, and `sampled` where no traces are collected."""

    def __init__(self, export: TelemetryExport | None, *, traces: bool) -> None:
        self._export = export
        self.keep: Callable[[RequestRecord], None] | None = export.keep if export is not None else None
        self.sampled: Callable[[str], bool] | None = export.sampled if export is not None and traces else None

    def start(self) -> None:
        if self._export is not None:
            self._export.start()

    def readings(self) -> Readings:
        return self._export.readings() if self._export is not None else {}

    def close(self) -> None:
        """Blocks for a moment."""
        if self._export is not None:
            self._export.close()
