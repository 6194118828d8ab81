"""OpenTelemetry's variables, as its specification means them."""

import pytest

from adapters.telemetry.otlp_settings import OtlpSettings

BASE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/"}


@pytest.mark.parametrize(
    ("variables", "traces", "metrics"),
    [
        ({}, None, None),
        (BASE, "http://collector:4318/v1/traces", "http://collector:4318/v1/metrics"),
        (BASE | {"OTEL_SDK_DISABLED": "TRUE"}, None, None),
        (BASE | {"OTEL_TRACES_EXPORTER": "none"}, None, "http://collector:4318/v1/metrics"),
        (BASE | {"OTEL_METRICS_EXPORTER": "none"}, "http://collector:4318/v1/traces", None),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://t.example/as-is"}, "https://t.example/as-is", None),
        (
            BASE | {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "https://m.example/in"},
            "http://collector:4318/v1/traces",
            "https://m.example/in",
        ),
    ],
)
def test_each_signal_goes_where_its_variable_says(
    variables: dict[str, str], traces: str | None, metrics: str | None
) -> None:
    found = OtlpSettings.of(variables)

    assert (found and found.traces and found.traces.url) == traces
    assert (found and found.metrics and found.metrics.url) == metrics


def test_headers_time_outs_and_files_of_a_signal_come_before_those_of_all() -> None:
    found = OtlpSettings.of(
        BASE
        | {
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20one,x-team=a",
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "authorization=Bearer%20two",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "soon",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": "/etc/ca.pem",
            "OTEL_SERVICE_NAME": "gateway-eu",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=prod,service.name=other",
            "OTEL_TRACES_SAMPLER": "traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.25",
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        }
    )

    assert found is not None
    assert found.traces is not None
    assert found.metrics is not None
    assert found.traces.headers == {"authorization": "Bearer one", "x-team": "a"}
    assert found.metrics.headers == {"authorization": "Bearer two"}
    assert (found.traces.timeout_seconds, found.metrics.timeout_seconds) == (2.5, 2.5)
    assert (found.traces.gzip, found.traces.ca_file) == (True, "/etc/ca.pem")
    assert found.resource == {"deployment.environment.name": "prod", "service.name": "gateway-eu"}
    assert (found.sampler, found.sampler_argument, found.interval_seconds) == ("traceidratio", "0.25", 1.0)
