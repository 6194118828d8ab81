"""Spans of a request and its calls upstream, made by OpenTelemetry's SDK when all of them have ended."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    DEFAULT_ON,
    Decision,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)
from typing_extensions import override

from adapters.telemetry.genai import ProviderFacts, of_attempt, of_request, operation
from adapters.telemetry.otlp_settings import OtlpSettings
from domain.records import RequestRecord
from domain.tracing import RequestTrace

_SAMPLERS: Final[dict[str, Callable[[float], Sampler]]] = {
    "always_on": lambda _: ALWAYS_ON,
    "always_off": lambda _: ALWAYS_OFF,
    "traceidratio": TraceIdRatioBased,
    "parentbased_always_on": lambda _: DEFAULT_ON,
    "parentbased_always_off": lambda _: DEFAULT_OFF,
    "parentbased_traceidratio": lambda share: ParentBased(TraceIdRatioBased(share)),
}


class Ended(NamedTuple):
    """A request that has ended, at this moment, in nanoseconds since 1970; `trace` is None of what had none."""

    record: RequestRecord
    trace: RequestTrace | None
    ended_ns: int


class GenAiSpans:
    """In one thread alone: the ids of the next span are set before it is made."""

    def __init__(
        self,
        settings: OtlpSettings,
        resource: Resource,
        find_provider: Callable[[str], ProviderFacts],
        *,
        subjects: bool,
    ) -> None:
        make = _SAMPLERS.get(settings.sampler, _SAMPLERS["parentbased_always_on"])
        self._sampler = make(_share(settings.sampler_argument))
        self._ids = _GivenIds()
        self._made = _Made()
        provider = TracerProvider(self._sampler, resource, shutdown_on_exit=False, id_generator=self._ids)
        provider.add_span_processor(self._made)
        self._tracer = provider.get_tracer("open-model-gateway")
        self._find_provider = find_provider
        self._subjects = subjects

    def sampled(self, trace_id: str) -> bool:
        decision = self._sampler.should_sample(None, int(trace_id, 16), "request").decision
        return decision is Decision.RECORD_AND_SAMPLE

    def of(self, ended: Ended) -> Sequence[ReadableSpan]:
        """The request's span, after those of its calls; none where the trace is not sampled."""
        record, trace = ended.record, ended.trace
        provider = self._find_provider(record.provider_id) if record.provider_id else None
        started_ns = trace.started_ns if trace is not None else ended.ended_ns - _ns(record.latency_ms)
        self._ids.trace_id = trace.trace_id if trace is not None else None
        span = self._tracer.start_span(
            f"{operation(record.endpoint)} {record.requested_model}".rstrip(),
            _parent(trace),
            SpanKind.SERVER,
            of_request(record, provider, subjects=self._subjects),
            start_time=started_ns,
        )
        if span.is_recording():
            self._add_attempts(record, trace, set_span_in_context(span), started_ns)
        if record.outcome not in ("ok", "client_cancelled"):
            span.set_status(Status(StatusCode.ERROR))
        span.end(max(ended.ended_ns, started_ns))
        return self._made.take()

    def _add_attempts(
        self, record: RequestRecord, trace: RequestTrace | None, parent: Context, started_ns: int
    ) -> None:
        for attempt in record.attempts:
            known = trace.attempts.get((record.decision_id, attempt.number)) if trace is not None else None
            began_ns = known.started_ns if known is not None else started_ns
            self._ids.span_id = known.span_id if known is not None else None
            span: Span = self._tracer.start_span(
                f"{operation(record.endpoint)} {attempt.model}",
                parent,
                SpanKind.CLIENT,
                of_attempt(record, attempt, self._find_provider(attempt.provider_id)),
                start_time=began_ns,
            )
            if attempt.outcome not in ("ok", "cancelled"):
                span.set_status(Status(StatusCode.ERROR))
            span.end(began_ns + _ns(attempt.duration_ms))
            started_ns = began_ns + _ns(attempt.duration_ms)


class _GivenIds(IdGenerator):
    """The ids that were promised to others before the span was made, each once; else random ones."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self.trace_id: str | None = None
        self.span_id: str | None = None

    @override
    def generate_span_id(self) -> int:
        given, self.span_id = self.span_id, None
        return int(given, 16) if given is not None else self._random.generate_span_id()

    @override
    def generate_trace_id(self) -> int:
        given, self.trace_id = self.trace_id, None
        return int(given, 16) if given is not None else self._random.generate_trace_id()


class _Made(SpanProcessor):
    """Gathers what has ended."""

    def __init__(self) -> None:
        self._spans: list[ReadableSpan] = []

    @override
    def on_end(self, span: ReadableSpan) -> None:
        if span.context is not None and span.context.trace_flags.sampled:
            self._spans.append(span)

    def take(self) -> Sequence[ReadableSpan]:
        spans, self._spans = self._spans, []
        return spans


def _parent(trace: RequestTrace | None) -> Context:
    if trace is None or not trace.parent_id:
        return Context()
    flags = TraceFlags(TraceFlags.SAMPLED if trace.sampled else TraceFlags.DEFAULT)
    state = TraceState.from_header([trace.state]) if trace.state else None
    there = SpanContext(int(trace.trace_id, 16), int(trace.parent_id, 16), True, flags, state)
    return set_span_in_context(NonRecordingSpan(there), Context())


def _share(argument: str) -> float:
    try:
        return min(1.0, max(0.0, float(argument)))
    except ValueError:
        return 1.0


def _ns(milliseconds: float) -> int:
    return int(milliseconds * 1e6)
