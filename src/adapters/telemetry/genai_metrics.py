"""OpenTelemetry's metrics of what models were asked: both families of token counts, times, and what it cost.

Source: https://github.com/open-telemetry/semantic-conventions-genai (read 2026-11): the counters
`gen_ai.client.inference.usage.*` are the newest, the histogram `gen_ai.client.token.usage` is what dashboards know.
"""

from collections.abc import Callable
from typing import Final

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.resources import Resource

from adapters.telemetry.genai import Attributes, ProviderFacts, operation
from domain.metrics import OTHER
from domain.records import RequestRecord

MAX_MODELS: Final = 200
TOKEN_BOUNDS: Final = tuple(float(4**n) for n in range(14))
SECOND_BOUNDS: Final = tuple(0.01 * 2**n for n in range(14))


class GenAiMetrics:
    """In one thread alone."""

    def __init__(self, resource: Resource, find_provider: Callable[[str], ProviderFacts]) -> None:
        self._reader = InMemoryMetricReader()
        provider = MeterProvider((self._reader,), resource, shutdown_on_exit=False)
        meter = provider.get_meter("open-model-gateway")
        self._find_provider = find_provider
        self._models: set[str] = set()
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Tokens of a call",
            explicit_bucket_boundaries_advisory=TOKEN_BOUNDS,
        )
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "What a call took",
            explicit_bucket_boundaries_advisory=SECOND_BOUNDS,
        )
        self._first_chunk = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            "s",
            "From a request to the first content of its stream",
            explicit_bucket_boundaries_advisory=SECOND_BOUNDS,
        )
        names = ("input_tokens", "output_tokens", "cache_read.input_tokens", "cache_write.input_tokens",
                 "reasoning.output_tokens")  # fmt: skip
        self._usage = [meter.create_counter(f"gen_ai.client.inference.usage.{name}", "{token}") for name in names]
        self._requests = meter.create_counter("omg.requests", "{request}", "Requests that ended")
        self._cost = meter.create_counter("omg.cost", "{USD}", "What all calls cost")

    def add(self, record: RequestRecord) -> None:
        for attempt in record.attempts:
            about = self._about(record, attempt.provider_id, attempt.model)
            failed: Attributes = {} if attempt.outcome == "ok" else {"error.type": attempt.outcome}
            self._duration.record(attempt.duration_ms / 1000, about | failed)
            if attempt.cost_nano_usd:
                self._cost.add(attempt.cost_nano_usd / 1e9, about)
            if (usage := attempt.usage) is None:
                continue
            self._tokens.record(usage.input_tokens, about | {"gen_ai.token.type": "input"})
            self._tokens.record(usage.output_tokens, about | {"gen_ai.token.type": "output"})
            counts = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens,
                      usage.reasoning_tokens)  # fmt: skip
            for counter, count in zip(self._usage, counts, strict=True):
                if count:
                    counter.add(count, about)
        last = record.attempts[-1] if record.attempts else None
        about = self._about(record, last.provider_id if last else "", last.model if last else "")
        self._requests.add(1, about | {"omg.outcome": record.outcome})
        if record.ttft_ms is not None:
            self._first_chunk.record(record.ttft_ms / 1000, about)

    def collected(self) -> MetricsData | None:
        """All sums since the start; None where nothing was ever counted."""
        return self._reader.get_metrics_data()

    def _about(self, record: RequestRecord, provider_id: str, model: str) -> Attributes:
        if model not in self._models:
            if len(self._models) < MAX_MODELS:
                self._models.add(model)
            else:
                model = OTHER
        found: Attributes = {"gen_ai.operation.name": operation(record.endpoint)}
        if provider_id:
            found |= {"gen_ai.provider.name": self._find_provider(provider_id).name, "gen_ai.request.model": model}
        return found
