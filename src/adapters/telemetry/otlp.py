"""Spans and metrics by OTLP over HTTP, made of records after their requests have ended, in a thread of their own.

A request pays for one append. What no collector takes is dropped and counted; nothing waits for it. The thread is a
daemon: a process that ends gives it a moment, and does not wait for a collector that is away.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import MetricExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from adapters.telemetry.genai import ProviderFacts
from adapters.telemetry.genai_metrics import GenAiMetrics
from adapters.telemetry.genai_spans import Ended, GenAiSpans
from adapters.telemetry.otlp_settings import OtlpSettings, Signal
from domain.metrics import EXPORT_DROPPED, EXPORTED, Readings
from domain.records import RequestRecord
from domain.tracing import current_trace

log = logging.getLogger(__name__)

MAX_WAITING: Final = 4096
"""Requests; what ends while as many wait is counted and dropped: some 10 MiB."""

BATCH: Final = 256
TURN_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 3.0
"""What a stop waits for the last batch."""

FindProvider = Callable[[str], ProviderFacts]


class OtlpExport:
    """`keep` is called by whoever ends a request, everything else in the thread that `start` begins."""

    def __init__(
        self,
        settings: OtlpSettings,
        version: str,
        instance: str,
        find_provider: FindProvider,
        *,
        subjects: bool,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        of_process = {"service.version": version, "service.instance.id": instance}
        resource = Resource.create({**of_process, **settings.resource})
        self._settings = settings
        self._max_waiting = max_waiting
        self._waiting: deque[Ended] = deque()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otlp", daemon=True)
        self._away: set[str] = set()
        self._spans = GenAiSpans(settings, resource, find_provider, subjects=subjects)
        self._metrics = GenAiMetrics(resource, find_provider)
        self._span_exporter = _span_exporter(settings.traces)
        self._metric_exporter = _metric_exporter(settings.metrics)
        self.dropped = dict.fromkeys(("traces", "metrics"), 0)
        self.exported = dict.fromkeys(("traces", "metrics"), 0)
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # three warnings a batch: one line is ours

    def start(self) -> None:
        self._thread.start()

    def sampled(self, trace_id: str) -> bool:
        """Whether a trace that begins here is collected."""
        return self._span_exporter is not None and self._spans.sampled(trace_id)

    def keep(self, record: RequestRecord) -> None:
        if len(self._waiting) >= self._max_waiting:
            self.dropped["traces"] += 1
            return
        self._waiting.append(Ended(record, current_trace.get(), time.time_ns()))

    def readings(self) -> Readings:
        """For `/metrics`."""
        counted = {EXPORT_DROPPED.name: self.dropped, EXPORTED.name: self.exported}
        return {name: {(signal,): [float(n)] for signal, n in counts.items()} for name, counts in counted.items()}

    def close(self) -> None:
        """Send what waits, for a moment, and end."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)
        left = len(self._waiting)
        if left:
            self.dropped["traces"] += left
            log.warning("spans were not exported", extra={"requests": left})

    def _run(self) -> None:
        next_metrics = time.monotonic() + self._settings.interval_seconds
        while True:
            closing = self._closing.wait(TURN_SECONDS)
            try:
                while self._waiting:
                    self._export_batch()
                if closing or time.monotonic() >= next_metrics:
                    next_metrics = time.monotonic() + self._settings.interval_seconds
                    self._export_metrics()
            except Exception:  # a fault of ours must not end the thread
                log.exception("telemetry could not be exported")
            if closing:
                return

    def _export_batch(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        for ended in batch:
            self._metrics.add(ended.record)
        if self._span_exporter is None:
            return
        spans = [span for ended in batch for span in self._spans.of(ended)]
        taken = not spans or self._span_exporter.export(spans) is SpanExportResult.SUCCESS
        self._note("traces", len(batch), taken=taken)

    def _export_metrics(self) -> None:
        if self._metric_exporter is None:
            return
        data = self._metrics.collected()
        if data is not None:
            self._note("metrics", 1, taken=self._metric_exporter.export(data) is MetricExportResult.SUCCESS)

    def _note(self, signal: str, count: int, *, taken: bool) -> None:
        (self.exported if taken else self.dropped)[signal] += count
        if taken and signal in self._away:
            self._away.discard(signal)
            log.warning("the collector takes telemetry again", extra={"signal": signal})
        elif not taken and signal not in self._away:
            self._away.add(signal)
            log.warning("the collector does not take telemetry; it is dropped", extra={"signal": signal})


def _span_exporter(signal: Signal | None) -> OTLPSpanExporter | None:
    if signal is None:
        return None
    return OTLPSpanExporter(
        signal.url,
        signal.ca_file,
        signal.client_key_file,
        signal.client_cert_file,
        dict(signal.headers),
        signal.timeout_seconds,
        Compression.Gzip if signal.gzip else Compression.NoCompression,
    )


def _metric_exporter(signal: Signal | None) -> OTLPMetricExporter | None:
    if signal is None:
        return None
    return OTLPMetricExporter(
        signal.url,
        signal.ca_file,
        signal.client_key_file,
        signal.client_cert_file,
        dict(signal.headers),
        signal.timeout_seconds,
        Compression.Gzip if signal.gzip else Compression.NoCompression,
    )
