"""Spans and metrics as a collector gets them (contract 13), read by OpenTelemetry's own protobuf definitions."""

import time
from collections.abc import Iterator

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from adapters.telemetry.genai import ProviderFacts
from adapters.telemetry.otlp import OtlpExport
from adapters.telemetry.otlp_settings import OtlpSettings
from domain.attribution import Attribution
from domain.records import RequestRecord
from domain.tracing import RequestTrace, current_trace
from domain.usage import TokenUsage
from tests.builders import a_request_record, an_attempt_record
from tests.otlp_collector import Collector, attributes, running_collector

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture(scope="module")
def listening() -> Iterator[Collector]:
    with running_collector() as collector:
        yield collector


@pytest.fixture
def collector(listening: Collector) -> Collector:
    listening.spans.clear()
    listening.metrics.clear()
    listening.resources.clear()
    listening.headers.clear()
    listening.status, listening.raw = 200, b""
    return listening


def export_to(collector: Collector, *, subjects: bool = False, max_waiting: int = 99, **variables: str) -> OtlpExport:
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "300"} | variables
    settings = OtlpSettings.of(given)
    assert settings is not None
    return OtlpExport(settings, "1.2.3", "proc_1", find_provider, subjects=subjects, max_waiting=max_waiting)


def find_provider(provider_id: str) -> ProviderFacts:
    return ProviderFacts(provider_id, "openai", "api.example.com", 8443)


def sent(export: OtlpExport, *records: RequestRecord, trace: RequestTrace | None = None) -> None:
    """As a process does it, from start to stop."""
    token = current_trace.set(trace)
    for record in records:
        export.keep(record)
    current_trace.reset(token)
    export.start()
    export.close()


def a_failed_over_request() -> RequestRecord:
    failed = an_attempt_record(1, provider_id="down", outcome="server_error", status=500, message="the prompt: SECRET")
    served = an_attempt_record(
        2, provider_id="groq", model="m", duration_ms=200.0, usage=TokenUsage(10, 4, cache_read_tokens=6)
    )
    return a_request_record(
        endpoint="chat.completions",
        requested_model="fast",
        provider_id="groq",
        attempts=(failed, served),
        usage=TokenUsage(10, 4),
        stream=True,
        ttft_ms=90.0,
        attribution=Attribution(user_id="usr_1", session="s-1"),
    )


def named(spans: list[Span], kind: "Span.SpanKind.ValueType") -> list[Span]:
    return [span for span in spans if span.kind == kind]


def test_a_request_is_a_span_and_each_call_its_child_in_the_callers_trace(collector: Collector) -> None:
    trace = RequestTrace(TRACE, PARENT, "vendor=1", time.time_ns(), sampled=True)
    for number in (1, 2):
        trace.attempt_begins("dec_req_1", number, trace.started_ns + number)

    sent(export_to(collector), a_failed_over_request(), trace=trace)

    (request,) = named(collector.spans, Span.SPAN_KIND_SERVER)
    calls = named(collector.spans, Span.SPAN_KIND_CLIENT)
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert (request.name, request.parent_span_id.hex(), request.trace_state) == ("chat fast", PARENT, "vendor=1")
    assert [call.parent_span_id for call in calls] == [request.span_id] * 2
    assert [call.span_id.hex() for call in calls] == [trace.attempts["dec_req_1", n].span_id for n in (1, 2)]
    assert [call.start_time_unix_nano for call in calls] == [trace.started_ns + 1, trace.started_ns + 2]
    assert calls[1].end_time_unix_nano - calls[1].start_time_unix_nano == 200_000_000
    assert request.start_time_unix_nano == trace.started_ns


def test_spans_have_the_attributes_of_generative_ai_and_no_text(collector: Collector) -> None:
    sent(export_to(collector), a_failed_over_request())

    (request,) = named(collector.spans, Span.SPAN_KIND_SERVER)
    failed, served = named(collector.spans, Span.SPAN_KIND_CLIENT)
    of_request, of_call = attributes(request), attributes(served)
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "groq",
        "gen_ai.request.model": "fast",
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "m",
        "gen_ai.response.time_to_first_chunk": 0.09,
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 4,
    }
    assert expected.items() <= of_request.items()
    assert of_call["gen_ai.usage.cache_read.input_tokens"] == 6
    assert (of_call["server.address"], of_call["server.port"]) == ("api.example.com", 8443)
    assert attributes(failed)["error.type"] == "server_error"
    assert failed.status.code == 2
    assert b"SECRET" not in collector.raw
    assert all(word not in collector.raw for word in (b"usr_1", b"key_1", b"ten_default", b"s-1"))


def test_whose_a_request_was_is_told_only_where_that_is_switched_on(collector: Collector) -> None:
    sent(export_to(collector, subjects=True), a_failed_over_request())

    (request,) = named(collector.spans, Span.SPAN_KIND_SERVER)
    found = attributes(request)
    assert found["omg.tenant_id"] == "ten_default"
    assert (found["user.id"], found["gen_ai.conversation.id"]) == ("usr_1", "s-1")


def test_metrics_count_tokens_times_and_money_in_both_families(collector: Collector) -> None:
    sent(export_to(collector, OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20x"), a_failed_over_request())

    names = {metric.name for metric in collector.metrics}
    usage = next(each for each in collector.metrics if each.name == "gen_ai.client.token.usage")
    by_type = {attributes(point)["gen_ai.token.type"]: point.sum for point in usage.histogram.data_points
               if attributes(point)["gen_ai.provider.name"] == "groq"}  # fmt: skip
    assert {
        "gen_ai.client.operation.duration",
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai.client.inference.usage.input_tokens",
        "gen_ai.client.inference.usage.cache_read.input_tokens",
        "omg.requests",
        "omg.cost",
    } <= names
    assert by_type == {"input": 10.0, "output": 4.0}
    assert collector.headers[-1]["authorization"] == "Bearer x"
    assert collector.resources[0]["service.name"] == "open-model-gateway"
    assert collector.resources[0]["service.version"] == "1.2.3"


@pytest.mark.parametrize(("sampled", "spans"), [(True, 3), (False, 0)])
def test_what_the_caller_does_not_sample_is_not_sent(collector: Collector, sampled: bool, spans: int) -> None:
    sent(
        export_to(collector, OTEL_METRICS_EXPORTER="none"),
        a_failed_over_request(),
        trace=RequestTrace(TRACE, PARENT, "", time.time_ns(), sampled=sampled),
    )

    assert len(collector.spans) == spans


def test_a_sampler_decides_of_a_trace_that_begins_here_by_its_id(collector: Collector) -> None:
    never = export_to(collector, OTEL_TRACES_SAMPLER="parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG="0")
    always = export_to(collector)

    assert not never.sampled(TRACE)
    assert always.sampled(TRACE)


def test_a_collector_that_is_away_costs_what_it_does_not_take_and_that_is_counted(collector: Collector) -> None:
    collector.status = 400
    export = export_to(collector, max_waiting=5)
    for _ in range(12):
        export.keep(a_request_record(attempts=()))

    export.start()
    export.close()

    assert export.dropped["traces"] == 12
    assert export.dropped["metrics"] == 1
    assert export.exported == {"traces": 0, "metrics": 0}
    assert collector.spans == []
    assert export.readings()["omg_telemetry_dropped_total"]["traces",] == [12.0]
