"""Readings as Prometheus' text, written by prometheus_client: the first page that is asked for imports it."""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector, CollectorRegistry
from typing_extensions import override

from domain.metrics import METRICS, Cells, Metric, Readings
from domain.ports.telemetry import MetricsFormat, MetricsText


class PrometheusFormat(MetricsFormat):
    """The text format, or OpenMetrics for whoever asks for it."""

    @override
    def render(self, readings: Readings, accept: str) -> MetricsText:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Taken(readings))
        encode, content_type = choose_encoder(accept)
        return MetricsText(encode(registry), content_type)


class _Taken(Collector):
    """What was read, as the library's collectors tell it."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    @override
    def collect(self) -> Iterator[Family]:
        for metric in METRICS:
            if (cells := self._readings.get(metric.name)) is not None:
                yield _family(metric, cells)


def _family(metric: Metric, cells: Cells) -> Family:
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        bounds = [*(f"{bound:g}" for bound in metric.buckets), "+Inf"]
        for labels, values in sorted(cells.items()):
            counts = accumulate(values[:-1])
            histogram.add_metric(labels, list(zip(bounds, counts, strict=True)), values[-1])
        return histogram
    if metric.kind == "counter":
        counter = CounterMetricFamily(metric.name.removesuffix("_total"), metric.help, labels=metric.labels)
        for labels, (value,) in sorted(cells.items()):
            counter.add_metric(labels, value)
        return counter
    gauge = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, (value,) in sorted(cells.items()):
        gauge.add_metric(labels, value)
    return gauge
